import { defineConfig } from 'vitest/config'
import { LongestFirst } from '../support/longest-first.ts'

/** What starts whole processes: `npm start`, the command line, workers that are killed in the short form of each suite. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['tests/{processes,faults}/**/*.test.ts'],
    // With the engines, where there is time for it.
    exclude: ['tests/faults/servers.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    maxWorkers: 3,
    isolate: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
