import type { Lease } from '../store/leases.ts'

/** People turned away one after another for a reason that may not be theirs. */
const longestStreak = 5

interface Verdicts {
  /** It was about these messages. */
  reject(suspects: Lease[]): Promise<unknown>
  /** It was about us: nobody is marked. */
  acquit(everyone: Lease[]): Promise<unknown>
}

/**
 * A lone 5xx after DATA is believed, and so is one at MAIL, as a reason to try later. Five people in a row are not a
 * coincidence: the server refuses the sender or the message, and none of them is to blame.
 */
export function createStreak(verdicts: Verdicts) {
  let everyone = new Map<number, Lease>()
  let suspects: Lease[] = []
  let isBroken = false

  return {
    /** @param isSuspect rejected when the streak ends early; else only deferred, which it already is */
    async add(lease: Lease, isSuspect: boolean): Promise<void> {
      everyone.set(lease.key, lease)
      if (isSuspect) suspects.push(lease)
      // Once everyone was acquitted, so are those whose conversations were still under way.
      if (everyone.size < longestStreak && !isBroken) return
      const all = [...everyone.values()]
      everyone = new Map()
      suspects = []
      isBroken = true
      await verdicts.acquit(all)
    },
    /** Somebody got through. */
    async end(): Promise<void> {
      if (everyone.size === 0) return
      const rejected = suspects
      everyone = new Map()
      suspects = []
      if (rejected.length > 0) await verdicts.reject(rejected)
    },
  }
}
