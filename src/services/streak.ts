import type { Lease } from '../store/leases.ts'

/** Witnesses turned away one after another for a reason that may not be theirs. */
const longestStreak = 5

interface Verdicts {
  /** It was about these messages. */
  reject(suspects: Lease[]): Promise<unknown>
  /** It was about us: nobody is marked. */
  acquit(everyone: Lease[]): Promise<unknown>
}

/**
 * A lone 5xx after DATA is believed, and so is one at MAIL, as a reason to try later. Five people in a row are not a
 * coincidence: the server refuses the sender or the message, and none of them is to blame. Where a refusal may be its
 * domain's policy, all readers of the domain are one witness.
 */
export function createStreak(verdicts: Verdicts) {
  let everyone = new Map<number, Lease>()
  let witnesses = new Set<unknown>()
  let suspects: Lease[] = []
  let isBroken = false

  return {
    /**
     * @param of.isSuspect rejected when the streak ends early; else only deferred, which it already is
     * @param of.domain set where the refusal is told by the domain, not by the person
     */
    async add(lease: Lease, of: { isSuspect: boolean; domain?: string | undefined }): Promise<void> {
      everyone.set(lease.key, lease)
      witnesses.add(of.domain ?? lease.key)
      if (of.isSuspect) suspects.push(lease)
      // Once everyone was acquitted, so are those whose conversations were still under way.
      if (witnesses.size < longestStreak && !isBroken) return
      const all = [...everyone.values()]
      everyone = new Map()
      witnesses = new Set()
      suspects = []
      isBroken = true
      await verdicts.acquit(all)
    },
    /** Somebody got through. */
    async end(): Promise<void> {
      if (everyone.size === 0) return
      const rejected = suspects
      everyone = new Map()
      witnesses = new Set()
      suspects = []
      if (rejected.length > 0) await verdicts.reject(rejected)
    },
  }
}
