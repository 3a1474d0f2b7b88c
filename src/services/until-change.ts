import { LRUCache } from 'lru-cache'
import type { Stores } from '../store/stores.ts'

/** Whoever counts while a change is being committed may count without it. */
const mostMs = 60_000

/** Keeps what is counted over all articles until something that readers see has changed, a minute at most. */
export function untilChange<Of extends (string | undefined)[], Count extends object | number>(
  { feedDocuments }: Pick<Stores, 'feedDocuments'>,
  count: (...of: Of) => Promise<Count>,
): (...of: Of) => Promise<Count> {
  const kept = new LRUCache<string, Count, () => Promise<Count>>({
    max: 100,
    ttl: mostMs,
    fetchMethod: (_key, _stale, { context }) => context(),
  })
  return async (...of) =>
    kept.forceFetch([await feedDocuments.lastChange(), ...of].join(' '), { context: () => count(...of) })
}
