import { FieldText } from '../field-text.ts'
import { openXml, type OpenBytes, type Reading } from '../xml/xml.ts'

/** One `<item>`, as text; fields are as WordPress names them, without their prefix. */
export interface WxrItem {
  fields: Partial<Record<Field, string>>
  terms: { domain: string; nicename: string; name: string }[]
  meta: Map<string, string>
  comments: WxrComment[]
  /** Where it begins in the file. */
  line: number
  /** What is longer in it than in any post, and was cut. */
  tooLong: string | undefined
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
  'wp:post_modified': 'modified',
  'wp:post_modified_gmt': 'modifiedGmt',
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
export type WxrComment = Record<(typeof commentFields)[keyof typeof commentFields], string>

/** What the import reads of a post's own data; the rest is passed over. */
const metaKeys = new Set([
  '_thumbnail_id',
  '_wp_attachment_image_alt',
  'enclosure',
  // Of the block of the same name.
  'footnotes',
  // WPML, and Co-Authors Plus.
  '_wpml_import_language_code',
  'wpml_language',
  'cap-display_name',
  'cap-user_login',
])

/** All texts of one item together, its comments included. */
const maxItem = 16_000_000

/** What no text of an export holds: there it begins something of its own. */
const isOwn = (name: string): boolean =>
  /^(?:wp|dc|content|excerpt):/.test(name) ||
  ['rss', 'channel', 'item', 'title', 'link', 'pubDate', 'guid', 'category', 'language'].includes(name)

const isKey = <Names extends object>(names: Names, key: string): key is keyof Names & string =>
  Object.hasOwn(names, key)

export type WxrReader = ReturnType<typeof readWxr>

/** Reads an export in a stream: at any moment one item and one chunk of the file are in memory. */
export function readWxr(stream: ReturnType<OpenBytes>, reading: Reading) {
  let found: WxrPart[] = []
  const builder = new WxrBuilder({ emit: (part) => found.push(part), line: () => source.line() })
  const source = openXml(stream, builder, reading)
  return {
    source,
    /** Complete once the first item has come. */
    site: builder.site,
    /** The document is an export of WordPress, not some other XML. */
    isWxr: () => builder.isWxr,
    /** It ended with `</rss>`, not in the middle. */
    isComplete: () => builder.isComplete,
    /** The item that had begun where it ends. */
    pending: () => builder.pending,
    /** Items that begin in it, whatever was made of them. */
    items: () => (reading.isWellFormed ? builder.count : Math.max(builder.count, source.marks())),
    /** What each chunk of the file has completed. */
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
  readonly site = { title: '', link: '', baseUrl: '', language: '' }
  isWxr = false
  isComplete = false
  /** Items that have begun. */
  count = 0
  readonly #options: BuilderOptions
  #field: FieldText | undefined
  #item: WxrItem | undefined
  #size = 0
  #comment: WxrComment | undefined
  #author: { login: string; name: string } | undefined
  #term: { domain: string; nicename: string } = { domain: '', nicename: '' }
  #metaKey = ''
  #siteUrl = ''

  constructor(options: BuilderOptions) {
    this.#options = options
  }

  get pending(): WxrItem | undefined {
    return this.#item
  }

  readonly open = (name: string, attributes: Record<string, string>): void => {
    if (this.#field && !isOwn(name)) {
      this.#field.open(name, attributes)
      return
    }
    this.#endField()
    if (name === 'item') this.#openItem()
    else if (name === 'wp:comment') this.#comment = emptyComment()
    else if (name === 'wp:author' || name === 'wp:wp_author') this.#author = { login: '', name: '' }
    else {
      this.#field = new FieldText(name)
      if (name === 'category') {
        this.#term = { domain: attributes['domain'] ?? '', nicename: attributes['nicename'] ?? '' }
      }
    }
  }

  readonly text = (text: string): void => {
    if (!this.#field || !this.#isRead(this.#field.name)) return
    this.#size += text.length
    if (this.#item && this.#size > maxItem) this.#item.tooLong ??= 'all its texts together'
    else this.#field.add(text)
  }

  readonly cut = (): void => {
    const { name } = this.#field ?? {}
    if (this.#item && name !== undefined && this.#isRead(name)) this.#item.tooLong ??= name
  }

  readonly close = (name: string): void => {
    if (this.#field?.close()) return
    this.#endField()
    if (name === 'rss') this.isComplete = true
    else if (name === 'item') this.#endItem()
    else if (name === 'wp:comment') this.#endComment()
    else if (name === 'wp:author' || name === 'wp:wp_author') this.#endAuthor()
  }

  /** A plugin's own data may be of any size. */
  #isRead(name: string): boolean {
    return name !== 'wp:meta_value' || metaKeys.has(this.#metaKey)
  }

  #openItem(): void {
    // The one before has no end.
    this.#endItem()
    this.count += 1
    this.#size = 0
    const line = this.#options.line()
    this.#item = { fields: {}, terms: [], meta: new Map(), comments: [], line, tooLong: undefined }
  }

  #endItem(): void {
    this.#endComment()
    if (this.#item) this.#options.emit({ kind: 'item', item: this.#item })
    this.#item = undefined
  }

  #endComment(): void {
    if (this.#comment) this.#item?.comments.push(this.#comment)
    this.#comment = undefined
  }

  #endAuthor(): void {
    if (this.#author) this.#options.emit({ kind: 'author', ...this.#author })
    this.#author = undefined
  }

  #endField(): void {
    const field = this.#field
    this.#field = undefined
    if (!field) return
    const { name } = field
    const text = name === 'content:encoded' ? field.html() : field.html().trim()
    if (this.#comment) {
      if (isKey(commentFields, name)) this.#comment[commentFields[name]] = text
    } else if (this.#item) this.#setInItem(this.#item, name, text)
    else this.#setInChannel(name, text)
  }

  #setInChannel(name: string, text: string): void {
    if (name === 'wp:author_login' && this.#author) this.#author.login = text
    else if (name === 'wp:author_display_name' && this.#author) this.#author.name = text
    else if (name === 'wp:wxr_version') this.isWxr = true
    else if (name === 'wp:base_blog_url') this.site.baseUrl = text
    else if (name === 'wp:base_site_url') this.#siteUrl = text
    else if (name === 'title') this.site.title ||= text
    else if (name === 'link') this.site.link ||= text
    else if (name === 'language') this.site.language ||= text
    if (this.site.link === '' && this.site.baseUrl === '') this.site.link = this.#siteUrl
  }

  #setInItem(item: WxrItem, name: string, text: string): void {
    if (name === 'category') item.terms.push({ ...this.#term, name: text })
    else if (name === 'wp:meta_key') this.#metaKey = text
    else if (name === 'wp:meta_value') {
      if (metaKeys.has(this.#metaKey) && !item.meta.has(this.#metaKey)) item.meta.set(this.#metaKey, text)
    } else if (isKey(fields, name)) item.fields[fields[name]] = text
  }
}

const emptyComment = () =>
  Object.fromEntries(Object.values(commentFields).map((field) => [field, ''])) as WxrComment
