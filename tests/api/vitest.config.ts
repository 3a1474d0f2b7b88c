import { defineConfig } from 'vitest/config'

/** The API against its own description, which takes minutes. */
export default defineConfig({
  test: {
    include: ['tests/api/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
})
