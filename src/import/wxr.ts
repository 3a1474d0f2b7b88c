import type { Readable } from 'node:stream'
import { openXml, type XmlSource } from './xml.ts'

export interface WxrComment {
  id: string
  author: string
  url: string
  dateGmt: string
  date: string
  content: string
  approved: string
  type: string
}

export interface WxrTerm {
  domain: string
  nicename: string
  name: string
}

/** One `<item>`, as text; fields are as WordPress names them, without their prefix. */
export interface WxrItem {
  fields: Partial<Record<Field, string>>
  terms: WxrTerm[]
  meta: Map<string, string>
  comments: WxrComment[]
  /** Where it begins in the file. */
  line: number
  /** Its texts are longer than any post, and were cut. */
  isTooLong: boolean
}

export interface WxrSite {
  title: string
  link: string
  baseUrl: string
  language: string
}

export type WxrPart = { kind: 'author'; login: string; name: string } | { kind: 'item'; item: WxrItem }

const fields = {
  title: 'title',
  link: 'link',
  pubDate: 'pubDate',
  guid: 'guid',
  'dc:creator': 'creator',
  'content:encoded': 'content',
  'excerpt:encoded': 'excerpt',
  'wp:post_id': 'id',
  'wp:post_date': 'date',
  'wp:post_date_gmt': 'dateGmt',
  'wp:comment_status': 'commentStatus',
  'wp:post_name': 'name',
  'wp:status': 'status',
  'wp:post_parent': 'parent',
  'wp:post_type': 'type',
  'wp:post_password': 'password',
  'wp:attachment_url': 'attachmentUrl',
} as const
type Field = (typeof fields)[keyof typeof fields]

const commentFields = {
  'wp:comment_id': 'id',
  'wp:comment_author': 'author',
  'wp:comment_author_url': 'url',
  'wp:comment_date': 'date',
  'wp:comment_date_gmt': 'dateGmt',
  'wp:comment_content': 'content',
  'wp:comment_approved': 'approved',
  'wp:comment_type': 'type',
} as const

/** What the import reads of a post's own data; the rest is passed over. */
const metaKeys = new Set(['_thumbnail_id', '_wp_attachment_image_alt', 'enclosure'])

/** All texts of one item together, its comments included. */
const maxItem = 16_000_000

const isKey = <Names extends object>(names: Names, key: string): key is keyof Names & string =>
  Object.hasOwn(names, key)

export interface WxrReader {
  source: XmlSource
  /** Complete once the first item has come. */
  site: WxrSite
  /** The document is an export of WordPress, not some other XML. */
  isWxr: () => boolean
  /** It ended with `</rss>`, not in the middle. */
  isComplete: () => boolean
  /** What each chunk of the file has completed. */
  parts: AsyncIterable<WxrPart[]>
}

/** Reads an export in a stream: at any moment one item and one chunk of the file are in memory. */
export function readWxr(stream: Readable | AsyncIterable<Uint8Array>): WxrReader {
  let found: WxrPart[] = []
  const builder = new WxrBuilder({ emit: (part) => found.push(part), line: () => source.line() })
  const source = openXml(stream, builder)
  return {
    source,
    site: builder.site,
    isWxr: () => builder.isWxr,
    isComplete: () => builder.isComplete,
    parts: (async function* () {
      for await (const _ of source.chunks) {
        yield found
        found = []
      }
    })(),
  }
}

interface BuilderOptions {
  emit: (part: WxrPart) => void
  /** The line under way. */
  line: () => number
}

class WxrBuilder {
  readonly site: WxrSite = { title: '', link: '', baseUrl: '', language: '' }
  isWxr = false
  isComplete = false
  readonly #options: BuilderOptions
  #text = ''
  #item: WxrItem | undefined
  #size = 0
  #comment: WxrComment | undefined
  #author: { login: string; name: string } | undefined
  #term: { domain: string; nicename: string } = { domain: '', nicename: '' }
  #metaKey = ''
  #isInRss = false

  constructor(options: BuilderOptions) {
    this.#options = options
  }

  readonly open = (name: string, attributes: Record<string, string>): void => {
    this.#text = ''
    if (name === 'rss') this.#isInRss = true
    else if (name === 'item') {
      const line = this.#options.line()
      this.#item = { fields: {}, terms: [], meta: new Map(), comments: [], line, isTooLong: false }
      this.#size = 0
    } else if (name === 'wp:comment') this.#comment = emptyComment()
    else if (name === 'wp:author') this.#author = { login: '', name: '' }
    else if (name === 'category') {
      this.#term = { domain: attributes['domain'] ?? '', nicename: attributes['nicename'] ?? '' }
    }
  }

  readonly text = (text: string): void => {
    this.#size += text.length
    if (this.#item && this.#size > maxItem) this.#item.isTooLong = true
    else this.#text += text
  }

  readonly cut = (): void => {
    if (this.#item) this.#item.isTooLong = true
  }

  readonly close = (name: string): void => {
    if (name === 'rss') this.isComplete = this.#isInRss
    else if (name === 'item') this.#endItem()
    else if (this.#item) this.#closeInItem(this.#item, name)
    else this.#closeInChannel(name)
    this.#text = ''
  }

  #endItem(): void {
    if (this.#item) this.#options.emit({ kind: 'item', item: this.#item })
    this.#item = undefined
    this.#comment = undefined
  }

  #closeInChannel(name: string): void {
    const text = this.#text.trim()
    if (name === 'wp:wxr_version') this.isWxr = true
    else if (name === 'wp:base_blog_url') this.site.baseUrl = text
    else if (name === 'title' && this.site.title === '') this.site.title = text
    else if (name === 'link' && this.site.link === '') this.site.link = text
    else if (name === 'language') this.site.language = text
    else if (this.#author) this.#closeInAuthor(this.#author, name, text)
  }

  #closeInAuthor(author: { login: string; name: string }, name: string, text: string): void {
    if (name === 'wp:author_login') author.login = text
    else if (name === 'wp:author_display_name') author.name = text
    else if (name === 'wp:author') {
      this.#options.emit({ kind: 'author', ...author })
      this.#author = undefined
    }
  }

  #closeInItem(item: WxrItem, name: string): void {
    const text = this.#text
    if (this.#comment) this.#closeInComment(item, this.#comment, name)
    else if (name === 'category') item.terms.push({ ...this.#term, name: text.trim() })
    else if (name === 'wp:meta_key') this.#metaKey = text.trim()
    else if (name === 'wp:meta_value') {
      if (metaKeys.has(this.#metaKey) && !item.meta.has(this.#metaKey))
        item.meta.set(this.#metaKey, text.trim())
    } else if (isKey(fields, name))
      item.fields[fields[name]] = name === 'content:encoded' ? text : text.trim()
  }

  #closeInComment(item: WxrItem, comment: WxrComment, name: string): void {
    if (isKey(commentFields, name)) comment[commentFields[name]] = this.#text.trim()
    else if (name === 'wp:comment') {
      item.comments.push(comment)
      this.#comment = undefined
    }
  }
}

const emptyComment = (): WxrComment => ({
  id: '',
  author: '',
  url: '',
  date: '',
  dateGmt: '',
  content: '',
  approved: '',
  type: '',
})
