import { Redis } from 'ioredis'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { cloneDatabase } from '../support/database.ts'
import { reconcileMs } from '../../workers/working.ts'
import { anArena, isLong, judge } from '../support/fault-arena.ts'
import { query } from '../support/sending-digest.ts'
import { aRedis } from '../support/redis.ts'
import { aCluster } from '../support/cluster.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const timeout = 30 * 60_000

/** The same database behind a proxy. */
async function behindProxy(databaseUrl: string) {
  const url = new URL(databaseUrl)
  const proxy = await startTcpProxy(Number(url.port))
  onTestFinished(() => proxy.close())
  url.port = String(proxy.port)
  return { proxy, url: url.href }
}

test('P3 PostgreSQL crashes: nothing lost, nothing twice', { timeout }, async () => {
  const crashes = isLong ? 10 : 2
  const readers = isLong ? 6_000 : 500
  const cluster = await aCluster()
  const arena = await anArena({ readers, leaseSeconds: 10, databaseUrl: cluster.url })
  await arena.start()
  await arena.start()
  for (let n = 1; n <= crashes; n++) {
    await arena.untilCopies(Math.floor((readers * n) / (crashes + 2)))
    await cluster.crash(() => sleep(isLong ? 4_000 : 500))
  }
  await arena.untilOver()
  const tally = await arena.tally()
  judge('P3 PostgreSQL crashes', tally, { kills: crashes, bound: 0 })
  expect(tally.uncertain).toBe(0)
})

test.each(['reset', 'frozen', 'refusing'] as const)(
  'the way to PostgreSQL is %s for a while: nothing lost, nothing twice',
  { timeout },
  async (how) => {
    const readers = isLong ? 6_000 : 500
    const plainUrl = await cloneDatabase()
    const { proxy, url } = await behindProxy(plainUrl)
    const arena = await anArena({ readers, leaseSeconds: isLong ? 60 : 20, databaseUrl: url, plainUrl })
    await arena.start()
    for (const part of [0.25, 0.5]) {
      await arena.untilCopies(Math.floor(readers * part))
      if (how === 'reset') proxy.reset()
      else {
        proxy.setMode(how)
        await sleep(isLong ? 30_000 : 3_000)
        proxy.setMode('open')
      }
    }
    await arena.untilOver()
    const tally = await arena.tally()
    judge(`PostgreSQL out of reach: ${how}`, tally, { kills: 2, bound: 0 })
    expect(tally.uncertain).toBe(0)
  },
)

test(
  'P4 Redis emptied and restarted: nothing lost, nothing twice, and on within 15 seconds',
  { timeout },
  async () => {
    const readers = isLong ? 10_000 : 600
    const redis = await aRedis()
    const arena = await anArena({ readers, leaseSeconds: 60 })
    await arena.start({ env: { REDIS_URL: redis.url } })
    await arena.untilCopies(readers / 6)
    await redis.stop()
    await redis.startAgain()
    await arena.untilCopies(readers / 3)
    // Empty in the middle of a job, and once more while nobody works: only the reconciler knows of the digest then.
    await redis.stop()
    await redis.startAgain()
    const [first] = [await arena.start({ env: { REDIS_URL: redis.url } })]
    await first.drain()
    expect(await arena.untilOver()).toBe('completed')
    judge('P4 Redis emptied and restarted', await arena.tally(), { kills: 2, bound: 0 })
  },
)

test('P4 FLUSHALL during a digest: the next round of the reconciler rings again', { timeout }, async () => {
  // What the promise of 15 seconds rests on: one round, and the time to start a conversation.
  expect(reconcileMs).toBeLessThanOrEqual(10_000)
  const readers = isLong ? 10_000 : 600
  const server = await aRedis()
  const redis = new Redis(server.url)
  onTestFinished(() => {
    redis.disconnect()
  })
  const arena = await anArena({ readers, leaseSeconds: 60 })
  await arena.start({ env: { REDIS_URL: server.url } })
  const setState = (from: string, to: string) =>
    query(arena.databaseUrl, `update digests set state = $2 where id = $1 and state = $3`, [
      arena.digestId,
      to,
      from,
    ])
  await arena.untilCopies(readers / 6)
  // While it is being worked on …
  expect(await redis.flushall()).toBe('OK')
  await arena.untilCopies(readers / 3)
  // … and while nobody works on it: no ring is left, and whoever resumed it could not ring.
  await setState('sending', 'paused')
  await expect.poll(async () => (await arena.tally()).claimed, { timeout: 60_000 }).toBe(0)
  expect(await redis.flushall()).toBe('OK')
  const resumedAt = Date.now()
  await setState('paused', 'sending')
  await arena.untilCopies(arena.copies() + 1)
  console.log(`P4 sending again ${((Date.now() - resumedAt) / 1000).toFixed(1)} s after the lost ring`)
  expect(await arena.untilOver()).toBe('completed')
  judge('P4 FLUSHALL', await arena.tally(), { kills: 2, bound: 0 })
})
