import type { Database } from '../store/database.ts'

export type Clock = ReturnType<typeof createClock>

/** A clock further off than this is a machine that something is wrong with: certificates and signatures go wrong too. */
export const longestSkewMs = 2_000

/**
 * This machine's clock where it agrees with the database's, else that one: links, embargoes and what is deleted after
 * its time are written by one process and judged by another.
 * @param own what tests move instead
 */
export function createClock({ stores }: Pick<Database, 'stores'>, own?: () => Date) {
  let aheadMs = 0

  /** Milliseconds that this machine's clock is ahead of the database's; below zero, behind. */
  const measureSkew = async (): Promise<number> => {
    const sentAt = Date.now()
    const now = await stores.clock.now()
    return skewOf(now, sentAt, Date.now())
  }

  const setTo = (skewMs: number): void => {
    aheadMs = Math.abs(skewMs) > longestSkewMs ? skewMs : 0
  }

  return {
    now: own ?? (() => new Date(Date.now() - aheadMs)),
    measureSkew,

    /** Every now and then. Where the database does not answer, it goes on as it went. */
    adjust: async (): Promise<void> => {
      setTo(await measureSkew().catch(() => aheadMs))
    },

    /** The same by what was measured. */
    setTo,
  }
}

/** Milliseconds that our clock is ahead: what the time that the question took cannot explain. Below zero, behind. */
export function skewOf(now: Date, sentAt: number, receivedAt: number): number {
  if (sentAt > now.getTime()) return sentAt - now.getTime()
  return Math.min(receivedAt - now.getTime(), 0)
}
