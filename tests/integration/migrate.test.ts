import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, inject, onTestFinished, test } from 'vitest'
import { migrate } from '../../src/store/migrate.ts'
import { createDatabaseNamed } from '../support/database.ts'
import { query } from '../support/query.ts'
import { runSql } from '../support/sql.ts'

async function anEmptyDatabase(): Promise<string> {
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/migrate_${Math.random().toString(36).slice(2)}`
  await createDatabaseNamed(inject('postgresUrl'), url.pathname.slice(1))
  onTestFinished(() => runSql(inject('postgresUrl'), `drop database ${url.pathname.slice(1)}`))
  return url.href
}

function aDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'depeche-migrations-'))
  onTestFinished(() => {
    rmSync(path, { recursive: true })
  })
  return {
    url: pathToFileURL(`${path}/`),
    write: (name: string, text: string) => {
      writeFileSync(join(path, name), text)
    },
  }
}

const first = 'create table stories (id int primary key, title text);\n'

test('each migration has a number of its own', () => {
  const numbers = readdirSync('src/store/migrations').map((name) => name.slice(0, 4))
  expect(new Set(numbers).size).toBe(numbers.length)
})

test('a migration that was changed after it was applied is refused, before anything of the next is applied', async () => {
  const url = await anEmptyDatabase()
  const files = aDirectory()
  files.write('0001_stories.sql', first)
  expect(await migrate(url, files.url)).toEqual(['0001_stories.sql'])
  expect(await migrate(url, files.url)).toEqual([])
  files.write('0001_stories.sql', `${first}-- and a comment\n`)
  files.write('0002_more.sql', 'create table more (id int);')
  await expect(migrate(url, files.url)).rejects.toMatchObject({
    code: 'migration_changed',
    message: expect.stringContaining('0001_stories.sql is not the file') as string,
  })
  expect(await query(url, `select to_regclass('more') as found`)).toEqual([{ found: null }])
  files.write('0001_stories.sql', first)
  expect(await migrate(url, files.url)).toEqual(['0002_more.sql'])
})

test('what the version before applied has no checksum: it is recorded, not judged, and that version migrates beside it', async () => {
  const url = await anEmptyDatabase()
  const files = aDirectory()
  files.write('0001_stories.sql', first)
  await runSql(
    url,
    `create table migrations (name text primary key, applied_at timestamptz not null default now());
     insert into migrations (name) values ('0001_stories.sql'), ('0009_of_a_newer_version.sql')`,
  )
  expect(await migrate(url, files.url)).toEqual([])
  const sums = 'select name, sha256 is not null as known from migrations order by name'
  expect(await query(url, sums)).toEqual([
    { name: '0001_stories.sql', known: true },
    { name: '0009_of_a_newer_version.sql', known: false },
  ])
  files.write('0001_stories.sql', `${first}\n`)
  await expect(migrate(url, files.url)).rejects.toMatchObject({ code: 'migration_changed' })
})

test('a migration whose server goes away is named, and runs whole the next time', async () => {
  const url = await anEmptyDatabase()
  const files = aDirectory()
  files.write('0001_stories.sql', `${first}select pg_terminate_backend(pg_backend_pid());`)
  await expect(migrate(url, files.url)).rejects.toThrow(
    /0001_stories\.sql failed \(.*terminating connection.*\); nothing of it was applied$/,
  )
  files.write('0001_stories.sql', first)
  expect(await migrate(url, files.url)).toEqual(['0001_stories.sql'])
})

test('a migration without a transaction is stopped half-way and runs again; starters that wait are not in its way', async () => {
  const url = await anEmptyDatabase()
  const files = aDirectory()
  files.write('0001_stories.sql', `${first}insert into stories values (1, 'one'), (2, 'one');\n`)
  await migrate(url, files.url)
  files.write(
    '0002_title.sql',
    `-- no transaction
drop index concurrently if exists stories_title;
create unique index concurrently stories_title on stories (title);
`,
  )
  await expect(migrate(url, files.url)).rejects.toThrow(
    /^migration 0002_title\.sql failed \(could not create unique index .*\); it runs again from its first statement$/,
  )
  // What a stop leaves: an index that is there and answers nothing.
  const valid = `select indisvalid as valid from pg_index where indexrelid = 'stories_title'::regclass`
  expect(await query(url, valid)).toEqual([{ valid: false }])
  await runSql(url, 'delete from stories where id = 2')
  const applied = await Promise.all([1, 2, 3].map(() => migrate(url, files.url)))
  expect(applied.flat()).toEqual(['0002_title.sql'])
  expect(await query(url, valid)).toEqual([{ valid: true }])
})
