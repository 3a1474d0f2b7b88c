import { dayMs, hourMs } from '../time.ts'
/** A place in the order of a feed: instant and id, newest first. */
export interface FeedPlace {
  at: Date
  id: number
}

export const windowSize = 50
export const windowHours = 48
/** Characters of body text in one document. */
const windowLength = 1_000_000

/** How long a withdrawn article is shown as its notice. */
export const noticeMs = 7 * dayMs

interface Candidate extends FeedPlace {
  /** Characters. */
  length: number
}

const isBelow = (one: FeedPlace, other: FeedPlace): boolean =>
  one.at.getTime() === other.at.getTime() ? one.id < other.id : one.at < other.at

/**
 * The newest 50, or all of the last 48 hours if those are more, as far as they fit into about 1 MB, and nothing
 * below the floor. The floor follows the oldest item shown once there is something older, and never moves back:
 * a story that has left a feed does not return when a newer one is withdrawn.
 * @param candidates newest first, and at least one more than is shown where there is more
 */
export function chooseWindow<Item extends Candidate>(
  candidates: Item[],
  { floor, now }: { floor: FeedPlace | undefined; now: Date },
): { shown: Item[]; floor: FeedPlace | undefined } {
  const recent = new Date(now.getTime() - windowHours * hourMs)
  let length = 0
  const shown: Item[] = []
  for (const candidate of candidates) {
    length += candidate.length
    const isOld = floor !== undefined && isBelow(candidate, floor)
    const isBeyond = shown.length >= windowSize && candidate.at < recent
    if (isOld || isBeyond || (length > windowLength && shown.length > 0)) break
    shown.push(candidate)
  }
  const oldest = shown.at(-1)
  const hasOlder = shown.length < candidates.length
  if (!oldest || !hasOlder || (floor && isBelow(oldest, floor))) return { shown, floor }
  return { shown, floor: { at: oldest.at, id: oldest.id } }
}
