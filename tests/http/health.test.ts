import { expect, onTestFinished, test } from 'vitest'
import type { Context } from '../../src/context.ts'
import { startMetricsServer } from '../../src/http/metrics-server.ts'
import { findFreePort } from '../../src/embedded/ports.ts'
import { eventually } from '../support/installation.ts'
import { DatabaseClient } from '../../src/store/client.ts'
import { aRedis } from '../support/redis.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import { cloneDatabase } from '../support/database.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { aWeb } from '../support/web.ts'

/** The metrics server of a process, read at a path. */
async function metricsOf({ metrics, services, log }: Context) {
  const port = await findFreePort()
  const server = startMetricsServer({ ...services, metrics, log, port, host: '127.0.0.1' })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return async (path = '/metrics') => (await fetch(`http://127.0.0.1:${port}${path}`)).text()
}

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
    await outbox.insert({ kind: 'address-changed', address: 'desk@rivage.example', language: 'fr' })
  })
  await eventually(
    async () => Number((await json(await fetch('/readyz')))['oldestWaitingSeconds']) > 0,
    'work waits',
  )
})

test('HEALTH-4 metrics name routes and never URLs, and tell what answers', async () => {
  const { fetch, context } = await aWeb()
  const scrape = await metricsOf(context)
  await fetch('/desk/sign-in/0123456789abcdef0123456789abcdef')
  await eventually(
    async () => (await scrape()).includes('route="/desk/sign-in/:token"'),
    'the request is counted',
  )
  const text = await scrape()
  expect(text).not.toContain('0123456789abcdef')
  expect(text).toContain('depeche_up{part="postgres"} 1')
  expect(text).toContain('depeche_oldest_waiting_seconds 0')
  expect(text).toContain('depeche_queue_waiting{queue="deliver-mail"} 0')
  expect(text).toContain('depeche_feed_lag_seconds 0')
  expect(text).toMatch(/depeche_database_connections\{pool="common",state="idle"\} [1-9]/)
  expect(JSON.parse(await scrape('/healthz'))).toEqual({ status: 'up' })
})

test('a metric whose server does not answer is absent: it does not stay what it was', async () => {
  const redis = await aRedis()
  const databaseUrl = await cloneDatabase()
  const network = await startTcpProxy(Number(new URL(databaseUrl).port))
  onTestFinished(() => network.close())
  const url = new URL(databaseUrl)
  url.port = String(network.port)
  const { context } = await aWeb({ databaseUrl: url.href, env: { REDIS_URL: redis.url } })
  const scrape = await metricsOf(context)
  const told = async (): Promise<string[]> =>
    (await scrape()).match(/^depeche_(queue_waiting|feed_lag_seconds|oldest_waiting_seconds)\b/gm) ?? []
  expect([...new Set(await told())].sort()).toEqual([
    'depeche_feed_lag_seconds',
    'depeche_oldest_waiting_seconds',
    'depeche_queue_waiting',
  ])
  await redis.stop()
  await eventually(
    async () => !(await told()).includes('depeche_queue_waiting'),
    'nobody knows what waits in Redis',
  )
  network.setMode('refusing')
  await eventually(async () => (await told()).length === 0, 'nor what waits in PostgreSQL')
  network.setMode('open')
  await redis.startAgain()
  await eventually(async () => (await told()).length > 2, 'all is told again')
})

test('HEALTH-6 metrics tell where digests stand: by state, late, missed, refused; those that ended are not counted again', async () => {
  const databaseUrl = await cloneDatabase()
  const { digestId, newsletterId } = await aSendingDigest(databaseUrl, { readers: 10 })
  await query(
    databaseUrl,
    `update deliveries set state = case when subscriber_id % 5 = 0 then 'rejected' else 'accepted' end
     where subscriber_id % 2 = 0`,
  )
  await query(
    databaseUrl,
    `insert into digests (newsletter_id, cadence, state, send_at) values
      ($1, 'daily', 'draft', now() - interval '30 minutes'), ($1, 'daily', 'scheduled', now() - interval '5 minutes'),
      ($1, 'daily', 'missed', now() - interval '3 hours'), ($1, 'daily', 'missed', now() - interval '3 days'),
      ($1, 'daily', 'draft', now() + interval '1 day'), ($1, 'daily', 'draft', null)`,
    [newsletterId],
  )
  const { context } = await aWeb({ databaseUrl })
  const scrape = await metricsOf(context)
  const lines = (await scrape()).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'depeche_held 0',
      'depeche_digests{state="sending"} 1',
      'depeche_digests{state="draft"} 3',
      'depeche_digests{state="missed"} 2',
      'depeche_digests{state="completed"} 0',
      'depeche_digests_late 1',
      'depeche_digests_missed 1',
      'depeche_deliveries{state="pending"} 5',
      'depeche_deliveries{state="accepted"} 4',
      'depeche_deliveries{state="rejected"} 1',
      'depeche_digest_reject_share 0.2',
    ]),
  )
  const oldest = Number(/^depeche_digest_oldest_due_seconds (.+)$/m.exec(lines.join('\n'))?.[1])
  expect(Math.abs(oldest - 1_800)).toBeLessThan(300)
  await query(databaseUrl, `update digests set state = 'completed' where id = $1`, [digestId])
  const { deliveries } = await context.database.stores.digestNumbers.get()
  expect(deliveries).toEqual({})
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

test('HEALTH-8 a worker that cannot send is not up, and names the cause; /readyz of a web process tells it too', async () => {
  const { context, fetch } = await aWeb()
  const { presence, health } = context.services
  const port = await findFreePort()
  const findObstacle = () => health.findObstacle()
  const server = startMetricsServer({
    ...context,
    ...context.services,
    findObstacle,
    port,
    host: '127.0.0.1',
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const healthz = async () => {
    const answer = await globalThis.fetch(`http://127.0.0.1:${port}/healthz`)
    return [answer.status, await answer.json()]
  }
  expect(await healthz()).toEqual([503, { status: 'down', cause: 'starting' }])
  await presence.beat()
  expect(await healthz()).toEqual([200, { status: 'up' }])
  await query(context.config.databaseUrl, 'update instance_guard set held_at = now()')
  await presence.beat()
  await presence.tell(await health.findObstacle())
  expect(await healthz()).toEqual([503, { status: 'down', cause: 'restored' }])
  context.lifecycle.markReady()
  const ready = await fetch('/readyz')
  expect([ready.status, await json(ready)]).toMatchObject([200, { held: true, obstacles: ['restored'] }])
  await query(context.config.databaseUrl, 'update instance_guard set held_at = null')
  await presence.beat()
  expect(await healthz()).toEqual([200, { status: 'up' }])
})

test('a server that does not know us, such as a standby with other passwords that took over, is away: 503 with Retry-After', async () => {
  const url = new URL(await cloneDatabase())
  url.password = 'another'
  // The first is gone.
  const several = url.href.replace('@', '@127.0.0.1:1,')
  for (const databaseUrl of [url.href, several]) {
    const { fetch } = await aWeb({ databaseUrl, hasNewsroom: true })
    const { status, headers } = await fetch('/newsletters')
    expect([status, headers.get('retry-after')]).toEqual([503, '10'])
  }
  await expect(new DatabaseClient({ connectionString: several }).connect()).rejects.toMatchObject({
    code: '28P01',
  })
})
