import type { Parts } from '../parts.ts'
import { eachByItself } from './each-by-itself.ts'
import { dayMs } from '../../domain/time.ts'

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
      idempotencyKeys: () => stores.idempotencyKeys.deleteBefore(daysAgo(7)),
      signInLinks: () => stores.sessions.deleteSignInLinks(daysAgo(30)),
      sessions: () => stores.sessions.deleteDead(daysAgo(30)),
      invitations: () => stores.invitations.deleteBefore(daysAgo(30)),
      events: () => stores.providers.deleteEventsBefore(daysAgo(30)),
      workers: () => stores.workers.deleteSilent(),
      unwritten: () => stores.outbox.retryUnwritten(),
      responses: () => stores.writtenResponses.sweep(at),
      // Once a day: it reads every story with a picture of ours.
      media: () => stores.media.sweep(daysAgo(30 + ((at.getTime() / dayMs) % 1)), at),
    })
  },
})
