import { pathOfKind, type SelectionKind } from '../../domain/articles/article.ts'
import {
  feedPath,
  parseFeedPath,
  pathsOfChange,
  selectionSubject,
  splitSubject,
  type FeedAddress,
  type FeedSubject,
  type FoundFeed,
} from '../../domain/feeds/feed.ts'
import { unavailable } from '../../errors.ts'
import type { FeedDocument } from '../../store/feeds/feed-documents.ts'
import type { FeedPolls } from '../../store/feeds/feed-polls.ts'
import type { Stores } from '../../store/stores.ts'
import { gatherFeed, noFeed } from './gather.ts'
import { followChanges, madeFor, renderClaimed, renderNext, toDocument } from './render.ts'
import type { Parts } from '../parts.ts'

export type FeedService = ReturnType<typeof createFeedService>

export function createFeedService(
  parts: Pick<Parts, 'config' | 'database' | 'feedWriter' | 'hasEditions' | 'log' | 'now' | 'purge'>,
) {
  const { database, log } = parts

  /** Every feed as the desk sees it: what readers get, and who has asked for it in the last seven days. */
  const list = async (): Promise<FeedReport[]> => {
    const since = new Date(parts.now().getTime() - 6 * 24 * 3600_000).toISOString().slice(0, 10)
    const [documents, polls] = await Promise.all([
      database.stores.feedDocuments.list(),
      database.stores.feedPolls.listSince(since),
    ])
    return documents.map((document) =>
      toReport(
        document,
        polls.filter(({ path }) => path === document.path),
      ),
    )
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
      const changes = await followChanges(parts)
      while (await renderNext(parts)) changes.push(...(await followChanges(parts)))
      // Once they are there: a cache that asked sooner would keep what was.
      await parts.purge([...new Set(changes.flatMap(pathsOfChange))])
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
      const moved = await findMoved(database.stores, address)
      if (moved) return { kind: 'moved', to: moved }
      await assertExists(parts, address)
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

/** One feed on the desk. */
type FeedReport = ReturnType<typeof toReport>

function toReport(document: FeedDocument, polls: FeedPolls[]) {
  const { path, lastModified, size, items, leftOut, movedTo, retiredAt, dirtyAt } = document
  const sum = (pick: (one: FeedPolls) => number) => polls.reduce((total, one) => total + pick(one), 0)
  return {
    path,
    lastModified,
    /** Bytes, uncompressed. */
    size,
    items,
    leftOut,
    isWaiting: dirtyAt !== undefined,
    movedTo,
    retiredAt,
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

/** The slug of an article or of a selection may change; its feeds move along. */
async function findMoved(
  stores: Stores,
  { subject, language, format }: FeedAddress,
): Promise<string | undefined> {
  const { kind, slug } = splitSubject(subject)
  if (Object.hasOwn(pathOfKind, kind)) {
    const found = await stores.selections.findBySlug(kind as SelectionKind, slug)
    return found && found.slug !== slug
      ? feedPath({ subject: selectionSubject(found), language, format })
      : undefined
  }
  if (kind !== 'responses' || slug === '') return undefined
  if (await stores.articles.findBySlug(slug)) return undefined
  const article = await stores.articles.findBySlugHistory(slug)
  const to: FeedSubject | undefined = article && `responses:${article.slug}`
  return to && feedPath({ subject: to, language, format })
}

async function assertExists(
  { database, config, now }: Pick<Parts, 'database' | 'config' | 'now'>,
  address: FeedAddress,
) {
  const publication = await database.stores.publication.get()
  const { language } = address
  if (language !== undefined && !publication.languages.includes(language)) throw noFeed()
  const { stores } = database
  await gatherFeed({
    stores,
    publication,
    publicUrl: config.publicUrl,
    ...address,
    floor: undefined,
    now: now(),
  })
}
