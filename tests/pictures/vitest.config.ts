import { defineConfig } from 'vitest/config'

/** Not a test of anything: draws the pictures of docs/desk.md anew, from a newsroom's first hour. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['tests/pictures/*.ts'],
    exclude: ['tests/pictures/vitest.config.ts'],
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
})
