import { expect, onTestFinished, test } from 'vitest'
import { startMetricsServer } from '../../src/http/metrics-server.ts'
import { findFreePort } from '../../src/embedded/ports.ts'
import { eventually } from '../support/installation.ts'
import { aWeb } from '../support/web.ts'

const json = async (answer: Response) => (await answer.json()) as Record<string, unknown>

test('HEALTH-1 /healthz asks nobody; /readyz refuses only while starting or draining', async () => {
  const { fetch, context } = await aWeb({ env: { SMTP_URL: '' } })
  expect(await json(await fetch('/healthz'))).toEqual({ status: 'up' })

  const starting = await fetch('/readyz')
  expect(starting.status).toBe(503)
  expect(await json(starting)).toMatchObject({ status: 'starting' })

  context.lifecycle.markReady()
  const ready = await fetch('/readyz')
  expect(ready.status).toBe(200)
  expect(ready.headers.get('cache-control')).toBe('no-store')
  expect(await json(ready)).toEqual({
    status: 'ready',
    postgres: 'up',
    queue: 'up',
    smtp: 'unknown',
    held: false,
    oldestWaitingSeconds: 0,
  })

  context.lifecycle.drain()
  expect((await fetch('/readyz')).status).toBe(503)
  expect(context.lifecycle.draining.aborted).toBe(true)
})

test('HEALTH-2 an SMTP server that is away is told, and refuses nothing', async () => {
  const { fetch, context } = await aWeb({ env: { SMTP_URL: `smtp://127.0.0.1:${await findFreePort()}` } })
  context.lifecycle.markReady()
  const answer = await fetch('/readyz')
  expect(answer.status).toBe(200)
  expect(await json(answer)).toMatchObject({ smtp: 'down', postgres: 'up' })
})

test('HEALTH-3 the age of the oldest waiting work is told', async () => {
  const { fetch, context } = await aWeb()
  context.lifecycle.markReady()
  await context.database.transaction(async ({ outbox }) => {
    await outbox.insert({ kind: 'desk-notice', address: 'desk@rivage.example', language: 'fr' })
  })
  await eventually(
    async () => Number((await json(await fetch('/readyz')))['oldestWaitingSeconds']) > 0,
    'work waits',
  )
})

test('HEALTH-4 metrics name routes and never URLs, and tell what answers', async () => {
  const { fetch, context } = await aWeb()
  const { metrics, services, log } = context
  const port = await findFreePort()
  const server = startMetricsServer({ metrics, health: services.health, log, port, host: '127.0.0.1' })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await fetch('/desk/sign-in/0123456789abcdef0123456789abcdef')
  const scrape = async () => (await globalThis.fetch(`http://127.0.0.1:${port}/metrics`)).text()
  await eventually(
    async () => (await scrape()).includes('route="/desk/sign-in/:token"'),
    'the request is counted',
  )
  const text = await scrape()
  expect(text).not.toContain('0123456789abcdef')
  expect(text).toContain('depeche_up{part="postgres"} 1')
  expect(text).toContain('depeche_oldest_waiting_seconds 0')
  expect((await globalThis.fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
})

test('HEALTH-5 every answer has an X-Request-Id; a plausible one of the proxy is kept', async () => {
  const { fetch } = await aWeb()
  expect((await fetch('/healthz')).headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
  expect((await fetch('/no/such')).headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
  const idOf = async (id: string) =>
    (await fetch('/healthz', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  expect(await idOf('proxy-12345678')).toBe('proxy-12345678')
  expect(await idOf('a b"c<d> injected')).toMatch(/^[\w-]{36}$/)
})
