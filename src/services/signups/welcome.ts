import { runningSchedules, type Newsletter } from '../../domain/newsletter.ts'
import { nextOccurrence } from '../../domain/digests/cadence.ts'
import type { ActivationPage } from './activate.ts'
import type { Parts } from '../parts.ts'

/** What someone who has just activated may expect. */
export function createWelcomeService({ database, now }: Pick<Parts, 'database' | 'now'>) {
  return {
    /** When the next digest of each newsletter goes out; undefined for one that goes out by hand or as alerts. */
    async listExpectations(page: Pick<ActivationPage, 'newsletters'>) {
      const newsletters = await database.stores.newsletters.list()
      return page.newsletters.flatMap(({ slug, cadence }) => {
        const newsletter = newsletters.find((one) => one.slug === slug)
        return newsletter
          ? [{ name: newsletter.name, cadence, next: nextOf(newsletter, cadence, now()) }]
          : []
      })
    },
  }
}

function nextOf(newsletter: Newsletter, cadence: string, now: Date): Date | undefined {
  const schedule = runningSchedules(newsletter).find((one) => one.cadence === cadence)
  return schedule && nextOccurrence(schedule, now)?.at
}
