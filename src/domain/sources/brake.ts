/** What a source has withdrawn and wants to withdraw, in articles. */
export interface Withdrawals {
  /** What is gone now. */
  wanted: number
  lastHour: number
  lastDay: number
  /** What is here of the source, what is gone now among it. */
  here: number
}

const mostInAnHour = 10
const shareOfADay = 0.02
/** A small site takes a few away on an ordinary day. */
const alwaysFew = 3

/**
 * Whether a person is asked before anything is withdrawn: a site that loses its database, its languages or its name
 * shows nothing, too, and readers would be told that everything was withdrawn.
 */
export function needsPerson({ wanted, lastHour, lastDay, here }: Withdrawals): boolean {
  if (wanted === 0) return false
  const isAll = wanted >= here && here > 1
  const mostInADay = Math.max(alwaysFew, Math.floor((here + lastDay) * shareOfADay))
  return isAll || wanted + lastHour > mostInAnHour || wanted + lastDay > mostInADay
}
