import type { Actor } from '../../domain/editor.ts'
import type { Selection } from '../../domain/articles/article.ts'
import {
  currentPath,
  feedFormats,
  feedPath,
  parseFeedPath,
  selectionSubject,
  type FeedAddress,
  type FeedFormat,
} from '../../domain/feeds/feed.ts'
import { DomainError, conflict } from '../../errors.ts'
import type { AuditDetail } from '../../store/desk/audit.ts'
import type { Stores } from '../../store/stores.ts'
import { noFeed } from './gather.ts'
import { toDocument } from './render.ts'
import type { FeedService } from './feeds.ts'
import type { Parts } from '../parts.ts'

interface Decision {
  action: 'feed.moved' | 'feed.retired' | 'feed.restored'
  actor: Actor
  detail?: AuditDetail
}

/** What the desk decides about the address of a feed. It holds for the feed in every format. */
export function createFeedMoveService(
  parts: Pick<Parts, 'config' | 'database' | 'doorbell'> & { feeds: Pick<FeedService, 'read'> },
) {
  const { config, database, doorbell, feeds } = parts
  /** From a path or a whole URL of ours. @throws DomainError `no_feed` */
  const findFeed = async (given: string): Promise<FeedAddress> => {
    const { publicUrl } = config
    const address = parseFeedPath(given.startsWith(publicUrl) ? given.slice(publicUrl.length) : given)
    if (!address) throw noFeed()
    await feeds.read(feedPath(address))
    return address
  }

  return {
    /**
     * Readers who poll the feed are led to the other one.
     * @throws DomainError `no_feed`, `feed_not_served`
     */
    async move(path: string, to: string, actor: Actor): Promise<void> {
      const [feed, target] = [await findFeed(path), await findFeed(to).catch(blameTarget)]
      const pathTo = (format: FeedFormat) => feedPath({ ...target, format })
      await database.transaction(async (stores) => {
        // Its own move, at this very moment, waits: nobody is led in a circle.
        await stores.feedDocuments.claim(target)
        const found = await stores.feedDocuments.find(pathTo(target.format))
        if (found?.kind !== 'feed' || pathTo(feed.format) === feedPath(feed)) throw notServed()
        const decision = { action: 'feed.moved', actor, detail: { to: feedPath(target) } } as const
        await decide(stores, feed, decision, (from, format) =>
          stores.feedDocuments.markMoved(from, pathTo(format)),
        )
        for (const format of feedFormats) await stores.feedDocuments.markServed(pathTo(format))
      })
      await doorbell.ring('render-feeds', {})
    },

    /** Readers who poll the feed are told that it has ended, and most of them stop. @throws DomainError `no_feed` */
    async retire(path: string, actor: Actor): Promise<void> {
      const feed = await findFeed(path)
      await database.transaction((stores) =>
        decide(stores, feed, { action: 'feed.retired', actor }, stores.feedDocuments.markRetired),
      )
    },

    /** Takes a move or a retirement back. @throws DomainError `no_feed` */
    async restore(path: string, actor: Actor): Promise<void> {
      const feed = await findFeed(path)
      await database.transaction((stores) =>
        decide(stores, feed, { action: 'feed.restored', actor }, stores.feedDocuments.markServed),
      )
      await doorbell.ring('render-feeds', {})
    },
  }
}

async function decide(
  stores: Stores,
  feed: FeedAddress,
  { action, actor, detail }: Decision,
  mark: (path: string, format: FeedFormat) => Promise<void>,
): Promise<void> {
  await stores.feedDocuments.claim(feed)
  const documents = feedFormats.map((format) => toDocument({ ...feed, format }))
  // A format that nobody has asked for yet ends with the others.
  await stores.feedDocuments.insertMissing(documents)
  for (const [index, { path }] of documents.entries()) await mark(path, feedFormats[index] ?? feed.format)
  await stores.audit.insert(actor, action, `feed:${feedPath(feed)}`, detail)
}

/** Of the two feeds of a move, the one that a person writes down. */
function blameTarget(error: unknown): never {
  if (!(error instanceof DomainError)) throw error
  const { kind, code, message } = error
  throw new DomainError(kind, code, message, { cause: error, field: 'to' })
}

const notServed = () => {
  const message = 'Choose another feed that is served itself: not this one, nor one that has moved or ended.'
  return conflict('feed_not_served', message, { field: 'to' })
}

/**
 * Readers of its feeds are led to those of the other one, in one step, also those who were led here before. What the desk
 * has moved or ended by itself stays so.
 */
export async function leadFeeds(
  stores: Stores,
  from: Pick<Selection, 'kind' | 'slug'>,
  to: Pick<Selection, 'kind' | 'slug'>,
): Promise<void> {
  const [subject, other] = [selectionSubject(from), selectionSubject(to)]
  const inOther = (path: string) => {
    const address = parseFeedPath(path)
    return address?.subject === subject ? feedPath({ ...address, subject: other }) : undefined
  }
  const { languages } = await stores.publication.get()
  // What nobody has asked for yet leads there as well: a process may hold what an address was before.
  await stores.feedDocuments.insertMissing(
    [undefined, ...languages].flatMap((language) =>
      feedFormats.map((format) => toDocument({ subject, language, format })),
    ),
  )
  const documents = await stores.feedDocuments.list()
  // A slug that comes back: its feeds led to those that now lead to them.
  for (const { path, movedTo } of documents)
    if (movedTo !== undefined && inOther(movedTo) === path) await stores.feedDocuments.markServed(path)
  const left = new Map(
    documents.flatMap(({ path, movedTo, retiredAt }) =>
      (movedTo !== undefined && inOther(movedTo) !== path) || retiredAt ? [[path, movedTo] as const] : [],
    ),
  )
  for (const { path, movedTo, retiredAt } of documents) {
    const target = retiredAt ? undefined : inOther(movedTo ?? path)
    if (target === undefined || target === path) continue
    const end = currentPath(left, target)
    if (end === undefined) await stores.feedDocuments.markRetired(path)
    else await stores.feedDocuments.markMoved(path, end)
  }
}
