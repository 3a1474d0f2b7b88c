import { defineConfig } from 'vitest/config'
import { LongestFirst } from './tests/support/longest-first.ts'

export default defineConfig({
  test: {
    include: ['tests/{unit,integration,http,browser,faults}/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    // Twice the cores of a small machine: half of the time a file waits, for a database, a browser or a clock.
    maxWorkers: 4,
    // Ends a test that hangs; no test is judged by how long it takes.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
