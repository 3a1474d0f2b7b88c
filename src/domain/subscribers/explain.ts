import { hasCopyReason, spreadReason, type DeliveryState } from '../delivery/delivery.ts'
import type { Digest } from '../digests/digest.ts'

/** What is known of one person and one newsletter. */
export interface SubscriptionFacts {
  state: string
  endedAt: Date | null
  activatedAt: Date | null
  cadence: string
  alerts: boolean
  pausedUntil: Date | null
  suppressedReason: string | null
}

/** What is known of one delivery. */
export interface DeliveryFacts {
  state: DeliveryState
  reason: string | null
}

/** Why a person did or did not get a digest. */
export type Explanation = keyof typeof explanations

/** From what the record holds; the newest fact that alone suffices wins. */
export function explain(
  digest: Pick<Digest, 'state' | 'reason' | 'kind' | 'cadence' | 'startedAt' | 'audience' | 'detailsEndedAt'>,
  delivery: DeliveryFacts | undefined,
  facts: SubscriptionFacts | undefined,
): Explanation {
  if (delivery) return explainDelivery(delivery)
  if (digest.detailsEndedAt) return 'details_gone'
  if (digest.state === 'missed')
    return digest.reason === 'not_approved' ? 'digest_not_approved' : 'digest_missed'
  if (digest.state === 'skipped' && digest.audience === 0) {
    if (digest.reason === 'too_few') return 'digest_too_small'
    return digest.reason === 'no_readers' ? 'digest_without_readers' : 'digest_skipped'
  }
  if (digest.state === 'cancelled' && digest.audience === null) return 'digest_cancelled'
  if (!facts) return 'not_subscribed'
  const startedAt = digest.startedAt ?? new Date(8.64e15)
  if (facts.state === 'pending') return 'not_activated'
  if (facts.endedAt && facts.endedAt <= startedAt) return 'ended_before'
  if (facts.activatedAt && facts.activatedAt > startedAt) return 'activated_after'
  if (facts.suppressedReason) return 'suppressed'
  if (facts.pausedUntil && facts.pausedUntil > startedAt) return 'paused'
  const wants =
    digest.kind === 'letter' ||
    digest.cadence === facts.cadence ||
    (digest.cadence === 'alert' && facts.alerts)
  if (!wants) return 'other_cadence'
  return digest.audience === null ? 'not_prepared' : 'not_in_audience'
}

function explainDelivery({ state, reason }: DeliveryFacts): Explanation {
  if (reason === spreadReason && state === 'deferred') return 'spread'
  if (reason === spreadReason && state === 'skipped') return 'waits_for_earlier'
  if (state === 'pending' || state === 'claimed' || state === 'committing') return 'on_its_way'
  if (state !== 'skipped') return state
  if (reason === hasCopyReason) return 'has_copy'
  if (reason === 'cancelled') return 'digest_cancelled'
  if (reason === 'suppressed') return 'suppressed'
  if (reason === 'paused') return 'paused'
  if (reason === 'nothing_new' || reason === 'nothing_left' || reason === 'withdrawn') return 'nothing_new'
  return 'left_before_it_went'
}

/** For programs; the desk says it in its own languages. */
export const explanations = {
  accepted: 'The mail server took the message.',
  on_its_way: 'The message is waiting to be sent, or being sent.',
  deferred: 'The mail server asked to wait; it is tried again.',
  spread: 'The digest is spread over days, the newest readers first: their day is still to come.',
  waits_for_earlier:
    'They still wait for an earlier digest of this newsletter, which is spread over days: they begin with that one.',
  rejected: 'The mail server refused the message for this address.',
  uncertain: 'The message was handed over and no answer came: it may have arrived.',
  expired: 'The mail server kept asking to wait until the digest was no news any more.',
  has_copy: 'They have the same letter from another newsletter, or it is on its way to them.',
  nothing_new: 'They had every article of it already, or chose other sections.',
  digest_cancelled: 'The digest was cancelled before it went to them.',
  left_before_it_went: 'They left, or the address was erased, before the message went out.',
  details_gone: 'Details older than {days} days are no longer kept.',
  not_prepared: 'The digest has not gone out yet; they are among those it would go to.',
  digest_skipped: 'The digest had nothing new for anyone and was skipped.',
  digest_too_small: 'The digest had news, but fewer articles than the newsletter’s minimum, and was skipped.',
  digest_without_readers: 'The digest had no readers and was skipped.',
  digest_not_approved: 'Nobody had approved the digest within two hours of its time, and it was missed.',
  digest_missed: 'The digest could not start within two hours of its time and was missed.',
  not_subscribed: 'They are not subscribed to this newsletter.',
  not_activated: 'They asked for the newsletter and have not activated it.',
  ended_before: 'Their subscription had ended before the digest went out.',
  activated_after: 'They activated their subscription after the digest went out.',
  suppressed: 'Nothing is sent to this address any more: it bounced, complained or was blocked.',
  paused: 'They had paused the newsletter.',
  other_cadence: 'They chose another cadence.',
  not_in_audience: 'They were not in the audience when the digest was prepared.',
} as const
