import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { depeche } from '../support/cli.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { spawnWorker } from '../support/worker-process.ts'

async function aNewsroom(csv: string) {
  const url = await cloneDatabase()
  await aNewsletter(openTestDatabase(url), { slug: 'le-matin' })
  const worker = await spawnWorker({
    databaseUrl: url,
    smtpUrl: 'smtp://127.0.0.1:1',
    connections: 1,
    leaseSeconds: 60,
  })
  onTestFinished(() => worker.kill())
  const directory = mkdtempSync('/var/tmp/depeche-csv-')
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  const file = join(directory, 'readers.csv')
  writeFileSync(file, csv)
  return { url, file, directory, subscriber: (...args: string[]) => depeche(url, ['subscriber', ...args]) }
}

test('subscriber import reports a dry run and changes nothing; then everybody is pending, or active on a basis', async () => {
  const { url, file, subscriber } = await aNewsroom('email\namina@reader.example\nnobody\n')
  const dry = await subscriber('import', file, '--dry-run', '--json')
  expect([dry.code, JSON.parse(dry.stdout)]).toMatchObject([
    0,
    { state: 'done', dryRun: true, report: { rows: 2, pending: 1, invalid: 1, errors: [{ line: 3 }] } },
  ])
  expect(await query(url, 'select id from subscribers')).toEqual([])
  const done = await subscriber('import', file)
  expect(done.code).toBe(0)
  expect(done.stdout).toMatch(/pending, an activation mail follows\s+1\b/)
  expect(done.stdout).toContain('line 3: email is not one e-mail address')
  writeFileSync(file, 'email\nomar@reader.example\n')
  await subscriber('import', file, '--consent-basis', 'moved from our old system')
  expect(await query(url, 'select state from subscriptions order by subscriber_id')).toEqual([
    { state: 'pending' },
    { state: 'active' },
  ])
})

test('subscriber export writes a file for its owner alone, and the same to stdout', async () => {
  const { file, directory, subscriber } = await aNewsroom('email\namina@reader.example\n')
  await subscriber('import', file, '--consent-basis', 'moved from our old system')
  const target = join(directory, 'export.csv')
  expect((await subscriber('export', target)).code).toBe(0)
  const text = readFileSync(target, 'utf8')
  expect(text.split('\n')[1]).toMatch(/^amina@reader\.example,fr,le-matin,,daily,false,active,,/)
  expect((await subscriber('export')).stdout).toBe(text)
})

test('subscriber explain tells of one person; a stranger, a missing file and a file without a header are said', async () => {
  const { file, subscriber } = await aNewsroom('email\namina@reader.example\n')
  await subscriber('import', file, '--consent-basis', 'moved from our old system')
  const told = await subscriber('explain', 'Amina@reader.example')
  expect(told.code).toBe(0)
  expect(told.stdout).toMatch(/le-matin\s+active\s+daily/)
  expect(told.stdout).toContain('imported')
  const json = JSON.parse((await subscriber('explain', 'amina@reader.example', '--json')).stdout) as object
  expect(json).toMatchObject({ subscriptions: [{ newsletter: 'le-matin', state: 'active' }] })
  expect((await subscriber('explain', 'omar@reader.example')).code).toBe(1)
  expect((await subscriber('import', `${file}.missing`)).code).toBe(2)
  writeFileSync(file, 'name\nAmina\n')
  const broken = await subscriber('import', file)
  expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('email') as string])
})
