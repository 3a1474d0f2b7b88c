import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { createContext, type Context } from '../../src/context.ts'
import { checkDatabase } from '../../src/doctor/checks.ts'
import { findFreePort } from '../../src/embedded/ports.ts'
import { createLogger } from '../../src/log.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'
import { aDebianCluster, aPooler } from '../support/debian-cluster.ts'
import { depeche } from '../support/cli.ts'
import { anEngineRoom, type EngineRoom } from '../support/engine-room.ts'
import { aHaproxy } from '../support/haproxy.ts'
import { query } from '../support/query.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

/** Asks for pages, and signs people up, until it is told to end. */
function knock(origin: string) {
  const statuses = new Map<string, number>()
  const end = new AbortController()
  const ask = async (what: string, path: string, init?: RequestInit) => {
    const { status, headers } = await fetch(origin + path, { redirect: 'manual', ...init })
    const told = `${what} ${status}${status === 503 ? ` after ${headers.get('retry-after')}` : ''}`
    statuses.set(told, (statuses.get(told) ?? 0) + 1)
  }
  const going = (async () => {
    for (let n = 0; !end.signal.aborted; n++) {
      const body = new URLSearchParams({
        email: `n${n}@reader.example`,
        newsletters: 'le-matin',
        language: 'fr',
      })
      await Promise.all([ask('page', '/'), ask('signup', '/subscribe', { method: 'POST', body })])
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })()
  return async () => {
    end.abort()
    await going
    return Object.fromEntries(statuses)
  }
}

/** A story that is written there is in the feed of each of the processes. */
async function expectFeeds(directUrl: string, origins: string[], title: string): Promise<void> {
  const context = createContext(aConfig(directUrl), { log: createLogger('silent', 'cli'), process: 'worker' })
  onTestFinished(() => context.close())
  await context.services.articles.put('x:1', { title, html: '<p>…</p>', language: 'fr' })
  for (const origin of origins) {
    await until(`the feed of ${origin} has it`, async () =>
      (await (await fetch(`${origin}/rss.xml`)).text()).includes(title),
    )
  }
}

async function aPair() {
  const primary = await aDebianCluster()
  await migrate(primary.url)
  await migrateQueue({ kind: 'postgres', url: primary.url })
  const standby = await primary.standby()
  const databaseUrl = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres`
  return { primary, standby, databaseUrl }
}

test('a standby takes over in the middle of a digest: three workers, the queue in PostgreSQL, and never a 500', async () => {
  const { primary, standby, databaseUrl } = await aPair()
  let isOver = false
  const room: EngineRoom = await anEngineRoom({
    databaseUrl,
    plainUrl: () => (isOver ? standby : primary).url,
  })
  for (let n = 0; n < 3; n++) await room.startWorker()
  const origins = [await room.startWeb(), await room.startWeb()]
  const digestId = await room.beginDigest()
  await room.untilCopies(150)
  const stop = knock(origins[0] ?? '')
  primary.crash()
  await until(
    'pages say that the database is away',
    async () => (await fetch(`${origins[0]}/`)).status === 503,
  )
  standby.promote()
  isOver = true
  await until('pages are back', async () => (await fetch(`${origins[0]}/`)).status === 200)
  await room.expectAllOnce('PostgreSQL, standby promoted', digestId)
  await expectFeeds(standby.url, origins, 'Le phare')
  const statuses = await stop()
  console.log(JSON.stringify(statuses))
  expect(
    Object.keys(statuses)
      .filter((status) => / 5\d\d/.test(status))
      .sort(),
  ).toEqual(['page 503 after 10', 'signup 503 after 10'])
})

test('the machine of the primary is gone and says nothing more: its standby takes over, and who waits is told to come back', async () => {
  const { primary, standby } = await aPair()
  const network = await startTcpProxy(primary.port)
  onTestFinished(() => network.close())
  let isOver = false
  const room = await anEngineRoom({
    databaseUrl: `postgres://postgres@127.0.0.1:${network.port},127.0.0.1:${standby.port}/postgres`,
    plainUrl: () => (isOver ? standby : primary).url,
  })
  await room.startWorker()
  await room.startWorker()
  const origin = await room.startWeb()
  const digestId = await room.beginDigest()
  await room.untilCopies(150)
  const stop = knock(origin)
  network.setMode('frozen')
  primary.crash()
  standby.promote()
  isOver = true
  await room.expectAllOnce('PostgreSQL, its machine silent', digestId)
  await until('pages are back', async () => (await fetch(`${origin}/`)).status === 200)
  const failures = Object.keys(await stop()).filter((status) => / 5\d\d/.test(status))
  expect(failures.filter((status) => !/ 503 after (5|10)$/.test(status))).toEqual([])
})

/** What Patroni tells at its port 8008: 200 where the server takes writes, and it is told of. */
async function aJudge(url: string, isTold = () => true): Promise<number> {
  const judge = createServer((request, response) => {
    const isPrimary = query<{ yes: boolean }>(url, 'select not pg_is_in_recovery() as yes').then(
      ([row]) => row?.yes === true && isTold() && request.url === '/primary',
      () => false,
    )
    void isPrimary.then((yes) => response.writeHead(yes ? 200 : 503).end())
  })
  await once(judge.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void judge.close())
  return (judge.address() as AddressInfo).port
}

/** A room whose processes know of one address, which is the HAProxy's that is shipped. */
async function aProxiedRoom() {
  const { primary, standby } = await aPair()
  const port = await findFreePort()
  const state = { isOver: false }
  await aHaproxy({
    'bind :5432': `bind 127.0.0.1:${port}`,
    'db1.internal:5432 check port 8008': `127.0.0.1:${primary.port} check port ${await aJudge(primary.url)}`,
    'db2.internal:5432 check port 8008': `127.0.0.1:${standby.port} check port ${await aJudge(standby.url, () => state.isOver)}`,
  })
  const databaseUrl = `postgres://postgres@127.0.0.1:${port}/postgres`
  await until('the proxy leads to the primary', () =>
    query(databaseUrl, 'select').then(
      () => true,
      () => false,
    ),
  )
  const room = await anEngineRoom({ databaseUrl, plainUrl: () => (state.isOver ? standby : primary).url })
  await room.startWorker()
  await room.startWorker()
  const digestId = await room.beginDigest()
  await room.untilCopies(150)
  primary.crash()
  standby.promote()
  const tellProxy = () => {
    state.isOver = true
  }
  return { room, databaseUrl, digestId, standby, tellProxy }
}

test('the HAProxy that is shipped leads to the promoted standby in the middle of a digest', async () => {
  const { room, digestId, tellProxy } = await aProxiedRoom()
  tellProxy()
  await room.expectAllOnce('PostgreSQL behind HAProxy, standby promoted', digestId)
})

test('a standby that takes over after more than five minutes holds all mail until a person has confirmed', async () => {
  const { room, databaseUrl, digestId, standby, tellProxy } = await aProxiedRoom()
  await query(standby.url, `update instance_guard set beat_at = beat_at - interval '301 seconds'`)
  tellProxy()
  const origin = await room.startWeb()
  await until('what is on its way is held', async () => {
    const rows = await room.query(`select from digests where state = 'paused' and paused_reason = 'restored'`)
    return rows.length === 1
  })
  // Whoever finds it out first holds everything; a worker writes down why it claims nothing with its next heartbeat.
  const readiness = await until('a worker says why it claims nothing', async () => {
    const answer = (await (await fetch(`${origin}/readyz`)).json()) as { obstacles?: string[] }
    return answer.obstacles?.includes('restored') && answer
  })
  expect(readiness).toMatchObject({ held: true, obstacles: ['restored'] })
  const context = createContext(aConfig(databaseUrl), {
    log: createLogger('silent', 'cli'),
    process: 'worker',
  })
  onTestFinished(() => context.close())
  expect((await checkDatabase(context)).findings).toContainEqual({
    name: 'restored',
    verdict: 'no',
    sentence: expect.stringContaining('until `bin/depeche restore confirm`') as string,
  })
  const before = room.copies()
  expect(await depeche(databaseUrl, ['restore', 'confirm'])).toMatchObject({ code: 0 })
  await room.expectAllOnce('PostgreSQL, standby promoted after five minutes', digestId)
  expect(before).toBeLessThan(600)
})

test('a web process on a standby says so, and doctor that a standby hears of commits afterwards', async () => {
  const { primary, standby } = await aPair()
  const room = await anEngineRoom({ databaseUrl: standby.url })
  const origin = await room.startWeb()
  expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({ postgres: 'read_only' })

  const context = createContext(aConfig(primary.url), {
    log: createLogger('silent', 'cli'),
    process: 'worker',
  })
  onTestFinished(() => context.close())
  const isBehind = async () => (await checkDatabase(context)).findings.some(({ name }) => name === 'standby')
  expect(await isBehind()).toBe(false)
  await query(primary.url, `alter system set synchronous_standby_names = ''`)
  await query(primary.url, 'select pg_reload_conf()')
  await until('doctor says that commits are not waited for', isBehind)
})

test('PgBouncer in transaction mode: pages, sign-ups, feeds and a digest, and fifty readers while a row is held', async () => {
  const directUrl = await cloneDatabase()
  const databaseUrl = await aPooler(directUrl)
  const env = { DATABASE_DIRECT_URL: directUrl }
  const room = await anEngineRoom({ databaseUrl, plainUrl: () => directUrl, env })
  await room.startWorker()
  const origin = await room.startWeb()
  const digestId = await room.beginDigest()
  await room.untilCopies(50)
  await expectFeeds(directUrl, [origin], 'Par le bassin')
  const holder = new pg.Client({ connectionString: directUrl })
  await holder.connect()
  await holder.query('begin')
  await holder.query('select from digests where id = $1 for update', [digestId])
  const stop = knock(origin)
  const heldUntil = Date.now() + 15_000
  const asked: Promise<number>[] = []
  const context = createContext(aConfig(directUrl), { log: createLogger('silent', 'cli'), process: 'worker' })
  onTestFinished(() => context.close())
  const { key } = await context.services.keys.create(
    { name: 'x', role: 'viewer' },
    { kind: 'cli', role: 'admin' },
  )
  for (let n = 0; n < 50; n++) {
    const headers = { authorization: `Bearer ${key}` }
    asked.push(fetch(`${origin}/api/v1/digests/${digestId}`, { headers }).then(({ status }) => status))
  }
  expect(new Set(await Promise.all(asked))).toEqual(new Set([200]))
  expect(Date.now(), 'the row was held all the while').toBeLessThan(heldUntil)
  await holder.query('rollback')
  await holder.end()
  expect(Object.keys(await stop()).filter((status) => / 5\d\d/.test(status))).toEqual([])
  await room.expectAllOnce('PgBouncer, transaction mode', digestId)

  const unset = createContext(aConfig(databaseUrl), { log: createLogger('silent', 'cli'), process: 'worker' })
  onTestFinished(() => unset.close())
  const nameOf = async (of: Context) => (await checkDatabase(of)).findings.map(({ name }) => name)
  expect(await nameOf(unset)).toContain('pooler')
  const set = createContext(aConfig(databaseUrl, env), {
    log: createLogger('silent', 'cli'),
    process: 'worker',
  })
  onTestFinished(() => set.close())
  expect(await nameOf(set)).not.toContain('pooler')

  const refused = await depeche(databaseUrl, ['migrate'])
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Set DATABASE_DIRECT_URL') as string,
  })
  expect(await room.query(`select from pg_locks where locktype = 'advisory' and objid = 7236411`)).toEqual([])
  expect(await depeche(databaseUrl, ['migrate'], env)).toMatchObject({ code: 0 })
})

test('PgBouncer: what others leave behind in its connections, as a dump does, is not what pages are answered with', async () => {
  const directUrl = await cloneDatabase()
  const databaseUrl = await aPooler(directUrl)
  const room = await anEngineRoom({ databaseUrl, env: { DATABASE_DIRECT_URL: directUrl } })
  const origin = await room.startWeb()
  // All five that it has, each held until all have it.
  const others = Array.from({ length: 5 }, () => new pg.Client({ connectionString: databaseUrl }))
  for (const other of others) {
    await other.connect()
    await other.query('begin')
    await other.query(`select set_config('search_path', '', false)`)
  }
  for (const other of others) {
    await other.query('commit')
    await other.end()
  }
  for (let n = 0; n < 5; n++) expect((await fetch(`${origin}/newsletters`)).status).toBe(200)
})

test('a worker that is told to end while PostgreSQL is away ends without a failure', async () => {
  const plainUrl = await cloneDatabase()
  const network = await startTcpProxy(Number(new URL(plainUrl).port))
  onTestFinished(() => network.close())
  const url = new URL(plainUrl)
  url.port = String(network.port)
  const room = await anEngineRoom({ databaseUrl: url.href, plainUrl: () => plainUrl, readers: 10 })
  const worker = await room.startWorker()
  await room.expectAllOnce('a worker that ends', await room.beginDigest())
  network.setMode('refusing')
  await room.drain(worker)
  expect(worker.exitCode).toBe(0)
  expect(room.logLines().filter((line) => line.includes('drain failed'))).toEqual([])
})
