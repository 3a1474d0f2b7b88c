import { setTimeout as sleep } from 'node:timers/promises'
import {
  putBack,
  spend,
  type MailClass,
  type RateLimits,
  type Spent,
} from '../../domain/delivery/sending-budget.ts'
import type { SendingBudgetStore } from '../../store/delivery/sending-budget.ts'

export type Budget = NonNullable<ReturnType<typeof createBudget>>
/** Leave to send, for one run. */
export type Permits = ReturnType<Budget['of']>

/**
 * One budget for all workers, kept in PostgreSQL by its clock. What is taken counts whether it is used or not, so a
 * worker that dies lets nothing out twice.
 * @returns undefined where the relay sets no limit
 */
export function createBudget(limits: RateLimits | undefined, store: SendingBudgetStore) {
  if (!limits) return undefined

  /** Somebody else may write between the two statements; then they are repeated. */
  const change = async <T extends { spent: Spent | undefined }>(to: (spent: Spent, now: number) => T) => {
    for (;;) {
      const { version, spent, now } = await store.get()
      const after = to(spent, now)
      if (!after.spent || (await store.put(version, after.spent))) return { ...after, now }
    }
  }

  return {
    limits,

    of(mailClass: MailClass) {
      // The times of the last two grants. What is given back is of one of them, and goes back to the earlier.
      let grantedAt = { before: Infinity, last: Infinity }
      return {
        /**
         * Leave for up to `wanted` messages, to be used at once.
         * @returns 0 where there is none, after a while: at most a second, or until the signal
         */
        async take(wanted: number, signal: AbortSignal): Promise<number> {
          const { granted, retryMs, now } = await change((spent, now) =>
            spend(limits, spent, { now, mailClass, wanted }),
          )
          if (granted > 0) grantedAt = { before: Math.min(grantedAt.last, now), last: now }
          else await sleep(retryMs, undefined, { signal }).catch(() => undefined)
          return granted
        },
        /** What was taken and not used. */
        async giveBack(n: number): Promise<void> {
          if (n === 0 || (limits.h === undefined && limits.d === undefined)) return
          const at = grantedAt.before
          // What is not given back is only lost.
          await change((spent, now) => ({ spent: putBack(limits, spent, { now, at, n }) })).catch(
            () => undefined,
          )
        },
      }
    },
  }
}
