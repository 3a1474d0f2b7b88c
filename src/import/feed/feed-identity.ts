import { createHash } from 'node:crypto'
import type { SourceMark } from '../../domain/articles/source-verdict.ts'
import { foldUrl, siteHostOf, siteKeyOf } from '../../domain/articles/identity.ts'
import { readDate } from '../dates.ts'
import type { FeedItem, GivenUrl } from './feed-item.ts'
import type { ReadFeed } from './feed-reader.ts'

interface IdentityContext {
  /** Of the feed. */
  url: string
  /** Of the item's page. */
  link: string | undefined
  zone: string
  readAt: Date
  /** What the page itself says is its post's number, where somebody asked it. */
  postNumber?: string | undefined
}

/**
 * Who an item is. A post of WordPress has its number, whichever way it comes; another item is known by its guid, or
 * its link, at its own site; one that has neither by its words, so that it is only ever created.
 */
export function identify(
  item: FeedItem,
  feed: ReadFeed,
  { url, link, zone, readAt, postNumber = postNumberOf(item.guid) }: IdentityContext,
): { externalId: string; source: SourceMark } {
  const home = URL.canParse(feed.link) ? feed.link : url
  const name = nameOf(item)
  const former = item.guid || (item.link?.given ?? '')
  const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 40)
  const site = postNumber === undefined ? siteKeyOf(home) : siteKeyOf(wordpressHome(item.guid, link ?? home))
  const key = name === '' ? `${item.title}\n${item.dates[0] ?? ''}` : name
  return {
    externalId: postNumber === undefined ? `feed:${site}:${hash(key)}` : `wp:${site}:${postNumber}`,
    source: {
      rank: feed.isAtom ? 2 : 1,
      modifiedAt: readDate(item.modified, zone),
      readAt,
      formerIds: [`feed:${site}:${hash(former)}`, `feed:${hash(former)}`],
      site,
      link,
      isSummary: item.html === '',
      isNameless: name === '',
    },
  }
}

/** What an item is known by at its site; empty where it says nothing of the kind. */
export const nameOf = ({ guid, link, sharesPage }: Pick<FeedItem, 'guid' | 'link' | 'sharesPage'>): string =>
  guid || (sharesPage ? '' : (link?.url ?? ''))

/** `https://news.example/?p=12`: the guid that WordPress gives a post. */
const postGuid = /^https?:\/\/[^?#]*\/\?(?:.*&(?:#0?38;|amp;)?)?p=(\d{1,18})$/i

/** Its feed says so, unless somebody has taken that out of it: then the guids of its posts do. */
export const isOfWordpress = ({ guid }: FeedItem, { generator }: ReadFeed): boolean =>
  /\bwordpress\b/i.test(generator) || postNumberOf(guid) !== undefined

export const postNumberOf = (guid: string): string | undefined => postGuid.exec(guid.trim())?.[1]

/** The guid names the home that the post was written at; a site that has moved has another host since. */
function wordpressHome(guid: string, link: string): string {
  const written = URL.parse(guid)
  const here = new URL(link)
  if (!written || postNumberOf(guid) === undefined) return here.origin
  return siteHostOf(guid) === siteHostOf(link)
    ? written.origin + written.pathname
    : here.origin + written.pathname
}

/** What says in an address where a click came from: the page is the same without. */
const clickMarks =
  /(?<=[?&#])(?:utm_\w+|at_(?:medium|campaign)|xtor|[gd]clid|fbclid|msclkid|twclid|yclid|igshid|mc_[ce]id)=[^&#]*&?/gi

const withoutMarks = ({ link, ...item }: FeedItem): FeedItem => {
  const url = link?.url.replace(clickMarks, '').replace(/[?&#](?=#|$)/g, '')
  return { ...item, link: link && url !== undefined ? { ...link, url, given: link.url } : link }
}

/**
 * A document that repeats a guid for other pages, or a page for other titles, names nothing by it; nor does the front
 * page, where tomorrow's item leads, too.
 */
export function withoutSharedNames({ items: given, link: home }: ReadFeed): FeedItem[] {
  const items = given.map(withoutMarks)
  const isHome = ({ url = '', base = home }: Partial<GivenUrl> = {}) =>
    home !== '' && foldUrl(URL.parse(url, base)?.href ?? '') === foldUrl(home)
  const pagesOf = (item: FeedItem) => item.link?.url ?? item.title
  const byGuid = Map.groupBy(items, ({ guid }) => guid)
  const byPage = Map.groupBy(items, ({ link }) => link?.url)
  const isShared = (group: FeedItem[] | undefined, of: (item: FeedItem) => string) =>
    new Set(group?.map(of)).size > 1
  return items.map((item) => ({
    ...item,
    guid: isShared(byGuid.get(item.guid), pagesOf) ? '' : item.guid,
    sharesPage: isHome(item.link) || isShared(byPage.get(item.link?.url), ({ title }) => title),
  }))
}
