import { slugOf } from '../../domain/articles/slug.ts'
import type { ReadingContext } from '../../services/sources/site.ts'
import type { ImportedPost } from '../batch.ts'
import { readDate } from '../dates.ts'
import { enclosureOf, type UsableEnclosure } from '../enclosure.ts'
import { identify } from './feed-identity.ts'
import type { FeedItem, GivenUrl } from './feed-item.ts'
import { readJsonFeed } from './json-feed.ts'
import { FeedBuilder, type ReadFeed } from './feed-reader.ts'
import { chooseLanguage } from '../language.ts'
import { plainText, titleFrom } from '../plain-text.ts'
import { undatedNote, unusableNote } from '../notes.ts'
import { cleanRendered, summaryIn } from '../rendered-html.ts'
import { openXml, readingOf } from '../xml/xml.ts'
import { noRepairs, type Repairs } from '../xml/repairs.ts'

export interface FeedDocument {
  /** Where it was found: what its URLs are relative to. */
  url: string
  body: Buffer
  /** What the server says of its bytes. */
  charset?: string | undefined
}

export interface FeedReading {
  feed: ReadFeed
  repairs: Repairs
  /** How many items begin in the document, whatever was made of them. */
  marks: number
  /** Undefined for a document that has its end; else the item it ends in, if any. */
  isComplete: boolean
  pending: FeedItem | undefined
}

/**
 * RSS 0.9x, 1.0, 2.0, Atom 0.3, 1.0 and JSON Feed, with what real feeds get wrong put right. Undefined where it is none
 * of these.
 * @throws DomainError `doctype_refused`, `xml_too_deep`
 */
export async function readFeed({ url, body, charset }: FeedDocument): Promise<FeedReading | undefined> {
  if (/^\uFEFF?\s*\{/.test(body.toString('utf8', 0, 64))) {
    const feed = readJsonFeed(body, url)
    return (
      feed && { feed, repairs: noRepairs(), marks: feed.items.length, isComplete: true, pending: undefined }
    )
  }
  const open = () => [body]
  const reading = await readingOf(open, charset)
  const builder = new FeedBuilder(url, () => source.line())
  const source = openXml(open(), builder, reading)
  for await (const _ of source.chunks) continue
  const { feed, isFeed, isComplete, pending } = builder
  const marks = reading.isWellFormed ? feed.items.length : Math.max(feed.items.length, source.marks())
  return isFeed ? { feed, repairs: source.repairs, marks, isComplete, pending } : undefined
}

interface Options extends Omit<ReadingContext, 'languages'> {
  url: string
  language: string
  postNumber: string | undefined
}

/** An item as the services take it, not validated yet. Its text is the whole article, or its summary. */
export function toArticle(item: FeedItem, feed: ReadFeed, options: Options): ImportedPost {
  const site = feed.link || options.url
  const link = resolve(item.link, site)
  const clean = (text: string) => cleanRendered(text, { link, home: site })
  const html = clean(item.html) || clean(item.summary)
  const { sections, tags } = sortTags(item, options.sections)
  const title = plainText(item.title) || titleFrom(html)
  const picture = resolve(item.picture, link ?? site)
  const usable = (one: FeedItem['media'][number]) => enclosureOf(one, one.base ?? link ?? site)
  const enclosures = item.enclosures.map(usable)
  const publishedAt = item.dates
    .map((date) => readDate(date, options.zone))
    .find((date) => date !== undefined)
  const { externalId, source } = identify(item, feed, { ...options, link })
  return {
    externalId,
    input: {
      title,
      html,
      language: options.language,
      summary: item.html === '' ? '' : summaryIn(clean(item.summary)),
      sections,
      tags: tags.map(({ slug }) => slug),
      authors: item.authors.map((name) => plainText(name)).filter((name) => name !== ''),
      // What has no date would be the newest of all.
      state: publishedAt ? undefined : 'draft',
      publishedAt: publishedAt?.toISOString(),
      canonicalUrl: link,
      picture: picture === undefined ? undefined : { url: picture, alt: '' },
      enclosure: [...enclosures, ...item.media.map(usable)].find((one) => one !== undefined),
      guid: item.guid || undefined,
    },
    origin: { baseUrl: item.htmlBase ?? link ?? site },
    source,
    selections: tags.map(({ slug, name }) => ({ kind: 'tag' as const, slug, names: { und: name } })),
    responses: [],
    notes: notesOf(item, publishedAt, enclosures),
  }
}

/** One of the publication's languages; undefined where the item is in another one. */
export const itemLanguage = (
  item: FeedItem,
  feed: ReadFeed,
  { language, languages }: { language: string | undefined; languages: string[] },
): string | undefined =>
  chooseLanguage(
    {
      fixed: language,
      own: item.language,
      link: item.link && URL.parse(item.link.url, item.link.base ?? feed.link)?.href,
      site: feed.language,
      text: `${item.title} ${item.html || item.summary}`,
    },
    languages,
  )

/** A feed does not say which of its categories are sections: those are that are sections here. */
function sortTags({ tags: given }: FeedItem, known: ReadonlyMap<string, string>) {
  const sections = new Set<string>()
  const tags = new Map<string, string>()
  for (const name of given.map((tag) => plainText(tag))) {
    const slug = slugOf(name)
    const section = known.get(slug)
    if (section !== undefined) sections.add(section)
    else if (slug !== '' && !tags.has(slug)) tags.set(slug, name)
  }
  return { sections: [...sections], tags: [...tags].map(([slug, name]) => ({ slug, name })) }
}

const resolve = (given: GivenUrl | undefined, site: string): string | undefined => {
  const url = given && URL.parse(given.url, given.base ?? site)
  return url && /^https?:$/.test(url.protocol) ? url.href : undefined
}

function notesOf(
  { dates: [date], enclosures: given }: FeedItem,
  publishedAt: Date | undefined,
  enclosures: (UsableEnclosure | undefined)[],
): string[] {
  const unused = given.filter((_, index) => enclosures[index] === undefined)
  return [...(publishedAt ? [] : [undatedNote(date)]), ...unused.map(({ url }) => unusableNote(url))]
}
