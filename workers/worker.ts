import type { Logger } from '../src/log.ts'
import type { Metrics } from '../src/metrics.ts'
import { openWorker, type AnyWorker, type QueueBackend } from '../src/queue/connection.ts'
import { parsePayload, type JobName, type JobPayload } from '../src/queue/jobs.ts'

export interface WorkerDefinition<Name extends JobName> {
  name: Name
  /** Jobs of this name that one process works on at once. */
  concurrency?: number
  work: (payload: JobPayload<Name>, log: Logger) => Promise<void>
}

/**
 * Starts one BullMQ worker around one service call: parse the payload, log under the job's name. A job that failed is not
 * tried again: what it was about stands in PostgreSQL, and the reconciler rings for it.
 */
export function startWorker<Name extends JobName>(
  definition: WorkerDefinition<Name>,
  { backend, log, metrics }: { backend: QueueBackend; log: Logger; metrics: Metrics },
): AnyWorker {
  const child = log.child({ job: definition.name })
  return openWorker(backend, definition.name, {
    concurrency: definition.concurrency ?? 1,
    log: child,
    process: async (data) => {
      const endTimer = metrics.jobs.startTimer({ job: definition.name })
      try {
        await definition.work(parsePayload(definition.name, data), child)
        endTimer({ outcome: 'done' })
      } catch (error) {
        endTimer({ outcome: 'failed' })
        child.error({ err: error }, 'job failed')
        throw error
      }
    },
  })
}
