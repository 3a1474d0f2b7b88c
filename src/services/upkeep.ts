import { keptDays } from '../domain/retention.ts'
import type { Parts } from './parts.ts'
import { eachByItself } from './each-by-itself.ts'
import { dayMs } from '../domain/time.ts'

/** Rows that only grow and serve nobody any more. What belongs to a person goes with their request or import. */
export const createUpkeepService = ({
  database: { stores },
  log,
  now,
}: Pick<Parts, 'database' | 'log' | 'now'>) => ({
  /** Whether it is this worker's turn to look after what all share. @param seconds until the next */
  claim: (seconds: number): Promise<boolean> => stores.retention.claimRound('upkeep', seconds),

  async sweep(): Promise<void> {
    const at = now()
    const daysAgo = (days: number) => new Date(at.getTime() - days * dayMs)
    await eachByItself(log, {
      limits: () => stores.rateLimits.deleteExpired(at),
      idempotencyKeys: () => stores.idempotencyKeys.deleteBefore(daysAgo(keptDays.idempotencyKeys)),
      signInLinks: () => stores.signInLinks.deleteDead(daysAgo(keptDays.signInLinks)),
      sessions: () => stores.sessions.deleteDead(daysAgo(keptDays.sessions)),
      invitations: () => stores.invitations.deleteBefore(daysAgo(keptDays.invitations)),
      events: () => stores.providers.deleteEventsBefore(daysAgo(keptDays.providerEvents)),
      workers: () => stores.workers.deleteSilent(),
      unwritten: () => stores.outbox.retryUnwritten(),
      responses: () => stores.writtenResponses.sweep(at),
      // From midnight on the same until the next, hence once a day: it reads every story with a picture of ours.
      media: () => stores.media.sweep(daysAgo(keptDays.pictures + ((at.getTime() / dayMs) % 1)), at),
    })
  },
})
