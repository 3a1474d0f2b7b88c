import { defineConfig } from 'vitest/config'

/** Tests against real mail software, which take minutes. */
export default defineConfig({
  test: {
    include: ['tests/mail/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
