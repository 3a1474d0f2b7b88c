import { defineConfig } from 'vitest/config'

/**
 * The long form: as many kills and readers as the promises name, and Debian's pg_restore. One file at a time, for they
 * all want the machine.
 */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['tests/{faults,restores}/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    env: { FAULTS: 'long' },
    maxWorkers: 1,
    testTimeout: 30 * 60_000,
    hookTimeout: 120_000,
  },
})
