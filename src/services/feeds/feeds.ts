import { isPublic, type SelectionKind } from '../../domain/articles/article.ts'
import {
  feedPath,
  parseFeedPath,
  selectionSubject,
  splitSubject,
  type FeedSubject,
  type FoundFeed,
} from '../../domain/feeds/feed.ts'
import { unavailable } from '../../errors.ts'
import type { FeedDocument } from '../../store/feeds/feed-documents.ts'
import type { FeedPolls } from '../../store/feeds/feed-polls.ts'
import type { Stores } from '../../store/stores.ts'
import { noFeed } from './gather.ts'
import { followChanges, madeFor, renderClaimed, renderNext, toDocument } from './render.ts'
import type { Parts } from '../parts.ts'
import { dayMs } from '../../domain/time.ts'

export type FeedService = ReturnType<typeof createFeedService>

export function createFeedService(
  parts: Pick<Parts, 'config' | 'database' | 'feedWriter' | 'hasEditions' | 'log' | 'now' | 'purge'>,
) {
  const { database, log } = parts

  /** Every feed as the desk sees it: what readers get, and who has asked for it in the last seven days. */
  const list = async (): Promise<FeedReport[]> => {
    const since = new Date(parts.now().getTime() - 6 * dayMs).toISOString().slice(0, 10)
    const [documents, polls] = await Promise.all([
      database.stores.feedDocuments.list(),
      database.stores.feedPolls.listSince(since),
    ])
    const pollsOf = Map.groupBy(polls, ({ path }) => path)
    return documents.map((document) => toReport(document, pollsOf.get(document.path) ?? []))
  }

  const assertSpoken = async (language: string | undefined) => {
    if (language === undefined) return
    const { languages } = await database.stores.publication.get()
    if (!languages.includes(language)) throw noFeed()
  }

  return {
    list,

    /** One of them. @throws DomainError `no_feed` */
    async get(path: string): Promise<FeedReport> {
      const report = (await list()).find((one) => one.path === path)
      if (!report) throw noFeed()
      return report
    },

    /**
     * Renders what has changed until nothing is left that may change now. Safe to run in several processes at once.
     * @returns whether changes wait for the next second: a feed changes at most once in each
     */
    async renderChanged(): Promise<boolean> {
      const paths = await followChanges(parts)
      while (await renderNext(parts)) paths.push(...(await followChanges(parts)))
      // Once they are there: a cache that asked sooner would keep what was.
      await parts.purge([...new Set(paths)])
      return database.stores.feedDocuments.hasDirty()
    },

    /** Feeds made by another version of the program, for another address or another name are made again. */
    async renewAll(): Promise<void> {
      const publication = await database.stores.publication.get()
      await database.stores.feedDocuments.updateDirtyUnlessMadeFor(madeFor(parts, publication))
    },

    /**
     * What a poll of the path is answered with; a feed that nobody has asked for yet is rendered now and stored.
     * @param path canonical, as `feedPath` writes it
     * @throws DomainError `no_feed`
     */
    async read(path: string): Promise<FoundFeed> {
      const found = await database.stores.feedDocuments.find(path)
      if (found) return found
      const address = parseFeedPath(path)
      if (!address) throw noFeed()
      const subject = await findSubject(database.stores, address.subject)
      if (subject === undefined) throw noFeed()
      if (subject !== address.subject) return { kind: 'moved', to: feedPath({ ...address, subject }) }
      await assertSpoken(address.language)
      // There before its articles are read: whatever changes from then on marks it. Formats of one feed that are waited
      // for at once, in any process, are rendered together by the first whose turn it is.
      await database.stores.feedDocuments.insertMissing([toDocument(address)])
      await database.transaction(async (stores) => {
        await stores.feedDocuments.claim(address)
        await renderClaimed(parts, stores, address)
      })
      const rendered = await database.stores.feedDocuments.find(path)
      if (rendered) return rendered
      log.warn({ path }, 'a feed could not be rendered for its first reader')
      throw unavailable('feed_not_ready', 'This feed is not ready yet; try again soon.', {
        retryAfterSeconds: 30,
      })
    },
  }
}

/** One feed on the desk; `size` is of its bytes, uncompressed. */
type FeedReport = ReturnType<typeof toReport>

function toReport(document: FeedDocument, polls: FeedPolls[]) {
  const sum = (pick: (one: FeedPolls) => number) => polls.reduce((total, one) => total + pick(one), 0)
  return {
    ...document,
    isWaiting: document.dirtyAt !== undefined,
    polls: sum((one) => one.full + one.notModified),
    notModified: sum((one) => one.notModified),
    limited: sum((one) => one.limited),
    /** Busiest first; `share` of 304s from 0 to 1. */
    readers: polls
      .map(({ family, full, notModified }) => ({
        family,
        polls: full + notModified,
        share: notModified / Math.max(1, full + notModified),
      }))
      .filter((reader) => reader.polls > 0),
  }
}

/** What the feed is of, by the slug it has now: its feeds move along. Undefined where there is no such thing. */
async function findSubject(stores: Stores, subject: FeedSubject): Promise<FeedSubject | undefined> {
  const { kind, slug } = splitSubject(subject)
  if (slug === '') return subject
  if (kind === 'newsletter') return (await stores.newsletters.findBySlug(slug)) && subject
  if (kind === 'pick') return (await stores.picks.find(slug)) && subject
  if (kind === 'responses') {
    const article =
      (await stores.articles.findBySlug(slug)) ?? (await stores.articles.findBySlugHistory(slug))
    return article && isPublic(article) ? `responses:${article.slug}` : undefined
  }
  const selection = await stores.selections.findPublic(kind as SelectionKind, slug)
  return selection && selectionSubject(selection)
}
