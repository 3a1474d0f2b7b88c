import { defineConfig } from 'vitest/config'

/** Tests against a real WordPress. */
export default defineConfig({
  test: {
    include: ['tests/wordpress/**/*.test.ts'],
    // With how long each step took.
    reporters: ['verbose'],
    globalSetup: ['tests/support/global-setup.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
