import { setTimeout as sleep } from 'node:timers/promises'
import { openCarrier, openQueue, type AnyQueue, type Carrier, type QueueBackend } from './bullmq.ts'
import type { FaultLog } from './faults.ts'
import { inspectRedis, RedisFault, type RedisCause } from './inspect-redis.ts'
import { jobNames, workId, type JobName, type JobPayload } from './jobs.ts'

/** The doorbell, and whether it would be heard. */
export type ProbedDoorbell = ReturnType<typeof createDoorbell>
export type Doorbell = Omit<ProbedDoorbell, 'probe' | 'countWaiting'>

/** How long a caller waits for the queue before it leaves the ring to the reconciler; and while the queue is known to be away. */
const ringTimeoutMs = { first: 2_000, away: 50 }

export function createDoorbell(backend: QueueBackend, faults: FaultLog) {
  const queues = new Map<JobName, AnyQueue>()
  let carrier: Carrier | undefined
  let isAway = false
  let isClosed = false
  const queueOf = (name: JobName): AnyQueue => {
    // Nobody would close what it opens now.
    if (isClosed) throw new Error('the process is ending')
    // A connection keeps what it is told while it is away, and a weekend of that is memory.
    if (isAway && carrier?.redis && carrier.redis.status !== 'ready')
      throw new Error('no connection to the queue')
    carrier ??= openCarrier(backend, faults)
    const queue = queues.get(name) ?? openQueue(carrier, name, faults)
    queues.set(name, queue)
    return queue
  }
  return {
    /**
     * Rings for work that PostgreSQL already holds: call it after the commit, for a worker that starts sooner finds
     * no row and concludes there is nothing to do. A ring that fails is logged and forgotten; the reconciler rings again.
     * @param slot numbers wake-ups for the same work that several workers shall share
     */
    ring: async <Name extends JobName>(name: Name, payload: JobPayload<Name>, slot = 0): Promise<void> => {
      // A request goes on after its answer, and rings of a crowd wait their turn: the reconciler has them all.
      if (isClosed) return
      try {
        // Of a ring while the same work is under way, one is kept and heard afterwards.
        const added = queueOf(name).add(name, payload, {
          deduplication: { id: workId(name, payload, slot), keepLastIfActive: true },
          removeOnComplete: true,
          removeOnFail: true,
        })
        const heard = added.then(() => {
          isAway = false
        })
        await Promise.race([heard, rejectAfter(isAway ? ringTimeoutMs.away : ringTimeoutMs.first)])
      } catch (error) {
        isAway = true
        faults(error, 'ring failed; the reconciler will ring again', { queue: name })
      }
    },

    /** Whether a ring would be heard, or why not. */
    async probe(timeoutMs: number): Promise<'up' | RedisCause> {
      try {
        if (backend.kind === 'redis') await inspectRedis(backend.url, timeoutMs)
        else await queueOf('deliver-mail').getWaitingCount()
        return 'up'
      } catch (error) {
        isAway = true
        if (!(error instanceof RedisFault)) return 'unreachable'
        // Why a Sentinel or a Cluster does not let us near, its connections do not tell.
        if (error.code !== 'unreachable') faults(error, 'Redis carries nothing; mail goes out all the same')
        return error.code
      }
    },

    /** Rings that nobody has heard yet, by job. @throws while the queue does not answer */
    countWaiting: () =>
      Promise.all(jobNames.map(async (name) => [name, await queueOf(name).getWaitingCount()] as const)),

    async close(): Promise<void> {
      isClosed = true
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      await carrier?.close()
    },
  }
}

async function rejectAfter(timeoutMs: number): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false })
  throw new Error(`no answer from the queue within ${timeoutMs} ms`)
}
