import type { Logger } from '../log.ts'
import { openQueue, type AnyQueue, type QueueBackend } from './connection.ts'
import { workId, type JobName, type JobPayload } from './jobs.ts'

/** The doorbell, and whether it would be heard. */
export type ProbedDoorbell = ReturnType<typeof createDoorbell>
export type Doorbell = Omit<ProbedDoorbell, 'probe'>

/** How long a caller waits for the queue before it leaves the ring to the reconciler; and while the queue is known to be away. */
const ringTimeoutMs = { first: 2_000, away: 50 }

export function createDoorbell(backend: QueueBackend, log: Logger) {
  const queues = new Map<JobName, AnyQueue>()
  let isAway = false
  let isClosed = false
  const queueOf = (name: JobName): AnyQueue => {
    // A request goes on after its answer: nobody would close what it opens now.
    if (isClosed) throw new Error('the process is ending')
    const queue = queues.get(name) ?? openQueue(backend, name, log)
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
        log.warn({ queue: name, reason: String(error) }, 'ring failed; the reconciler will ring again')
      }
    },

    /** Asks the queue for something. @throws while it does not answer */
    async probe(): Promise<true> {
      await queueOf('deliver-mail').getWaitingCount()
      return true
    },

    async close(): Promise<void> {
      isClosed = true
      await Promise.all([...queues.values()].map((queue) => queue.close()))
    },
  }
}

function rejectAfter(timeoutMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => {
      reject(new Error(`no answer from the queue within ${timeoutMs} ms`))
    }, timeoutMs).unref()
  })
}
