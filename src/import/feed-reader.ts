import { imageTypeOf } from './attachments.ts'
import type { GivenEnclosure } from './enclosure.ts'
import { FieldText } from './field-text.ts'
import { toPlainParagraphs } from './plain-text.ts'

/** A URL as it is written, and what `xml:base` says it is relative to. */
export interface GivenUrl {
  url: string
  base: string | undefined
}

/** One `<item>` of RSS or `<entry>` of Atom; texts are HTML. */
export interface FeedItem {
  title: string
  /** What it says of itself; empty where it does not. */
  language: string
  link: GivenUrl | undefined
  guid: string
  /** As they are written, the one that says best when it was published first. */
  dates: string[]
  /** When it says that it was changed last; empty where it does not say. */
  modified: string
  /** The longest of what the feed offers as text. */
  html: string
  /** What `xml:base` says relative URLs in it are relative to. */
  htmlBase: string | undefined
  summary: string
  authors: string[]
  tags: string[]
  picture: GivenUrl | undefined
  enclosures: (GivenEnclosure & GivenUrl)[]
  /** What may stand in for an enclosure. */
  media: (GivenEnclosure & GivenUrl)[]
  /** Where it begins in the document. */
  line: number
}

export interface ReadFeed {
  title: string
  link: string
  language: string
  /** Atom says when an item was changed, and what its text is. */
  isAtom: boolean
  generator: string
  items: FeedItem[]
}

type Attributes = Record<string, string>

/** The date that says best when an item was published first. */
const dateNames = [
  'published',
  'pubDate',
  'issued',
  'dcterms:issued',
  'dc:date',
  'created',
  'dcterms:created',
  'dcterms:date',
  'updated',
  'modified',
  'dcterms:modified',
]
/** Of these, the ones that say when it was changed. */
const changeNames = new Set(['updated', 'modified', 'dcterms:modified'])
const textNames = new Set([
  ...['title', 'dc:title', 'media:title'],
  ...['content', 'content:encoded', 'xhtml:body'],
  ...['description', 'summary', 'dc:description'],
])
/** What ends a text that was never closed, as HTML has no such elements. */
const endNames =
  /^(?:atom:)?(?:item|entry|guid|pubDate|published|updated|id|author)$|^content:encoded$|^dc:\w+$/
/** What ends a title, which holds nothing like it. */
const endsTitle = /^(?:atom:)?(?:link|description|summary|content|category)$/
/** They have titles and links of their own. */
const asideNames = new Set(['source', 'image', 'textinput', 'textInput', 'contributor'])
/** From the one that names the writer to the one that names the publisher. */
const authorNames = ['dc:creator', 'author', 'itunes:author']

/** What is gathered of the item under way. */
class ItemBuilder {
  readonly item: FeedItem
  readonly #dates: { rank: number; text: string }[] = []
  readonly #authors = new Map<string, string[]>()
  #linkRank = Infinity
  #guidIsLink = false
  /** Texts that are not made for reading, of items that have no other. */
  #plain = ''

  constructor(line: number, language: string) {
    this.item = {
      title: '',
      language,
      link: undefined,
      guid: '',
      dates: [],
      modified: '',
      html: '',
      htmlBase: undefined,
      summary: '',
      authors: [],
      tags: [],
      picture: undefined,
      enclosures: [],
      media: [],
      line,
    }
  }

  open(name: string, attributes: Attributes, base: string | undefined): void {
    const { href, url = href, type = '', length = '' } = attributes
    if (name === 'link' && href) this.#link({ url: href, base }, attributes)
    else if (name === 'category' && attributes['term']) this.item.tags.push(attributes['term'])
    else if (name === 'guid') this.#guidIsLink = attributes['isPermaLink']?.trim().toLowerCase() !== 'false'
    else if (name === 'enclosure' && url) this.#enclosure({ url, base, type, length })
    else if (name === 'itunes:image' && url) this.item.picture ??= { url, base }
    else if ((name === 'media:content' || name === 'media:thumbnail') && url) {
      this.#addMedia({ url, base, type, length: attributes['fileSize'] ?? '' }, name, attributes['medium'])
    }
  }

  #link(link: GivenUrl, { rel = 'alternate', type = '', length = '' }: Attributes): void {
    if (rel === 'enclosure') this.#enclosure({ ...link, type, length })
    if (rel !== 'alternate') return
    const rank = type === '' || /html/i.test(type) ? 1 : 2
    if (rank < this.#linkRank) this.item.link = link
    this.#linkRank = Math.min(rank, this.#linkRank)
  }

  #enclosure(enclosure: FeedItem['enclosures'][number]): void {
    const isPicture = /^image\//i.test(enclosure.type) || (!enclosure.type && imageTypeOf(enclosure.url))
    if (isPicture) this.item.picture ??= { url: enclosure.url, base: enclosure.base }
    else this.item.enclosures.push(enclosure)
  }

  #addMedia(media: FeedItem['enclosures'][number], name: string, medium: string | undefined): void {
    const isPicture =
      name === 'media:thumbnail' ||
      medium === 'image' ||
      /^image\//i.test(media.type) ||
      imageTypeOf(media.url)
    if (isPicture) this.item.picture ??= { url: media.url, base: media.base }
    else this.item.media.push(media)
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
  const [, inBrackets] = /^\S+@\S+\s*\((.+)\)$/.exec(text) ?? []
  const name = inBrackets ?? text.replace(/\s*<?\S+@\S+\.\S+>?\s*/g, ' ')
  return name.trim()
}

/** Some write the marks of a CDATA section as text. */
function withoutMarks(html: string): string {
  const [begin = '', end = ''] = [/^(?:<|&lt;)!\[CDATA\[/, /\]\](?:>|&gt;)$/].map(
    (mark) => mark.exec(html)?.[0] ?? '',
  )
  return begin === '' || end === '' ? html : html.slice(begin.length, -end.length).trim()
}

/** Hears the elements of RSS 0.9x, 1.0, 2.0 and of Atom 0.3, 1.0, and gathers what an article is made of. */
export class FeedBuilder {
  readonly feed: ReadFeed = {
    title: '',
    link: '',
    language: '',
    isAtom: false,
    generator: '',
    items: [],
  }
  isFeed = false
  /** It ended with its root's end, not in the middle. */
  isComplete = false
  readonly #line: () => number
  /** Of every element that is open, what `xml:base` says. */
  readonly #bases: (string | undefined)[] = []
  readonly #url: string
  #root = ''
  #item: ItemBuilder | undefined
  #field: FieldText | undefined
  /** The text under way is in base64. */
  #isPacked = false
  #text = ''
  #authors: string[] = []
  #isInAuthor = false
  /** Inside an element that has a title or link of its own. */
  #aside = 0

  /** @param url of the document */
  constructor(url: string, line: () => number) {
    this.#url = url
    this.#line = line
  }

  /** The item that had begun where the document ends. */
  get pending(): FeedItem | undefined {
    return this.#item?.item
  }

  readonly open = (written: string, attributes: Attributes): void => {
    const base = this.#openBase(attributes)
    const { name: inside, depth } = this.#field ?? {}
    const isEnd = endNames.test(written) || (inside === 'title' && endsTitle.test(written))
    if (depth === 0 && isEnd) this.#endField()
    if (this.#field) {
      this.#field.open(written, attributes, (url) => (base ? (URL.parse(url, base)?.href ?? url) : url))
      return
    }
    const name = written.replace(/^atom:/, '')
    this.#text = ''
    if (this.#aside > 0 || asideNames.has(name)) this.#aside += 1
    else if (name === 'rss' || name === 'feed' || name === 'rdf:RDF') this.#openRoot(name, attributes)
    else if (name === 'item' || name === 'entry') this.#openItem(attributes['xml:lang'] ?? '')
    else if (name === 'author') this.#isInAuthor = true
    else if (textNames.has(name) && (this.#item || name === 'title'))
      this.#openField(written, name, attributes)
    else if (this.#item) this.#item.open(name, attributes, base)
    else if (name === 'generator') this.feed.generator = attributes['uri'] ?? ''
    else if (name === 'link' && attributes['href'] && (attributes['rel'] ?? 'alternate') === 'alternate') {
      this.feed.link ||= this.#resolve(attributes['href'])
    }
  }

  readonly text = (text: string): void => {
    if (this.#field) this.#field.add(text)
    else this.#text += text
  }

  readonly close = (written: string): void => {
    const base = this.#bases.pop()
    if (this.#field?.close()) return
    const name = written.replace(/^atom:/, '')
    const text = this.#text.trim()
    this.#text = ''
    if (this.#field) this.#endField(base)
    else if (this.#aside > 0) this.#aside -= 1
    else if (name === this.#root) this.isComplete = true
    else if (name === 'item' || name === 'entry') this.#endItem()
    else if (name === 'author' || (this.#isInAuthor && name === 'name')) this.#endAuthor(name, text)
    else if (this.#item) this.#item.set(name, text, base)
    else if (name === 'link' && text !== '') this.feed.link = this.#resolve(text)
    else if (name === 'language' || name === 'dc:language') this.feed.language ||= text
    else if (name === 'generator') this.feed.generator ||= text
  }

  #openBase(attributes: Attributes): string | undefined {
    const outer = this.#bases.at(-1)
    const given = attributes['xml:base']
    const base = given === undefined ? outer : (URL.parse(given, outer ?? this.#url)?.href ?? outer)
    this.#bases.push(base)
    return base
  }

  #resolve(url: string): string {
    return URL.parse(url, this.#bases.at(-1) ?? this.#url)?.href ?? ''
  }

  #openRoot(name: string, attributes: Attributes): void {
    this.isFeed = true
    this.#root = name
    this.feed.language = attributes['xml:lang'] ?? ''
    this.feed.isAtom = name === 'feed'
  }

  #openItem(language: string): void {
    // The one before has no end.
    this.#endItem()
    this.#item = new ItemBuilder(this.#line(), language)
  }

  #endItem(): void {
    if (this.#item) this.feed.items.push(this.#item.end(this.#authors))
    this.#item = undefined
  }

  #openField(written: string, name: string, { type = '', mode }: Attributes): void {
    const isAtom = (this.#root === 'feed' && !name.includes(':')) || written.startsWith('atom:')
    const isHtml = /^(?:text\/)?html$/i.test(type.trim()) && mode !== 'xml'
    this.#field = new FieldText(name, isAtom && !isHtml)
    this.#isPacked = isAtom && (mode === 'base64' || /octet-stream/i.test(type))
  }

  #endField(base = this.#bases.at(-2)): void {
    const { name } = this.#field ?? {}
    const written = withoutMarks(this.#field?.html().trim() ?? '')
    const html = this.#isPacked ? Buffer.from(written, 'base64').toString() : written
    this.#field = undefined
    if (name === undefined) return
    if (this.#item) this.#item.setText(name, html, base)
    else if (name === 'title') this.feed.title ||= html
  }

  #endAuthor(name: string, text: string): void {
    if (name === 'author') this.#isInAuthor = false
    if (text === '') return
    if (this.#item) this.#item.addAuthor('author', text)
    else if (this.#root === 'feed') this.#authors.push(text)
  }
}
