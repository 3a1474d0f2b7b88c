import { setImmediate } from 'node:timers/promises'
import { DomainError } from '../../errors.ts'
import {
  SiteFault,
  type FeedContext,
  type FeedReader,
  type ReadItem,
  type Site,
} from '../../services/sources/site.ts'
import { fitPost } from '../fit-post.ts'
import { itemLanguage, readFeed, toArticle, type FeedDocument, type FeedReading } from '../feed/feed.ts'
import { nameOf, withoutSharedNames } from '../feed/feed-identity.ts'
import type { FeedItem } from '../feed/feed-item.ts'
import { charsetOf } from '../fetch-public.ts'
import { askForNumber } from '../feed/import-feed.ts'
import { isProtected } from '../feed/password-protected.ts'
import { unclosedFault } from '../notes.ts'
import { faultOf, type SiteClient } from './site-client.ts'

/** A feed, again and again. */
export function createFeedReader(
  visit: SiteClient['visit'],
  findShortlink: SiteClient['findShortlink'],
): FeedReader {
  return {
    async read(site, conditions, context) {
      const answer = await visit(site.url, {
        ...(conditions?.etag && { 'if-none-match': conditions.etag }),
        ...(conditions?.lastModified && { 'if-modified-since': conditions.lastModified }),
      })
      if (answer.status === 304 && conditions) return undefined
      if (answer.status !== 200) throw faultOf(answer, 'gone')
      const { url, body } = answer
      const reading = await readOrFail({ url, body, charset: charsetOf(answer) })
      const { feed, isComplete } = reading
      const given = withoutSharedNames(feed)
      const known = await context.findIds(given.map(nameOf).filter((name) => name !== ''))
      const items: ReadItem[] = []
      for (const item of given) {
        await setImmediate()
        const number = known.get(nameOf(item)) ?? (await askForNumber(item, feed, findShortlink))
        items.push(toItem(item, reading, { site, context, number }))
      }
      return {
        // Of one that ends in the middle the rest is still to come.
        etag: isComplete ? answer.header('etag') : undefined,
        lastModified: isComplete ? answer.header('last-modified') : undefined,
        ttlMinutes: feed.ttlMinutes,
        home: homeOf(feed.link, url),
        items,
      }
    },
  }
}

/** Where a feed says that its site is; else where it was found. */
export const homeOf = (link: string, url: string): string =>
  URL.canParse(link) ? link : new URL('/', url).href

/** @throws SiteFault for what is no feed */
export async function readOrFail(document: FeedDocument): Promise<FeedReading> {
  const reading = await readFeed(document).catch((error: unknown) => {
    if (error instanceof DomainError) throw new SiteFault('unreadable', { cause: error })
    throw error
  })
  if (!reading) throw new SiteFault('unreadable')
  return reading
}

interface ItemContext {
  site: Site
  context: FeedContext
  number: string | undefined
}

function toItem(item: FeedItem, { feed }: FeedReading, { site, context, number }: ItemContext): ReadItem {
  const { languages, sections, zone, readAt } = context
  const language = itemLanguage(item, feed, { language: site.language, languages })
  const post = toArticle(item, feed, {
    url: site.url,
    language: language ?? '',
    sections,
    zone,
    readAt,
    // A number, for a hash is a known item's own.
    postNumber: number !== undefined && /^\d{1,18}$/.test(number) ? number : undefined,
  })
  const checked = language === undefined ? undefined : fitPost(post)
  const isFit = unclosedFault([item.title, item.html, item.summary]) === undefined
  const reason = isProtected(item, feed)
    ? 'protected'
    : checked === undefined
      ? 'language'
      : isFit && typeof checked !== 'string'
        ? undefined
        : 'unfit'
  const published = post.input['publishedAt']
  return {
    remoteId: post.externalId.slice(post.externalId.lastIndexOf(':') + 1),
    publishedAt: typeof published === 'string' ? new Date(published) : undefined,
    modifiedAt: post.source.modifiedAt,
    isProtected: reason === 'protected',
    guid: item.guid || undefined,
    link: post.source.link ?? item.link?.url,
    title: String(post.input['title']),
    article: reason === undefined && typeof checked === 'object' ? checked.article : undefined,
    selections: post.selections,
    reason,
  }
}
