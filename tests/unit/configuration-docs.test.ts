import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { variableNames } from '../../src/config.ts'
import { workerNodeOptions } from '../../src/embedded/supervisor.ts'

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

test('docs/configuration.md lists every variable, and no other', () => {
  const listed = [...read('docs/configuration.md').matchAll(/^\| `([A-Z][A-Z0-9_]*)` \|/gm)].map(
    ([, name]) => name,
  )
  expect(listed.sort()).toEqual([...variableNames].sort())
})

test('the compose file sets only variables that exist and runs only files that exist', () => {
  const compose = read('docker-compose.yml')
  const environment = /x-environment:[^]*?\n\n/.exec(compose)?.[0] ?? ''
  const set = [...environment.matchAll(/^ {2}([A-Z][A-Z0-9_]*):/gm)].map(([, name = '']) =>
    name.replace(/_FILE$/, ''),
  )
  expect(set.length).toBeGreaterThan(5)
  for (const name of set) expect(variableNames).toContain(name)
  // What stands in .env is heard, but for where the container listens.
  const fixed = [...environment.matchAll(/^ {2}([A-Z][A-Z0-9_]*): (?!\$\{\1:?-)/gm)].map(([, name]) => name)
  expect(fixed).toEqual(['HOST', 'METRICS_HOST'])
  for (const [file] of compose.matchAll(/(?:src|workers)\/[\w/-]+\.ts/g))
    expect(existsSync(file), file).toBe(true)
  // A worker elsewhere needs no more memory than one of `npm start`.
  expect(compose).toContain(`command: [node, ${workerNodeOptions.join(', ')}, workers/main.ts]`)
})
