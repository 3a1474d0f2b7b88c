import { createHash } from 'node:crypto'
import { slugOf } from '../domain/slug.ts'
import { imageTypeOf } from './attachments.ts'
import { languageOf } from './language.ts'
import { plainText } from './plain-text.ts'
import type { ImportedPost } from './batch.ts'
import { openXml } from './xml.ts'

/** One `<item>` of RSS or `<entry>` of Atom, as text. */
interface FeedItem {
  title: string
  link: string
  guid: string
  date: string
  /** The longest of what the feed offers as text. */
  html: string
  summary: string
  authors: string[]
  tags: string[]
  picture: string
  enclosure: { url: string; type: string; length: string } | undefined
}

export interface ReadFeed {
  title: string
  link: string
  language: string
  items: FeedItem[]
}

const emptyItem = (): FeedItem => ({
  title: '',
  link: '',
  guid: '',
  date: '',
  html: '',
  summary: '',
  authors: [],
  tags: [],
  picture: '',
  enclosure: undefined,
})

/** RSS 2.0, RSS 1.0 and Atom, with what real feeds get wrong put right. Undefined where it is none of these. */
export async function readFeed(bytes: Buffer): Promise<ReadFeed | undefined> {
  const builder = new FeedBuilder()
  const { chunks } = openXml([bytes] as unknown as AsyncIterable<Uint8Array>, builder)
  for await (const _ of chunks) continue
  return builder.isFeed ? builder.feed : undefined
}

class FeedBuilder {
  readonly feed: ReadFeed = { title: '', link: '', language: '', items: [] }
  isFeed = false
  #item: FeedItem | undefined
  #text = ''
  #isInSource = false
  /** Inside `type="xhtml"`, where markup is part of the text. */
  #xhtml = 0

  readonly open = (name: string, attributes: Record<string, string>): void => {
    if (this.#xhtml > 0) {
      this.#xhtml += 1
      this.#text += tagOf(name, attributes)
      return
    }
    this.#text = ''
    if (name === 'rss' || name === 'feed' || name === 'rdf:RDF') {
      this.isFeed = true
      this.feed.language = attributes['xml:lang'] ?? ''
    } else if (name === 'item' || name === 'entry') this.#item = emptyItem()
    else if (name === 'source') this.#isInSource = true
    if (attributes['type'] === 'xhtml') this.#xhtml = 1
    if (this.#item) openInItem(this.#item, name, attributes)
    else if (name === 'link' && attributes['href'] && (attributes['rel'] ?? 'alternate') === 'alternate') {
      this.feed.link = attributes['href']
    }
  }

  readonly text = (text: string): void => {
    this.#text += this.#xhtml > 0 ? text.replaceAll('&', '&amp;').replaceAll('<', '&lt;') : text
  }

  readonly close = (name: string): void => {
    if (this.#xhtml > 1) {
      this.#xhtml -= 1
      this.#text += `</${name}>`
      return
    }
    this.#xhtml = 0
    const text = this.#text.trim()
    this.#text = ''
    if (name === 'source') this.#isInSource = false
    else if (this.#isInSource) return
    else if (name === 'item' || name === 'entry') {
      if (this.#item) this.feed.items.push(this.#item)
      this.#item = undefined
    } else if (this.#item) closeInItem(this.#item, name, text)
    else if (name === 'title' && this.feed.title === '') this.feed.title = text
    else if (name === 'link' && text !== '') this.feed.link = text
    else if (name === 'language') this.feed.language = text
  }
}

function openInItem(item: FeedItem, name: string, attributes: Record<string, string>): void {
  const { href, url, type = '', rel = 'alternate', length = '0', term } = attributes
  const isPicture = type.startsWith('image/') || attributes['medium'] === 'image' || imageTypeOf(url ?? '')
  if (name === 'link' && href && rel === 'alternate') item.link ||= href
  else if (name === 'link' && href && rel === 'enclosure') item.enclosure = { url: href, type, length }
  else if (name === 'category' && term) item.tags.push(term)
  else if (name === 'enclosure' && url && !isPicture) item.enclosure = { url, type, length }
  else if (
    (name === 'enclosure' || name === 'media:content' || name === 'media:thumbnail') &&
    url &&
    isPicture
  ) {
    item.picture ||= url
  }
}

function closeInItem(item: FeedItem, name: string, text: string): void {
  if (text === '') return
  if (name === 'title') item.title ||= text
  else if (name === 'link') item.link ||= text
  else if (name === 'guid' || name === 'id') item.guid = text
  else if (name === 'pubDate' || name === 'published' || name === 'dc:date') item.date = text
  else if (name === 'updated') item.date ||= text
  else if (name === 'content:encoded' || name === 'content') item.html = text
  else if (name === 'description' || name === 'summary') item.summary = text
  else if (name === 'dc:creator' || name === 'name') item.authors.push(text)
  else if (name === 'category') item.tags.push(text)
}

const tagOf = (name: string, attributes: Record<string, string>): string =>
  `<${name}${Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${value.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"`)
    .join('')}>`

/** An item as the services take it, not validated yet. Its text is the whole article, or its summary. */
export function toArticle(
  item: FeedItem,
  feed: ReadFeed,
  options: { url: string; language: string | undefined; languages: string[] },
): ImportedPost {
  const link = URL.parse(item.link, feed.link || options.url)
  const html = item.html || item.summary
  const date = new Date(item.date)
  const tags = [...new Set(item.tags.map((tag) => slugOf(plainText(tag))).filter((slug) => slug !== ''))]
  const { picture, enclosure } = item
  const title = plainText(item.title) || plainText(html).slice(0, 80)
  const pictureUrl = picture === '' ? undefined : URL.parse(picture, link?.href ?? options.url)?.href
  const isMedia = /^(?:audio|video)\/|^application\/pdf$/.test(enclosure?.type ?? '')
  return {
    // A guid may hold any character and be of any length.
    externalId: `feed:${createHash('sha256')
      .update(item.guid || item.link)
      .digest('hex')
      .slice(0, 40)}`,
    input: {
      title,
      html,
      language: options.language ?? languageOf(`${title} ${plainText(html)}`, options.languages),
      summary: item.html === '' ? '' : plainText(item.summary),
      tags,
      authors: item.authors.map((name) => plainText(name)).filter((name) => name !== ''),
      publishedAt: Number.isNaN(date.getTime()) ? undefined : date.toISOString(),
      canonicalUrl: link && /^https?:$/.test(link.protocol) ? link.href : undefined,
      picture: pictureUrl === undefined ? undefined : { url: pictureUrl, alt: '' },
      enclosure: isMedia && enclosure ? { ...enclosure, length: Number(enclosure.length) || 0 } : undefined,
      guid: item.guid || undefined,
    },
    origin: { baseUrl: link?.href ?? options.url },
    selections: item.tags.flatMap((tag) => {
      const slug = slugOf(plainText(tag))
      return slug === '' ? [] : [{ kind: 'tag' as const, slug, names: { und: plainText(tag) } }]
    }),
    responses: [],
  }
}
