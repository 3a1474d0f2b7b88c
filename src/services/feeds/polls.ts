import { LRUCache } from 'lru-cache'
import { readerFamilyOf } from '../../domain/feeds/reader-family.ts'
import type { FeedPolls } from '../../store/feeds/feed-polls.ts'
import type { Parts } from '../parts.ts'

export type PollOutcome = 'full' | 'notModified' | 'limited'

const flushMs = 10_000
/** User agents are many, families few: this many are looked up once. */
const maxKnownAgents = 2_000

/** Counts polls in memory and adds them to the database now and then: a poll itself costs no query. */
export function createFeedPolls({ database, log, now }: Pick<Parts, 'database' | 'log' | 'now'>) {
  let counted = new Map<string, Map<string, FeedPolls>>()
  const families = new LRUCache<string, string>({ max: maxKnownAgents, memoMethod: readerFamilyOf })
  let timer: NodeJS.Timeout | undefined

  const countsOf = (path: string, family: string): FeedPolls => {
    const known = counted.get(path)?.get(family)
    if (known) return known
    const polls = { path, family, full: 0, notModified: 0, limited: 0 }
    counted.set(path, (counted.get(path) ?? new Map<string, FeedPolls>()).set(family, polls))
    return polls
  }
  const flush = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const polls = [...counted.values()].flatMap((byFamily) => [...byFamily.values()])
    counted = new Map()
    try {
      await database.stores.feedPolls.put(now().toISOString().slice(0, 10), polls)
    } catch (error) {
      log.warn({ reason: String(error) }, 'counts of polls could not be kept')
    }
  }

  return {
    count(path: string, userAgent = '', outcome: PollOutcome): void {
      countsOf(path, families.memo(userAgent))[outcome]++
      timer ??= setTimeout(() => void flush(), flushMs).unref()
    },

    /** Keeps what is counted so far. */
    async close(): Promise<void> {
      if (timer) await flush()
    },
  }
}
