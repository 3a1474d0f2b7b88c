import { UnrecoverableError } from 'bullmq'
import { ZodError } from 'zod'
import { DomainError, type ErrorKind } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type { Metrics } from '../src/metrics.ts'
import { openWorker, type AnyWorker, type QueueBackend } from '../src/queue/connection.ts'
import { parsePayload, type JobName, type JobPayload } from '../src/queue/jobs.ts'

/** What a job does with an error of each kind. A retry is never needed for safety: the reconciler rings again. */
const onError = {
  invalid: 'give-up',
  unauthenticated: 'give-up',
  forbidden: 'give-up',
  not_found: 'give-up',
  conflict: 'give-up',
  precondition_failed: 'give-up',
  precondition_required: 'give-up',
  gone: 'give-up',
  throttled: 'retry',
  unavailable: 'retry',
} as const satisfies Record<ErrorKind, 'retry' | 'give-up'>

export interface WorkerDefinition<Name extends JobName> {
  name: Name
  /** Jobs of this name that one process works on at once. */
  concurrency?: number
  work: (payload: JobPayload<Name>, log: Logger) => Promise<void>
}

/** Starts one BullMQ worker around one service call: parse the payload, log under the job's name, classify errors. */
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
        if (error instanceof ZodError) throw new UnrecoverableError('payload does not fit')
        if (error instanceof DomainError && onError[error.kind] === 'give-up') {
          throw new UnrecoverableError(error.code)
        }
        throw error
      }
    },
  })
}
