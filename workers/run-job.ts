import type { Logger } from '../src/log.ts'
import type { Metrics } from '../src/metrics.ts'
import { openWorker, type AnyWorker, type Carrier } from '../src/queue/bullmq.ts'
import type { FaultLog } from '../src/queue/faults.ts'
import { parsePayload, type JobName } from '../src/queue/jobs.ts'
import type { Job } from './jobs.ts'

interface Watch {
  log: Logger
  metrics: Metrics
}

/**
 * One service call: parses the payload, logs under the job's name. A job that failed is not tried again: what it was about
 * stands in PostgreSQL, and the reconciler rings for it. No job is ended from outside: each service limits what it asks.
 */
export function createRun<Name extends JobName>(name: Name, { work }: Job<Name>, { log, metrics }: Watch) {
  const child = log.child({ job: name })
  return async (data: unknown): Promise<void> => {
    const endTimer = metrics.jobs.startTimer({ job: name })
    try {
      await work(parsePayload(name, data), child)
      endTimer({ outcome: 'done' })
    } catch (error) {
      endTimer({ outcome: 'failed' })
      child.error({ err: error }, 'job failed')
      throw error
    }
  }
}

/** Starts one BullMQ worker around it. */
export const startWorker = <Name extends JobName>(
  name: Name,
  job: Job<Name>,
  { carrier, faults, ...watch }: Watch & { carrier: Carrier; faults: FaultLog },
): AnyWorker =>
  openWorker(carrier, name, {
    concurrency: job.concurrency ?? 1,
    faults,
    process: createRun(name, job, watch),
  })
