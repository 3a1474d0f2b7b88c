import type { DigestState } from '../../domain/digests/digest.ts'
import { runningSchedules, type Newsletter } from '../../domain/newsletter.ts'
import type { Setup } from '../../store/desk/setup.ts'
import type { DigestShape } from '../digests/shape.ts'
import type { DigestService } from '../digests/editing.ts'
import type { Parts } from '../parts.ts'
import type { ScheduleService } from '../digests/schedule.ts'

interface Siblings {
  digests: Pick<DigestService, 'list' | 'listNext'>
  schedules: Pick<ScheduleService, 'listWarnings'>
}

export interface NewsletterToday {
  newsletter: Newsletter
  /** The open draft of each scheduled cadence; a newsletter without any is sent by hand. */
  next: DigestShape[]
  isScheduled: boolean
}

/** Deciding a signup takes moments where a worker runs; longer is a flood. */
const patienceMinutes = 10

/** What the desk opens on: for each newsletter the next digest, what is on its way, and what needs a look. */
export function createTodayService({ database, digests, schedules }: Pick<Parts, 'database'> & Siblings) {
  const list = async (states: DigestState[], limit: number) =>
    (await digests.list({ states }, { limit, after: undefined })).data

  return {
    async get() {
      const newsletters = (await database.stores.newsletters.list()).filter(({ state }) => state !== 'ended')
      const today: NewsletterToday[] = []
      for (const newsletter of newsletters) {
        const isScheduled = runningSchedules(newsletter).length > 0
        const next = isScheduled ? await digests.listNext(newsletter.slug) : []
        today.push({ newsletter, next, isScheduled })
      }
      const byHand = await list(['draft', 'approved', 'scheduled'], 50)
      return {
        newsletters: today,
        running: await list(['preparing', 'sending', 'paused'], 20),
        ended: await list(['completed', 'completed_with_uncertain', 'skipped', 'missed', 'cancelled'], 6),
        byHand: byHand.filter((digest) => digest.localDate === null),
        warnings: await schedules.listWarnings(),
        waitingSignups: await database.stores.activations.findWaiting(patienceMinutes),
        heldResponses: await database.stores.writtenResponses.countHeld(),
        hasWorker: (await database.stores.workers.countAlive()) > 0,
      }
    },

    /** What a newsroom sets up, and what of it is done; undefined once all is. */
    async findSetup(): Promise<Setup | undefined> {
      const { sample, setup } = database.stores
      const steps = await setup.get(await sample.hasSent())
      return Object.values(steps).every(Boolean) ? undefined : steps
    },
  }
}
