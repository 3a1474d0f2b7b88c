import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const tableNames = [...readFileSync('docs/schema.sql', 'utf8').matchAll(/^create table (\w+)/gm)].map(
  ([, name]) => name ?? '',
)

function avoidedWords(): string[] {
  const rows = readFileSync('docs/glossary.md', 'utf8').split('\n').slice(5)
  return rows.flatMap((row) => row.split('|')[3]?.split(',') ?? []).map((word) => word.trim())
}

test('no table is named by a word that the glossary avoids', () => {
  const avoided = new Set(avoidedWords().filter(Boolean))
  expect(avoided.size).toBeGreaterThan(15)
  expect(tableNames.length).toBeGreaterThan(25)
  const offending = tableNames.filter((name) =>
    name.split('_').some((part) => avoided.has(part) || avoided.has(part.replace(/s$/, ''))),
  )
  expect(offending).toEqual([])
})
