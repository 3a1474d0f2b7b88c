import type { Digest } from './digest.ts'

/**
 * The order of a digest: pinned first, then the explicit choice or, without one, what is due (newest first).
 * An exclusion wins over a pin.
 */
export function orderOf(digest: Pick<Digest, 'pinned' | 'excluded' | 'chosen'>, due: readonly number[]) {
  const excluded = new Set(digest.excluded)
  return [...new Set([...digest.pinned, ...(digest.chosen ?? due)])].filter((id) => !excluded.has(id))
}

/**
 * The pins that make `order` out of what is due: the shortest beginning after which the rest follows by itself, so
 * that new articles still come in below what an editor has placed.
 */
export function pinsFor(order: readonly number[], due: readonly number[]): number[] {
  const place = new Map(due.map((id, index) => [id, index]))
  let end = order.length
  while (end > 0) {
    const here = place.get(order[end - 1] ?? -1)
    const next = end < order.length ? place.get(order[end] ?? -1) : Infinity
    if (here === undefined || next === undefined || here > next) break
    end -= 1
  }
  return order.slice(0, end)
}
