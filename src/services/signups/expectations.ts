import { nextOccurrence } from '../../domain/digests/cadence.ts'
import { mayDo } from '../../domain/digests/digest.ts'
import { runningSchedules, type Newsletter } from '../../domain/newsletter.ts'
import type { Choices } from '../../domain/subscribers/subscription.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import type { ActivationPage } from './activate.ts'
import { listWanted } from './decide.ts'

/** What a new reader may expect. */
export const createExpectationService = ({ database: { stores }, now }: Pick<Parts, 'database' | 'now'>) => ({
  /** When the next digest of each newsletter goes out; undefined for one that goes out by hand or as alerts. */
  async listExpectations(page: Pick<ActivationPage, 'newsletters'>) {
    const newsletters = await stores.newsletters.list()
    const expectations = page.newsletters.map(async ({ slug, cadence }) => {
      const newsletter = newsletters.find((one) => one.slug === slug)
      if (!newsletter) return []
      const { name, description } = newsletter
      return [
        { name, description, cadence, next: await findNext(stores, newsletter, { cadence, now: now() }) },
      ]
    })
    return (await Promise.all(expectations)).flat()
  },
  /** The same of what was asked for, before it is confirmed. */
  async listOffers(wanted: Choices) {
    const chosen = await listWanted(stores, { wanted })
    const newsletters = chosen.map(({ newsletter, setting }) => ({ ...newsletter, ...setting }))
    return this.listExpectations({ newsletters })
  },
})

/** An editor may have sent the nearest before its time, or have left it out. */
async function findNext(
  stores: Stores,
  newsletter: Newsletter,
  { cadence, now }: { cadence: string; now: Date },
): Promise<Date | undefined> {
  const schedule = runningSchedules(newsletter).find((one) => one.cadence === cadence)
  let next = schedule && nextOccurrence(schedule, now)
  while (schedule && next) {
    const { localDate, localTime, at } = next
    const key = { newsletterId: newsletter.id, cadence: schedule.cadence, localDate, localTime }
    const digest = await stores.digests.findOccurrence(key)
    if (!digest) return at
    if (mayDo(digest, 'change')) return digest.sendAt ?? at
    next = nextOccurrence(schedule, at)
  }
  return undefined
}
