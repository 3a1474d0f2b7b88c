import { defineConfig } from 'vitest/config'

/** Each page is read with axe in every width and light, by hand before a release; `npm test` reads it once a language. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['tests/browser/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    env: { AXE: 'full' },
    maxWorkers: 2,
    testTimeout: 15 * 60_000,
    hookTimeout: 120_000,
  },
})
