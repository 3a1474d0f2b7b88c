import { LRUCache } from 'lru-cache'
import { feedPath, parseFeedPath, type FoundFeed } from '../../domain/feeds/feed.ts'
import type { FeedService } from './feeds.ts'
import type { Parts } from '../parts.ts'

/** Bytes of feeds that a web process holds, all encodings together. */
const maxHeldBytes = 64 * 1024 * 1024
/** How often held feeds are compared with the stored ones, should a notification ever be lost. */
const compareMs = 30_000

/**
 * The feeds that this process answers polls from, without a query. It hears of every change from PostgreSQL; where
 * it cannot, it keeps what it holds. Least recently polled feeds go first.
 */
export function createFeedMemory(
  { database, log }: Pick<Parts, 'database' | 'log'>,
  service: Pick<FeedService, 'read'>,
  options: { maxBytes?: number } = {},
) {
  const held = new LRUCache<string, FoundFeed>({
    maxSize: options.maxBytes ?? maxHeldBytes,
    sizeCalculation: bytesOf,
  })
  const loading = new Map<string, Promise<FoundFeed>>()
  let stopListening: (() => Promise<void>) | undefined
  let timer: NodeJS.Timeout | undefined

  const hold = (path: string, found: FoundFeed) => {
    // A read that began before the last notification may end after it.
    if (!isOlder(found, held.peek(path))) held.set(path, found)
  }

  /** One read for however many readers wait for it. */
  const load = (path: string): Promise<FoundFeed> => {
    const running = loading.get(path)
    if (running) return running
    const started = service
      .read(path)
      .then((found) => {
        hold(path, found)
        return found
      })
      .finally(() => loading.delete(path))
    loading.set(path, started)
    return started
  }

  const refresh = async (path: string): Promise<void> => {
    if (!held.has(path) && !loading.has(path)) return
    try {
      await loading.get(path)?.catch(() => undefined)
      const found = await database.stores.feedDocuments.find(path)
      if (found) hold(path, found)
      else held.delete(path)
    } catch (error) {
      log.warn({ path, reason: String(error) }, 'a changed feed could not be read; the copy we hold stays')
    }
  }

  const compare = async (): Promise<void> => {
    try {
      const stored = await database.stores.feedDocuments.listVersions([...held.keys()])
      const stale = [...held].filter(([path, found]) => stored.get(path) !== versionOf(found))
      await Promise.all(stale.map(([path]) => refresh(path)))
    } catch (error) {
      log.warn({ reason: String(error) }, 'held feeds could not be compared with the stored ones')
    }
  }

  return {
    /** What this process holds, at once. */
    peek: (path: string): FoundFeed | undefined => held.get(path),

    /**
     * The same, from the database where it is not held; the path may be percent-encoded in any way.
     * @throws DomainError `no_feed`, and whatever the database throws
     */
    async read(path: string): Promise<FoundFeed> {
      const address = parseFeedPath(path)
      const canonical = address ? feedPath(address) : path
      return held.get(canonical) ?? load(canonical)
    },

    /** Begins to hear of changes, and reads the feeds that most readers poll. */
    async start(): Promise<void> {
      timer = setInterval(() => void compare(), compareMs)
      timer.unref()
      stopListening = await database.listenForFeeds({
        onMessage: (path) => void refresh(path),
        onReconnect: () => void compare(),
      })
      // While the database is away nothing is read ahead; each feed is then, when it is asked for.
      const ahead = await database.stores.feedDocuments.listPathsAhead().catch(() => [])
      for (const path of ahead) await load(path).catch(() => undefined)
    },

    async close(): Promise<void> {
      clearInterval(timer)
      await stopListening?.()
      await Promise.allSettled(loading.values())
    },
  }
}

const bytesOf = (found: FoundFeed): number =>
  found.kind === 'feed' ? found.feed.body.length + found.feed.gzip.length + found.feed.br.length : 100

const isOlder = (one: FoundFeed, other: FoundFeed | undefined): boolean =>
  one.kind === 'feed' && other?.kind === 'feed' && one.feed.lastModified < other.feed.lastModified

const versionOf = (found: FoundFeed): string | undefined =>
  found.kind === 'feed' ? `${found.feed.etag} ${found.feed.lastModified.getTime()}` : undefined
