import type { RateLimiterAbstract } from 'rate-limiter-flexible'

const windowMs = 60_000
/** The window of the counter that processes share. */
export const feedLimitSeconds = windowMs / 1_000
/** How often a process tells the others what it has counted. */
const tellMs = 1_000
/** Clients counted in one window; beyond them nobody is refused, which is better than everybody. */
const maxClients = 100_000

interface Count {
  here: number
  untold: number
  /** Every process together has counted too many until then. */
  refusedUntil: number
}

interface FeedLimitOptions {
  /** GETs a minute; Infinity is off. */
  limit: number
  /** Counts for every process. Without, each counts alone. */
  shared?: Pick<RateLimiterAbstract, 'penalty'> | undefined
  now?: () => number
}

/**
 * Counts GETs of one feed from one address, a minute at a time: to stop a program that has lost its way, not to share
 * out a quota. No poll waits for the shared counter: it is told once a second what was counted here, and its answer
 * holds for the polls after it.
 */
export function createFeedLimit({ limit, shared, now = Date.now }: FeedLimitOptions) {
  let counts = new Map<string, Count>()
  let endsAt = 0
  let timer: NodeJS.Timeout | undefined

  const tell = (key: string, count: Count, counter: Pick<RateLimiterAbstract, 'penalty'>): void => {
    const points = count.untold
    count.untold = 0
    counter.penalty(key, points).then(
      ({ consumedPoints, msBeforeNext }) => {
        if (consumedPoints > limit) count.refusedUntil = now() + msBeforeNext
      },
      // Then this process counts alone.
      () => undefined,
    )
  }
  const tellAll = (): void => {
    timer = undefined
    if (!shared) return
    for (const [key, count] of counts) if (count.untold > 0) tell(key, count, shared)
  }

  /** True where this one is too many. */
  return (path: string, client: () => string): boolean => {
    if (limit === Infinity) return false
    const at = now()
    if (at >= endsAt) {
      tellAll()
      counts = new Map()
      endsAt = at + windowMs
    }
    const key = `${client()} ${path}`
    let count = counts.get(key)
    if (!count) {
      count = { here: 0, untold: 0, refusedUntil: 0 }
      if (counts.size < maxClients) counts.set(key, count)
    }
    count.here++
    count.untold++
    if (shared) timer ??= setTimeout(tellAll, tellMs).unref()
    return count.here > limit || at < count.refusedUntil
  }
}
