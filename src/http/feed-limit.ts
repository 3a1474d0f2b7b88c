const windowMs = 60_000
/** Clients counted in one window; beyond them nobody is refused, which is better than everybody. */
const maxClients = 100_000

/**
 * Counts unconditional GETs of one feed from one address, a minute at a time. In memory, for each process alone: it
 * is there to stop a program that has lost its way, not to share out a quota.
 * @param limit GETs a minute; Infinity is off
 */
export function createFeedLimit(limit: number, now: () => number = Date.now) {
  let counts = new Map<string, number>()
  let endsAt = 0
  /** True where this one is too many. */
  return (path: string, client: () => string): boolean => {
    if (limit === Infinity) return false
    if (now() >= endsAt) {
      counts = new Map()
      endsAt = now() + windowMs
    }
    const key = `${client()} ${path}`
    const count = (counts.get(key) ?? 0) + 1
    if (counts.size < maxClients || count > 1) counts.set(key, count)
    return count > limit
  }
}
