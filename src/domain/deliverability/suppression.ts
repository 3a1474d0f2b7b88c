import { dayMs } from '../time.ts'
import type { BounceClass } from './bounce.ts'

export const suppressionReasons = ['bounced', 'complained', 'erased', 'manual'] as const
export type SuppressionReason = (typeof suppressionReasons)[number]

/** Whether even a signup does not lift it: after a complaint, or where the desk has decided so. */
export const isBarred = (suppression: { reason: SuppressionReason } | undefined): boolean =>
  suppression?.reason === 'complained' || suppression?.reason === 'manual'

/** What a signup, or a new address, lifts: everything else. */
export const liftedBySignup = suppressionReasons.filter((reason) => !isBarred({ reason }))

/** An erasure keeps imports from bringing someone back: no desk may undo that. */
export const isLiftable = ({ reason }: { reason: SuppressionReason }): boolean => reason !== 'erased'

/** Half points: a mailbox that is full, or cannot be reached, on ten days has been left. */
const pointsOf: Record<BounceClass, number> = {
  dead: 5,
  doubtful: 1,
  full: 0.5,
  transient: 0.5,
  policy: 0,
  content: 0,
  sender: 0,
  complaint: 0,
}
const suppressionScore = 5
/** A bounce counts for so long. */
export const bounceWindowDays = 60

export interface ScoredBounce {
  at: Date
  class: BounceClass
  points: number
}

/**
 * What one more bounce means for a person.
 * @param past of the last `bounceWindowDays`
 * @param cleanAt when they last took a mail in a week without a bounce: nothing before counts any more
 */
export function scoreBounce(next: { class: BounceClass; at: Date }, past: ScoredBounce[], cleanAt?: Date) {
  const counted = past.filter(
    (each) =>
      each.points > 0 &&
      next.at.getTime() - each.at.getTime() < bounceWindowDays * dayMs &&
      (cleanAt === undefined || each.at > cleanAt),
  )
  const isCountedToday = counted.some((each) => dayOf(each.at) === dayOf(next.at))
  const isFinal = next.class === 'dead' || next.class === 'complaint'
  // Of this bounce alone; 0 where the day has its point already.
  const points = isCountedToday && !isFinal ? 0 : pointsOf[next.class]
  const score = counted.reduce((sum, each) => sum + each.points, points)
  const isDoubtfulAgain =
    next.class === 'doubtful' &&
    counted.some((each) => each.class === 'doubtful' && dayOf(each.at) !== dayOf(next.at))
  return { points, score, isSuppressed: isFinal || isDoubtfulAgain || score >= suppressionScore }
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10)
