import { mkdtempSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startPostgres } from '../../src/embedded/postgres.ts'
import { migrateQueue } from '../../src/queue/connection.ts'
import { migrate } from '../../src/store/migrate.ts'
import { cloneDatabase } from '../support/database.ts'
import { anArena, isLong, judge } from '../support/fault-arena.ts'
import { aRedis } from '../support/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const timeout = 30 * 60_000

/** A PostgreSQL of the test's own, which it may crash. */
async function aCluster() {
  const dataDir = mkdtempSync('/var/tmp/depeche-crash-')
  const start = (port?: number) =>
    startPostgres({ dataDir, settings: { fsync: 'off' }, ...(port && { port }) })
  let server = await start()
  await migrate(server.url)
  await migrateQueue({ kind: 'postgres', url: server.url })
  onTestFinished(async () => {
    await server.stop('immediate')
    rmSync(dataDir, { recursive: true, force: true })
  })
  return {
    url: server.url,
    async crash(downMs: number) {
      await server.stop('immediate')
      await sleep(downMs)
      server = await start(server.port)
    },
  }
}

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
    await cluster.crash(isLong ? 4_000 : 500)
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
    let redis = await aRedis()
    const arena = await anArena({ readers, leaseSeconds: 60 })
    await arena.start({ env: { REDIS_URL: redis.url } })
    await arena.untilCopies(readers / 6)
    await redis.stop()
    redis = await aRedis(redis.port)
    await arena.untilCopies(readers / 3)
    // Empty in the middle of a job, and once more while nobody works: only the reconciler knows of the digest then.
    await redis.stop()
    redis = await aRedis(redis.port)
    const [first] = [await arena.start({ env: { REDIS_URL: redis.url } })]
    await first.drain()
    expect(await arena.untilOver()).toBe('completed')
    judge('P4 Redis emptied and restarted', await arena.tally(), { kills: 2, bound: 0 })
  },
)
