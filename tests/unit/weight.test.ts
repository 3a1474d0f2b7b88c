import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { listExcesses, weigh } from '../checks/weight.ts'

function aProject(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'depeche-weight-'))
  onTestFinished(() => {
    rmSync(root, { recursive: true })
  })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

test('a project is weighed by its lines, its dependencies and what is installed for production alone', () => {
  const root = aProject({
    'src/app.ts': '1\n2\n',
    'src/store/schema.sql': '1\n',
    'workers/main.ts': '1\n',
    'tests/long.test.ts': '1\n2\n3\n4\n',
    'package.json': '{"dependencies":{"a":"1"},"devDependencies":{"tool":"1"}}',
    'package-lock.json': JSON.stringify({
      packages: {
        '': {},
        'node_modules/a': {},
        'node_modules/a/node_modules/b': {},
        'node_modules/tool': { dev: true },
        'node_modules/of-another-system': { optional: true },
      },
    }),
    'node_modules/a/index.js': 'a'.repeat(2 * 1024 ** 2),
    'node_modules/a/node_modules/b/index.js': 'b'.repeat(1024 ** 2),
    'node_modules/tool/index.js': 't'.repeat(8 * 1024 ** 2),
  })
  // Three for the files, and the blocks of their folders.
  expect(weigh(root)).toEqual({ lines: 4, dependencies: 1, megabytes: 4 })
})

test('what is heavier than agreed is refused, each with a sentence', () => {
  expect(listExcesses({ lines: 42_000, dependencies: 32, megabytes: 230 })).toEqual([])
  expect(listExcesses({ lines: 42_001, dependencies: 33, megabytes: 231 })).toEqual([
    expect.stringContaining('42001 lines'),
    expect.stringContaining('33 runtime dependencies'),
    expect.stringContaining('231 MB'),
  ])
})
