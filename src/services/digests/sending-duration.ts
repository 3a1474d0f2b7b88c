import { lifetimeMs, mayDo, type DeliveryCounts, type Digest } from '../../domain/digests/digest.ts'
import { formatRate, secondsFor, type RateLimits } from '../../domain/delivery/sending-budget.ts'
import type { Stores } from '../../store/stores.ts'
import type { DigestShape } from './shape.ts'

/**
 * How long a digest will take: by SMTP_RATE, and at the pace of the last ones.
 * @returns null where nothing tells a pace, or nothing is left to send
 */
export async function readSendingDuration(
  limits: RateLimits | undefined,
  stores: Pick<Stores, 'sendingBudget' | 'digestNumbers'>,
  { digest, audience, counts }: { digest: Digest; audience: number; counts: DeliveryCounts },
): Promise<DigestShape['sendingTime']> {
  // What may be cancelled has not ended.
  if (!mayDo(digest, 'cancel')) return null
  const open = counts.pending + counts.claimed + counts.deferred - (digest.running?.waiting ?? 0)
  const n = digest.audience === null ? audience : open
  if (n <= 0) return null
  const [{ spent, now }, ahead, pace] = await Promise.all([
    stores.sendingBudget.get(),
    stores.sendingBudget.countWaiting(digest.id),
    stores.digestNumbers.findPace(),
  ])
  const startAt = digest.state === 'scheduled' ? Math.max(now, digest.sendAt?.getTime() ?? 0) : now
  if (!limits && pace === undefined) return null
  const seconds = Math.max(
    limits ? secondsFor(limits, spent, { now: startAt, n: n + ahead }) : 0,
    pace ? Math.ceil((n + ahead) / pace) : 0,
  )
  const endAt = digest.expiresAt?.getTime() ?? startAt + lifetimeMs
  return {
    rate: limits ? formatRate(limits) : null,
    seconds,
    ahead,
    fits: startAt + seconds * 1_000 <= endAt,
  }
}
