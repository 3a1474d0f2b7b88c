import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { DomainError } from '../../src/errors.ts'
import { createLogger } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { openCarrier, type QueueBackend } from '../../src/queue/bullmq.ts'
import { createDoorbell } from '../../src/queue/enqueue.ts'
import { createFaultLog } from '../../src/queue/faults.ts'
import { startWorker } from '../../workers/run-job.ts'
import { createOldKeySweep } from '../../workers/old-redis-keys.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aRedis, ask } from '../support/redis.ts'
import { runSql } from '../support/sql.ts'

const log = createLogger('silent', 'worker')
const faults = createFaultLog(log)

const backends: Record<string, () => Promise<QueueBackend>> = {
  redis: async () => ({ kind: 'redis', url: (await aRedis()).url }),
  postgres: async () => ({ kind: 'postgres', url: await cloneDatabase() }),
}

/** A worker that notes the digests it was rung for, and does with each what `work` says. */
function listen(backend: QueueBackend, work: (digestId: number) => Promise<void> = () => Promise.resolve()) {
  const heard: number[] = []
  const carrier = openCarrier(backend, faults, 1)
  onTestFinished(() => carrier.close())
  const worker = startWorker(
    'deliver-digest',
    {
      work: async ({ digestId }) => {
        heard.push(digestId)
        await work(digestId)
      },
    },
    { carrier, faults, log, metrics: createMetrics() },
  )
  onTestFinished(() => worker.close())
  return heard
}

function bell(backend: QueueBackend) {
  const doorbell = createDoorbell(backend, faults)
  onTestFinished(() => doorbell.close())
  return doorbell
}

test('a ring after the end, such as one of a crowd of signups that waited its turn, is left to the reconciler without a word', async () => {
  const said: string[] = []
  const doorbell = createDoorbell({ kind: 'postgres', url: await cloneDatabase() }, (_error, sentence) =>
    said.push(sentence),
  )
  await doorbell.ring('decide-signups', {})
  await doorbell.close()
  await doorbell.ring('decide-signups', {}, 1)
  expect(said).toEqual([])
})

describe.each(Object.keys(backends))('the doorbell on %s', (name) => {
  const open = () => (backends[name] as () => Promise<QueueBackend>)()

  test('a ring wakes a worker with the id and nothing else', async () => {
    const backend = await open()
    const heard = listen(backend)
    await bell(backend).ring('deliver-digest', { digestId: 7 })
    await vi.waitFor(() => {
      expect(heard).toEqual([7])
    }, 10_000)
  })

  test('a ring before any worker lives is heard once one does; several for the same work are one', async () => {
    const backend = await open()
    const doorbell = bell(backend)
    for (let n = 0; n < 5; n++) await doorbell.ring('deliver-digest', { digestId: 7 })
    await doorbell.ring('deliver-digest', { digestId: 8 })
    const heard = listen(backend)
    await vi.waitFor(() => {
      expect(heard).toContain(8)
    }, 10_000)
    expect(heard.filter((id) => id === 7)).toHaveLength(1)
  })

  test('the same work can be rung for again after it was done', async () => {
    const backend = await open()
    const doorbell = bell(backend)
    const heard = listen(backend)
    for (const times of [1, 2, 3]) {
      await vi.waitFor(async () => {
        if (heard.length < times) await doorbell.ring('deliver-digest', { digestId: 7 })
        // On a slow machine it may have been rung for more than once meanwhile.
        expect(heard.length).toBeGreaterThanOrEqual(times)
      }, 10_000)
    }
  })

  test('a worker that fails for good, or for now, hears the next ring', async () => {
    const backend = await open()
    const doorbell = bell(backend)
    const heard = listen(backend, (digestId) =>
      digestId === 1
        ? Promise.reject(new DomainError('not_found', 'no_digest', 'There is no such digest.'))
        : Promise.reject(new Error('lost')),
    )
    await doorbell.ring('deliver-digest', { digestId: 1 })
    await doorbell.ring('deliver-digest', { digestId: 2 })
    await doorbell.ring('deliver-digest', { digestId: 3 })
    await vi.waitFor(() => {
      expect(heard).toEqual(expect.arrayContaining([1, 2, 3]))
    }, 10_000)
  })
})

test('a ring that cannot be heard does not fail its caller', async () => {
  const redis = await aRedis()
  const doorbell = createDoorbell({ kind: 'redis', url: redis.url }, faults)
  await redis.stop()
  await expect(doorbell.ring('deliver-mail', {})).resolves.toBeUndefined()
  await doorbell.close()
})

test('a ring after the end opens nothing that nobody would close: the database can be dropped', async () => {
  const doorbell = createDoorbell({ kind: 'postgres', url: await cloneDatabase() }, faults)
  await doorbell.close()
  await expect(doorbell.ring('deliver-mail', {})).resolves.toBeUndefined()
})

test('one ring waits for a queue that is away, those after it do not; once it is back they are heard', async () => {
  const redis = await aRedis()
  const backend = { kind: 'redis', url: redis.url } as const
  const doorbell = bell(backend)
  await redis.stop()
  await doorbell.ring('deliver-digest', { digestId: 1 })
  const clock = sleep(1_000).then(() => 'a second')
  const ringing = doorbell.ring('deliver-digest', { digestId: 2 }).then(() => 'ring')
  expect(await Promise.race([ringing, clock])).toBe('ring')
  const heard = listen(backend)
  await redis.startAgain()
  await vi.waitFor(async () => {
    await doorbell.ring('deliver-digest', { digestId: 3 })
    expect(heard).toContain(3)
  }, 30_000)
})

test('what is rung and asked for while Redis is away is not kept for its return', async () => {
  const redis = await aRedis()
  const doorbell = bell({ kind: 'redis', url: redis.url })
  await doorbell.ring('deliver-digest', { digestId: 1 })
  await redis.stop()
  expect(await doorbell.probe(1_000)).toBe('unreachable')
  for (let n = 0; n < 20; n++) {
    await doorbell.ring('deliver-digest', { digestId: n })
    await expect(doorbell.countWaiting()).rejects.toThrow('no connection')
  }
  await redis.startAgain()
  await vi.waitFor(async () => {
    await doorbell.ring('deliver-digest', { digestId: 99 })
    expect(ask(redis.port, 'keys', '*:deliver-digest:de:*')).toContain('-99-')
  }, 30_000)
  expect(ask(redis.port, 'keys', '*:deliver-digest:de:*').trim().split('\n')).toHaveLength(1)
})

test('what an older version left in Redis goes an hour after its last worker, and nothing else does', async () => {
  const redis = await aRedis()
  const redisUrl = redis.url
  const databaseUrl = await cloneDatabase()
  const database = openTestDatabase(databaseUrl)
  ask(
    redis.port,
    'mset',
    'bull:deliver-mail:meta',
    '1',
    'bull:render-feeds:wait',
    '1',
    'bull:others:meta',
    '1',
  )
  await bell({ kind: 'redis', url: redisUrl }).ring('deliver-mail', {})
  let minute = 0
  const context = { config: { ...aConfig(databaseUrl), redisUrl }, database, log }
  const sweep = createOldKeySweep(context, () => minute * 60_000)
  const sweepAt = async (at: number) => {
    minute = at
    await sweep()
    const keys = ask(redis.port, 'keys', '*').trim().split('\n')
    expect(keys.filter((key) => key.startsWith('{depeche}:deliver-mail:'))).not.toEqual([])
    return keys.filter((key) => key.startsWith('bull:')).sort()
  }
  const all = ['bull:deliver-mail:meta', 'bull:others:meta', 'bull:render-feeds:wait']
  const id = '11111111-1111-4111-8111-111111111111'
  await database.stores.workers.put(id)
  await runSql(databaseUrl, 'update workers set generation = 1')
  expect(await sweepAt(70)).toEqual(all)
  await database.stores.workers.delete(id)
  expect(await sweepAt(120)).toEqual(all)
  expect(await sweepAt(130)).toEqual(['bull:others:meta'])
})
