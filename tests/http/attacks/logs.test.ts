import { expect, onTestFinished, test, vi } from 'vitest'
import { createLogger } from '../../../src/log.ts'
import { startWorking } from '../../../workers/working.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { rowsOf } from '../../support/query.ts'
import { aSmtpSink } from '../../support/smtp-sink.ts'
import { aWeb } from '../../support/web.ts'

const reader = 'amina@reader.example'

function aLog() {
  const lines: string[] = []
  return { lines, log: createLogger('trace', 'web', { destination: { write: (line) => lines.push(line) } }) }
}

test('a mail server that names the person it refuses, a broken import and a broken body leave no address in the log', async () => {
  const { lines, log } = aLog()
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: `550 5.1.1 <${reader}>: no such person` })
  const web = await aWeb({ env: { SMTP_URL: sink.url }, log })
  const newsletter = await aNewsletter(web.context.database)
  const working = await startWorking(web.context)
  onTestFinished(() => working.drain())

  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ email: reader, newsletters: [newsletter.slug] })
  expect((await web.fetch('/subscribe', { method: 'POST', headers, body })).status).toBe(202)
  await vi.waitFor(async () => {
    expect(await rowsOf(web, "select state from outbox where state = 'rejected'")).toHaveLength(1)
  }, 60_000)

  const call = await web.api('admin')
  for (const csv of [`email\n"${reader}`, `name\n${reader}`, `email\n${reader}\n${reader},x,y,z,${reader}\n`])
    await (await call('POST', '/subscribers/import', csv, { 'content-type': 'text/csv' })).body?.cancel()
  for (const broken of [`{"email":"${reader}`, `{"${reader}":1}`, `{"email":"${reader}\\u0000"}`])
    expect((await call('POST', '/suppressions', broken)).status).toBeLessThan(500)
  expect((await web.fetch(`/subscribe?email=${reader}`)).status).toBeLessThan(500)

  expect(lines.length).toBeGreaterThan(5)
  for (const line of lines) expect(line).not.toContain(reader)
})

test('what PostgreSQL tells of a row is not in the log: it holds the values', async () => {
  const { lines, log } = aLog()
  const web = await aWeb()
  const add = () =>
    rowsOf(web, 'insert into editors (email, role, language) values ($1, $2, $3)', [reader, 'admin', 'fr'])
  await add()
  const error: unknown = await add().catch((thrown: unknown) => thrown)
  expect(JSON.stringify(error)).toContain(reader)
  log.error({ err: error }, 'request failed')
  log.warn({ reason: `refused <${reader}>` }, 'refused')
  expect(lines.join('')).toContain('23505')
  expect(lines.join('')).not.toContain(reader)
})
