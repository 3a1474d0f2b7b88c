import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import { anArticle } from '../support/articles.ts'
import { depeche } from '../support/cli.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { spawnWeb } from '../support/web-process.ts'

/** A web process with a newsletter, its readers and articles, and a key that may do everything. */
async function aNewsroom() {
  const databaseUrl = await cloneDatabase()
  const database = openTestDatabase(databaseUrl)
  const newsletter = await aNewsletter(database)
  for (let made = 0; made < 3; made += 1) {
    await aSubscriber(database, { newsletter })
    await anArticle(database)
  }
  const { stdout } = await depeche(databaseUrl, [
    'key',
    'create',
    '--role',
    'admin',
    '--name',
    'schemathesis',
  ])
  const { url } = await aSmtpSink()
  const port = await findFreePort()
  const NODE_OPTIONS = `--import=${new URL('stays-here.ts', import.meta.url).href}`
  const child = await spawnWeb({ databaseUrl, port, env: { SMTP_URL: url, NODE_OPTIONS } })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return { key: stdout.trim(), origin: `http://127.0.0.1:${port}` }
}

const program = new URL('../../node_modules/.cache/schemathesis/bin/schemathesis', import.meta.url).pathname

/** What Schemathesis says of an API that shows its description, as all else, to a key alone. */
async function schemathesis(api: string, key: string): Promise<{ code: unknown; output: string }> {
  const folder = mkdtempSync('/var/tmp/depeche-api-')
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const description = await fetch(`${api}/openapi.json`, { headers: { authorization: `Bearer ${key}` } })
  expect(description.status).toBe(200)
  writeFileSync(`${folder}/openapi.json`, await description.text())
  const seed = process.env['SEED']
  const env = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', API_KEY: key }
  return new Promise((resolve) => {
    execFile(
      program,
      ['run', `${folder}/openapi.json`, '--url', api, ...(seed ? ['--seed', seed] : [])],
      { cwd: import.meta.dirname, env, maxBuffer: 2 ** 30 },
      (error, stdout, stderr) => {
        resolve({ code: error ? error.code : 0, output: stdout + stderr })
      },
    )
  })
}

test('the API answers as its OpenAPI document says', async () => {
  const { key, origin } = await aNewsroom()
  const { code, output } = await schemathesis(`${origin}/api/v1`, key)
  expect(code, output).toBe(0)
  // A run that has asked for little ends well, too.
  const [, selected, tested] = /Selected: (\d+)\/\d+\n +Tested: (\d+)/.exec(output) ?? []
  expect(Number(tested)).toBeGreaterThan(60)
  expect(tested).toBe(selected)
  expect(output).toMatch(/^ {2}(\d+) generated, \1 passed/m)
})
