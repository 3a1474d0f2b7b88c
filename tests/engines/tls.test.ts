import { expect, onTestFinished, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import { checkDatabase, checkRedis } from '../../src/doctor/checks.ts'
import { createLogger } from '../../src/log.ts'
import { migrate } from '../../src/store/migrate.ts'
import { someCertificates } from '../support/certificates.ts'
import { depeche } from '../support/cli.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'
import { aDebianCluster } from '../support/debian-cluster.ts'
import { anEngineRoom } from '../support/engine-room.ts'
import { aRedis, aRedisCluster, aSentinelSetup } from '../support/redis.ts'

const verified = (ca: string) => `?sslmode=verify-full&sslrootcert=${ca}`

test('TLS to two PostgreSQL servers and to Sentinels: the primary and the master are killed in the middle of a digest', async () => {
  const tls = someCertificates()
  const [primary, { url: redisUrl, master }] = [await aDebianCluster(tls), await aSentinelSetup({ tls })]
  await migrate(primary.url)
  const standby = await primary.standby()
  let isOver = false
  const room = await anEngineRoom({
    databaseUrl: `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres${verified(tls.ca)}`,
    plainUrl: () => (isOver ? standby : primary).url,
    env: { REDIS_URL: redisUrl, NODE_EXTRA_CA_CERTS: tls.ca },
  })
  await room.startWorker()
  await room.startWorker()
  const origin = await room.startWeb()
  const ready = async () => (await fetch(`${origin}/readyz`)).json()
  expect(await ready()).toMatchObject({ postgres: 'up', queue: 'up' })
  const clear = await room.query(
    `select application_name from pg_stat_activity join pg_stat_ssl using (pid)
     where not ssl and application_name like 'depeche%'`,
  )
  expect(clear).toEqual([])
  const digestId = await room.beginDigest()
  await room.untilCopies(150)
  await master.stop()
  primary.crash()
  standby.promote()
  isOver = true
  await room.expectAllOnce('TLS: PostgreSQL and Sentinels, both killed', digestId)
  expect(await ready()).toMatchObject({ postgres: 'up', queue: 'up' })
})

test('TLS to a Redis Cluster whose master is killed in the middle of a digest', async () => {
  const tls = someCertificates()
  const cluster = await aRedisCluster({ tls })
  const env = { REDIS_URL: cluster.url, NODE_EXTRA_CA_CERTS: tls.ca }
  const room = await anEngineRoom({ databaseUrl: await cloneDatabase(), env, readers: 300 })
  await room.startWorker()
  const origin = await room.startWeb()
  expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({ queue: 'up' })
  const digestId = await room.beginDigest()
  await room.untilCopies(100)
  await cluster.killMaster()
  await room.expectAllOnce('TLS: Redis Cluster, master killed', digestId)
})

test('a certificate of somebody else is refused, in one sentence, by doctor, by the log and by the command line', async () => {
  const [tls, other] = [someCertificates(), someCertificates()]
  const server = await aDebianCluster(tls)
  await migrate(server.url)
  const redisUrls = [await aRedis({ tls }), await aSentinelSetup({ tls }), await aRedisCluster({ tls })].map(
    ({ url }) => url,
  )
  const told = (authorities: string) =>
    expect.stringMatching(
      new RegExp(
        `^shows a certificate that is not trusted \\([^;]+\\); name who signed it in ${authorities}`,
      ),
    ) as string
  for (const REDIS_URL of redisUrls) {
    const config = aConfig(`${server.url}${verified(other.ca)}`, { REDIS_URL })
    const context = createContext(config, { log: createLogger('silent', 'cli'), process: 'worker' })
    onTestFinished(() => context.close())
    expect((await checkRedis(context)).findings).toEqual([
      { name: 'redis', verdict: 'no', sentence: told('NODE_EXTRA_CA_CERTS') },
    ])
    expect((await checkDatabase(context)).findings).toEqual([
      { name: 'database', verdict: 'no', sentence: told('sslrootcert= behind DATABASE_URL') },
    ])
  }
  expect(await depeche(`${server.url}${verified(other.ca)}`, ['newsletter', 'list'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^The database shows a certificate that is not trusted \(.*\n$/) as string,
  })
  expect(await depeche(`${server.url}${verified('/nowhere')}`, ['newsletter', 'list'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('names a file in sslrootcert that cannot be read; check') as string,
  })

  const env = { REDIS_URL: redisUrls[1] ?? '', NODE_EXTRA_CA_CERTS: other.ca }
  const room = await anEngineRoom({ databaseUrl: `${server.url}${verified(tls.ca)}`, env, readers: 50 })
  await room.startWorker()
  const origin = await room.startWeb()
  expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({
    queue: 'down',
    queueCause: 'certificate',
  })
  await room.expectAllOnce('Sentinels whose certificate is not trusted', await room.beginDigest())
  const reasons = room.logLines().map((line) => (JSON.parse(line) as { reason?: string }).reason)
  expect(reasons).toContainEqual(told('NODE_EXTRA_CA_CERTS'))
  expect(reasons.length).toBeLessThan(60)
})
