import type { Context } from '../src/context.ts'
import type { JobName } from '../src/queue/jobs.ts'
import type { Job, Jobs } from './jobs.ts'
import { createRun } from './run-job.ts'

/** Work that no ring is heard for: while the queue is away, each worker looks for it in PostgreSQL. */
export function createUnheard({ services, log, metrics }: Context, jobs: Jobs) {
  const { health, reconciling } = services
  const underWay = new Map<string, Promise<void>>()
  return {
    /** Begins what waits, as much of it at once as rings would. */
    async begin(): Promise<void> {
      if (!(await health.isQueueAway())) return
      for (const { name, payload } of await reconciling.list()) {
        const places = Array.from({ length: jobs[name].concurrency ?? 1 }, (_, n) => `${name}-${n}`)
        const place = places.find((one) => !underWay.has(one))
        if (place === undefined) continue
        const work = createRun(name, jobs[name] as Job<JobName>, { log, metrics })(payload)
          .catch(() => undefined)
          .then(() => void underWay.delete(place))
        underWay.set(place, work)
      }
    },
    /** Resolves when all that was begun has ended. */
    ended: () => Promise.all(underWay.values()),
  }
}
