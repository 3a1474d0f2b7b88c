import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/{unit,integration,http,browser,faults}/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    // Every test file starts real servers; on two cores more files at once only wait for each other.
    maxWorkers: 2,
    // Ends a test that hangs; no test is judged by how long it takes.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
