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
/** Of fewer than fifty articles 2 % are none, and one is taken away on an ordinary day. */
const leastInADay = 1

/**
 * Whether a person is asked before anything is withdrawn: a site that loses its database, its languages or its name
 * shows nothing, too, and readers would be told that everything was withdrawn.
 */
export function needsPerson({ wanted, lastHour, lastDay, here }: Withdrawals): boolean {
  const mostInADay = Math.max(leastInADay, Math.floor((here + lastDay) * shareOfADay))
  return wanted > 0 && (wanted + lastHour > mostInAnHour || wanted + lastDay > mostInADay)
}
