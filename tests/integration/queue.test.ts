import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { DomainError } from '../../src/errors.ts'
import { createLogger } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { QueueBackend } from '../../src/queue/connection.ts'
import { createDoorbell } from '../../src/queue/enqueue.ts'
import { startWorker } from '../../workers/worker.ts'
import { cloneDatabase } from '../support/database.ts'
import { aRedis } from '../support/redis.ts'

const log = createLogger('silent', 'worker')

const backends: Record<string, () => Promise<QueueBackend>> = {
  redis: async () => ({ kind: 'redis', url: (await aRedis()).url }),
  postgres: async () => ({ kind: 'postgres', url: await cloneDatabase() }),
}

/** A worker that notes the digests it was rung for, and does with each what `work` says. */
function listen(backend: QueueBackend, work: (digestId: number) => Promise<void> = () => Promise.resolve()) {
  const heard: number[] = []
  const worker = startWorker(
    'deliver-digest',
    {
      work: async ({ digestId }) => {
        heard.push(digestId)
        await work(digestId)
      },
    },
    { backend, log, metrics: createMetrics() },
  )
  onTestFinished(() => worker.close())
  return heard
}

function bell(backend: QueueBackend) {
  const doorbell = createDoorbell(backend, log)
  onTestFinished(() => doorbell.close())
  return doorbell
}

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
  const doorbell = createDoorbell({ kind: 'redis', url: redis.url }, log)
  await redis.stop()
  await expect(doorbell.ring('deliver-mail', {})).resolves.toBeUndefined()
  await doorbell.close()
})

test('a ring after the end opens nothing that nobody would close: the database can be dropped', async () => {
  const doorbell = createDoorbell({ kind: 'postgres', url: await cloneDatabase() }, log)
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
