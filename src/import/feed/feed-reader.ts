import { isOfItem, ItemBuilder, relationOf, textNames, type FeedItem } from './feed-item.ts'
import { FieldText } from '../field-text.ts'

export type ReadFeed = FeedBuilder['feed']

type Attributes = Record<string, string>

/** Elements that end a text which was never closed: none of them is an element of HTML. */
const endNames =
  /^(?:atom:)?(?:item|entry|guid|pubDate|published|updated|id|author)$|^content:encoded$|^dc:\w+$/
/** What ends a title, which holds nothing like it. */
const endsTitle = /^(?:atom:)?(?:link|description|summary|content|category)$/
/** Some write `pubdate`. */
const usualName = (written: string): string => written.replace(/^atom:/, '').replace(/^pubdate$/i, 'pubDate')
/** Elements with titles and links that are not the feed's. */
const asideNames = new Set(['source', 'image', 'textinput', 'textInput', 'contributor'])
/** Some write the marks of a CDATA section as text. */
function withoutMarks(html: string): string {
  const [begin = '', end = ''] = [/^(?:<|&lt;)!\[CDATA\[/, /\]\](?:>|&gt;)$/].map(
    (mark) => mark.exec(html)?.[0] ?? '',
  )
  return begin === '' || end === '' ? html : html.slice(begin.length, -end.length).trim()
}

/** Hears the elements of RSS 0.9x, 1.0, 2.0 and of Atom 0.3, 1.0, and gathers what an article is made of. */
export class FeedBuilder {
  readonly feed = {
    title: '',
    link: '',
    language: '',
    /** Atom says when an item was changed, and what its text is. */
    isAtom: false,
    generator: '',
    /** How long it asks to be left alone. */
    ttlMinutes: undefined as number | undefined,
    items: [] as FeedItem[],
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
    const name = usualName(written)
    this.#text = ''
    if (this.#aside > 0 || asideNames.has(name)) this.#aside += 1
    else if (name === 'rss' || name === 'feed' || name === 'rdf:RDF') this.#openRoot(name, attributes)
    else if (name === 'item' || name === 'entry') this.#openItem(attributes['xml:lang'] ?? '')
    else if (this.#item && !isOfItem(name, this.#isInAuthor)) this.#aside = 1
    else if (name === 'author') this.#isInAuthor = true
    else if (textNames.has(name) && (this.#item || name === 'title'))
      this.#openField(written, name, attributes)
    else if (this.#item) this.#item.open(name, attributes, base)
    else if (name === 'generator') this.feed.generator = attributes['uri'] ?? ''
    else if (name === 'link' && attributes['href'] && relationOf(attributes) === 'alternate') {
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
    const name = usualName(written)
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
    else if (name === 'ttl' && /^\d{1,5}$/.test(text)) this.feed.ttlMinutes = Number(text)
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
