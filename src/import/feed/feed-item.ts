import { imageTypeOf } from '../file-types.ts'
import type { GivenEnclosure } from '../enclosure.ts'
import { onOneLine } from '../../domain/text.ts'
import { toPlainParagraphs } from '../plain-text.ts'

/** A URL as it is written, and what `xml:base` says it is relative to. */
export interface GivenUrl {
  url: string
  base: string | undefined
  /** As it stood in the feed, with what marks a click. */
  given?: string
}

/** One `<item>` of RSS or `<entry>` of Atom; texts are HTML. */
export type FeedItem = ReturnType<typeof emptyItem>

const emptyItem = (line: number, language: string) => ({
  title: '',
  /** What it says of itself; empty where it does not. */
  language,
  link: undefined as GivenUrl | undefined,
  /** Items with other titles lead there, too. */
  sharesPage: false,
  guid: '',
  /** As they are written, the one that says best when it was published first. */
  dates: [] as string[],
  /** When it says that it was changed last; empty where it does not say. */
  modified: '',
  /** The longest of what the feed offers as text. */
  html: '',
  /** What `xml:base` says relative URLs in it are relative to. */
  htmlBase: undefined as string | undefined,
  summary: '',
  authors: [] as string[],
  tags: [] as string[],
  picture: undefined as GivenUrl | undefined,
  enclosures: [] as (GivenEnclosure & GivenUrl)[],
  /** What may stand in for an enclosure. */
  media: [] as (GivenEnclosure & GivenUrl)[],
  /** Where it begins in the document. */
  line,
})

type Attributes = Record<string, string>

export const textNames = new Set(
  'title dc:title media:title itunes:title content content:encoded xhtml:body description summary dc:description'.split(
    ' ',
  ),
)
/** The date that says best when an item was published first. */
const dateNames = (
  'published pubDate issued dcterms:issued dc:date created dcterms:created dcterms:date ' +
  'updated modified dcterms:modified'
).split(' ')
/** Of these, the ones that say when it was changed. */
const changeNames = new Set(['updated', 'modified', 'dcterms:modified'])
/** From the one that names the writer to the one that names the publisher. */
const authorNames = ['dc:creator', 'author', 'itunes:author']
const itemNames = new Set([
  ...[...textNames, ...dateNames, ...authorNames],
  ...'name link guid id category dc:subject dc:language enclosure itunes:image itunes:summary'.split(' '),
  ...'media:group media:content media:thumbnail media:description'.split(' '),
])

/** What stands in any other element is not the item's own: a product has variants, an author has a title. */
export const isOfItem = (name: string, isInAuthor: boolean): boolean =>
  isInAuthor ? name === 'name' : itemNames.has(name)

/** RFC 4287 §4.2.7.2: a name and its IRI mean the same. */
export const relationOf = ({ rel = 'alternate' }: Attributes): string =>
  rel.trim().toLowerCase().replace('http://www.iana.org/assignments/relation/', '')

/** What is gathered of the item under way. */
export class ItemBuilder {
  readonly item: FeedItem
  readonly #dates: { rank: number; text: string }[] = []
  readonly #authors = new Map<string, string[]>()
  #linkRank = Infinity
  #guidIsLink = false
  /** Texts that are not made for reading, of items that have no other. */
  #plain = ''

  constructor(line: number, language: string) {
    this.item = emptyItem(line, language)
  }

  open(name: string, attributes: Attributes, base: string | undefined): void {
    const { href, url = href, type = '', length = '' } = attributes
    if (name === 'link' && href) this.#link({ url: href, base }, attributes)
    else if (name === 'category' && attributes['term'])
      this.item.tags.push(attributes['label'] || attributes['term'])
    else if (name === 'guid') this.#guidIsLink = attributes['isPermaLink']?.trim().toLowerCase() !== 'false'
    else if (name === 'enclosure' && url) this.#addFile('enclosures', { url, base, type, length })
    else if (name === 'itunes:image' && url) this.item.picture ??= { url, base }
    else if ((name === 'media:content' || name === 'media:thumbnail') && url) {
      const isPicture =
        name === 'media:thumbnail' || attributes['medium'] === 'image' || imageTypeOf(url) !== undefined
      this.#addFile('media', { url, base, type, length: attributes['fileSize'] ?? '' }, isPicture)
    }
  }

  #link(link: GivenUrl, attributes: Attributes): void {
    const { type = '', length = '' } = attributes
    const rel = relationOf(attributes)
    if (rel === 'enclosure') this.#addFile('enclosures', { ...link, type, length })
    if (rel !== 'alternate') return
    const rank = type === '' || /html/i.test(type) ? 1 : 2
    if (rank < this.#linkRank) this.item.link = link
    this.#linkRank = Math.min(rank, this.#linkRank)
  }

  /** @param isPicture whatever its type says; unless said, by its ending where it has no type */
  #addFile(
    list: 'enclosures' | 'media',
    file: FeedItem['media'][number],
    isPicture = !file.type && imageTypeOf(file.url) !== undefined,
  ): void {
    if (isPicture || /^image\//i.test(file.type)) this.item.picture ??= { url: file.url, base: file.base }
    else this.item[list].push(file)
  }

  /** A field that may hold HTML. */
  setText(name: string, html: string, base: string | undefined): void {
    if (html === '') return
    if (name === 'title') this.item.title = html
    else if (name.endsWith('title')) this.item.title ||= html
    else if (/^content|body$/.test(name)) {
      if (html.length <= this.item.html.length) return
      this.item.html = html
      this.item.htmlBase = base
    } else {
      if (this.item.summary === '' && this.item.html === '') this.item.htmlBase = base
      this.item.summary ||= html
    }
  }

  /** A field that holds plain text. */
  set(name: string, text: string, base: string | undefined): void {
    if (text === '') return
    if (name === 'link') {
      if (this.#linkRank > 1) this.item.link = { url: text, base }
      this.#linkRank = 1
    } else if (name === 'guid' || name === 'id') this.item.guid = text
    else if (name === 'dc:language') this.item.language ||= text
    else if (name === 'category' || name === 'dc:subject') this.item.tags.push(text)
    else if (dateNames.includes(name)) this.#addDate(name, text)
    else if (name === 'media:description' || name === 'itunes:summary') this.#plain ||= text
    else if (authorNames.includes(name)) this.addAuthor(name, text)
  }

  #addDate(name: string, text: string): void {
    this.#dates.push({ rank: dateNames.indexOf(name), text })
    if (changeNames.has(name)) this.item.modified ||= text
  }

  addAuthor(name: string, text: string): void {
    const author = authorOf(text)
    if (author !== '') this.#authors.set(name, [...(this.#authors.get(name) ?? []), author])
  }

  end(feedAuthors: string[]): FeedItem {
    const { item } = this
    const link = item.guid.trim()
    if (!item.link && this.#guidIsLink && /^https?:\/\//i.test(link))
      item.link = { url: link, base: undefined }
    item.dates = this.#dates.sort((a, b) => a.rank - b.rank).map(({ text }) => text)
    const named = authorNames.find((name) => this.#authors.has(name))
    item.authors = named === undefined ? feedAuthors : (this.#authors.get(named) ?? [])
    if (item.html === '' && item.summary === '') item.html = toPlainParagraphs(this.#plain)
    return item
  }
}

/** RSS has `address (name)`; an address alone is nobody's byline. */
function authorOf(text: string): string {
  const [, address = '', inBrackets] = /^([^\s(]+)\s*\((.+)\)$/.exec(text) ?? []
  // Some sites join name and address by a no-break space.
  const words = onOneLine(text)
    .split(/\s+/)
    .filter((word) => !/^[^@]+@[^.]+\../.test(word))
  return address.includes('@') && inBrackets !== undefined ? inBrackets.trim() : words.join(' ')
}
