import type { Logger } from '../src/log.ts'
import type { Metrics } from '../src/metrics.ts'
import { openWorker, type AnyWorker, type QueueBackend } from '../src/queue/connection.ts'
import { parsePayload, type JobName } from '../src/queue/jobs.ts'
import type { Job } from './jobs.ts'

/**
 * Starts one BullMQ worker around one service call: parse the payload, log under the job's name. A job that failed is not
 * tried again: what it was about stands in PostgreSQL, and the reconciler rings for it.
 */
export function startWorker<Name extends JobName>(
  name: Name,
  { concurrency = 1, work }: Job<Name>,
  { backend, log, metrics }: { backend: QueueBackend; log: Logger; metrics: Metrics },
): AnyWorker {
  const child = log.child({ job: name })
  return openWorker(backend, name, {
    concurrency,
    log: child,
    process: async (data) => {
      const endTimer = metrics.jobs.startTimer({ job: name })
      try {
        await work(parsePayload(name, data), child)
        endTimer({ outcome: 'done' })
      } catch (error) {
        endTimer({ outcome: 'failed' })
        child.error({ err: error }, 'job failed')
        throw error
      }
    },
  })
}
