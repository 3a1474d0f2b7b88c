import type { Parts } from '../parts.ts'

const dayMs = 24 * 3_600_000

/** Rows that only grow and serve nobody any more. What belongs to a person goes with their request or import. */
export const createUpkeepService = ({ database: { stores }, now }: Pick<Parts, 'database' | 'now'>) => ({
  /** Whether it is this worker's turn to look after what all share. @param seconds until the next */
  claim: (seconds: number): Promise<boolean> => stores.retention.claimRound('upkeep', seconds),

  async sweep(): Promise<void> {
    const at = now()
    const daysAgo = (days: number) => new Date(at.getTime() - days * dayMs)
    await stores.rateLimits.deleteExpired(at)
    await stores.idempotencyKeys.deleteBefore(daysAgo(7))
    await stores.sessions.deleteSignInLinks(daysAgo(30))
    await stores.sessions.deleteDead(daysAgo(30))
    await stores.invitations.deleteBefore(daysAgo(30))
    await stores.providers.deleteEventsBefore(daysAgo(30))
    await stores.workers.deleteSilent()
    await stores.outbox.retryUnwritten()
    await stores.writtenResponses.sweep(at)
    // Once a day: it reads every story with a picture of ours.
    await stores.media.sweep(daysAgo(30 + ((at.getTime() / dayMs) % 1)), at)
  },
})
