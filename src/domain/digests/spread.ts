import { complaintLimit } from '../deliverability/bounce.ts'
import type { Digest } from './digest.ts'
import { dayMs, hourMs } from '../time.ts'

/** A digest to more readers than this is offered to be spread over days, unless its domain is known. */
const mostAtOnce = 1_000
/** A domain that had as many accepted within `lookBackDays` is known. */
const littleSent = 1_000
export const lookBackDays = 30

/** The first day's; twice as many each day after. */
export const firstPortion = 500

/** Of those that were tried; the desk is told of a digest that passes it. */
export const mostRefused = 0.05

/** A portion that opens later than this after its time moves all days after it; a shorter delay moves none. */
const slackMs = hourMs

export interface PortionOutcome {
  accepted: number
  /** Rejected, returned, or put off for what servers think of us. */
  refused: number
  complaints: number
}
export type HeldReason = 'refusals' | 'complaints'

/** An alert is for now: it is never offered. */
export const isOffered = (
  { cadence }: Pick<Digest, 'cadence'>,
  { readers, sentLately }: { readers: number; sentLately: number },
): boolean => cadence !== 'alert' && readers > mostAtOnce && sentLately < littleSent

/** @returns undefined where the next portion may be twice as large */
export function findHeldReason({ accepted, refused, complaints }: PortionOutcome): HeldReason | undefined {
  const tried = Math.max(1, accepted + refused)
  if (refused > tried * mostRefused) return 'refusals'
  return complaints >= tried * complaintLimit && complaints > 0 ? 'complaints' : undefined
}

/** When the portion after this one opens: a day after its time. */
export const nextPortionAt = (plannedAt: Date, now: Date): Date => {
  const isLate = now.getTime() - plannedAt.getTime() > slackMs
  return new Date((isLate ? now : plannedAt).getTime() + dayMs)
}

/** @param first how many the first may be for */
export function portionsOf(readers: number, first: number): number[] {
  const portions: number[] = []
  for (let left = readers, size = first; left > 0; left -= size, size *= 2)
    portions.push(Math.min(left, size))
  return portions
}

/** A day, and how many it is for. */
export type SpreadDay = ReturnType<typeof daysOf>[number]

export const daysOf = (readers: number, first: number, startAt: Date) =>
  portionsOf(readers, first).map((n, day) => ({
    at: new Date(startAt.getTime() + day * dayMs),
    readers: n,
  }))
