import { defineConfig } from 'vitest/config'
import { LongestFirst } from './tests/support/longest-first.ts'

export default defineConfig({
  test: {
    include: ['tests/{unit,integration,http,browser}/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    // One more than the cores of a small machine: a file waits for its database and its browser a good part of the time.
    maxWorkers: 3,
    // Files share what a process has loaded and compiled: what a test changes, it puts back.
    isolate: false,
    // Ends a test that hangs; no test is judged by how long it takes.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
