import { summaryOf } from '../domain/article-html.ts'
import type { SelectionKind } from '../domain/article.ts'
import type { SourceMark } from '../domain/identity.ts'
import { slugOf } from '../domain/slug.ts'
import { imageTypeOf, type Attachments } from './attachments.ts'
import type { ImportedPost } from './batch.ts'
import { readDate } from './dates.ts'
import { enclosureOf } from './enclosure.ts'
import { undatedNote, unusableNote } from './notes.ts'
import { languageOf } from './language.ts'
import { plainText } from './plain-text.ts'
import { toHtml, toParagraphs } from './wordpress-html.ts'
import type { WxrComment, WxrItem } from './wxr.ts'

/** Why an item is not an article of ours. */
export type LeftOutReason =
  'page' | 'attachment' | 'menu item' | 'other type' | 'private' | 'password' | 'trash' | 'other state'

export interface PostContext {
  /** `wp:news.example`: what external ids begin with. */
  idPrefix: string
  baseUrl: string
  /** Display names by login. */
  authors: Map<string, string>
  attachments: Attachments
  /** For every post; undefined: told by the script of each. */
  language: string | undefined
  languages: string[]
  /** Where a local time without its UTC twin was written. */
  zone: string
  readAt: Date
}

/** A post, and the comments that wait for approval, are spam, or are of a kind that readers do not write. */
export interface WordpressPost extends ImportedPost {
  responsesLeftOut: number
}

const types: Record<string, LeftOutReason> = {
  page: 'page',
  attachment: 'attachment',
  nav_menu_item: 'menu item',
}
/** Every other one is a draft: editorial plugins have states of their own on the way to being published. */
const states: Record<string, 'draft' | 'scheduled' | 'published'> = {
  publish: 'published',
  future: 'scheduled',
}
const statesLeftOut: Record<string, LeftOutReason> = {
  private: 'private',
  trash: 'trash',
  'auto-draft': 'other state',
  inherit: 'other state',
}

/** Undefined for a post that becomes an article. */
export function leftOutReason({ fields }: WxrItem): LeftOutReason | undefined {
  const type = fields.type ?? 'post'
  if (type !== 'post') return types[type] ?? 'other type'
  if ((fields.password ?? '') !== '') return 'password'
  return statesLeftOut[fields.status ?? '']
}

/** Undefined for what may be imported; else a sentence. */
export function faultOf({ fields, tooLong }: WxrItem): string | undefined {
  if (tooLong !== undefined) {
    return `${tooLong}: more than 4 million characters, or 16 million in all, is no post`
  }
  const isBare = fields.type === undefined && (fields.content ?? '').trim() === ''
  return isBare ? 'it has neither a type nor a text; WordPress would refuse it, too' : undefined
}

export function toPost(item: WxrItem, context: PostContext): WordpressPost {
  const { fields } = item
  const notes: string[] = []
  const html = htmlOf(item, context, notes)
  const title = plainText(fields.title ?? '') || titleFrom(html, fields.id ?? '')
  const link = URL.parse(fields.link ?? '')
  const publishing = publishingOf(item, context, notes)
  const terms = termsOf(item)
  const slug = decode(fields.name ?? '')
  const language = context.language ?? languageOf(`${title} ${html}`, context.languages)
  const shown = item.comments.filter(isShown)
  const responses = shown.flatMap((comment) => toResponse(comment, { item, context, publishing, notes }))
  return {
    externalId: `${context.idPrefix}:${fields.id ?? ''}`,
    input: {
      title,
      html,
      language,
      summary: plainText(fields.excerpt ?? ''),
      sections: slugsOf(terms, 'section'),
      tags: slugsOf(terms, 'tag'),
      authors: [authorOf(fields.creator, context.authors)].filter((name) => name !== ''),
      ...publishing,
      picture: pictureOf(item, context),
      enclosure: enclosureIn(item, context, notes),
      responses: fields.commentStatus === 'open' ? 'open' : 'closed',
      guid: fields.guid === '' ? undefined : fields.guid,
    },
    origin: {
      ...(slug !== '' && { slug }),
      // A plain permalink (`/?p=12`) is no path.
      ...(link && link.pathname !== '/' && link.search === '' && { oldPath: link.pathname }),
      baseUrl: link?.href ?? context.baseUrl,
    },
    source: markOf(item, context, link?.href),
    selections: terms,
    responses,
    responsesLeftOut: item.comments.length - responses.length,
    notes,
  }
}

function markOf(
  { fields }: WxrItem,
  { idPrefix, zone, readAt }: PostContext,
  link: string | undefined,
): SourceMark {
  return {
    rank: 3,
    modifiedAt: readDate(fields.modifiedGmt ?? '', 'UTC') ?? readDate(fields.modified ?? '', zone),
    readAt,
    formerIds: [],
    site: idPrefix.replace(/^wp:/, ''),
    link,
    isSummary: false,
    isNameless: false,
  }
}

function htmlOf({ fields }: WxrItem, { attachments }: PostContext, notes: string[]): string {
  return toHtml(fields.content ?? '', {
    permalink: fields.link ?? '',
    findPictures: (ids) => attachments.findPictures(ids),
    listOwnPictures: () => attachments.listOfPost(Number(fields.id)),
    findPattern: (id) => {
      const pattern = attachments.findPattern(id)
      if (pattern === undefined) notes.push(`the pattern ${id} that stands in it is not in the file`)
      return pattern
    },
  })
}

/** The UTC twin, where WordPress has filled it in (it has not for most drafts); else the local time in `zone`. */
function publishingOf({ fields }: WxrItem, { zone }: PostContext, notes: string[]) {
  const date =
    readDate(fields.dateGmt ?? '', 'UTC') ??
    readDate(fields.date ?? '', zone) ??
    readDate(fields.pubDate ?? '', zone)
  const publishedAt = date?.toISOString()
  const state = states[fields.status ?? ''] ?? 'draft'
  if (fields.status === undefined) notes.push('it has no state, so it is a draft')
  if (date || state === 'draft') return { state, publishedAt }
  notes.push(undatedNote(fields.pubDate ?? fields.date))
  return { state: 'draft', publishedAt }
}

/** WordPress takes posts without a title; readers of a feed need something to click on. */
const titleFrom = (html: string, id: string): string => {
  const words = summaryOf(plainText(html)).split(' ')
  const beginning = words.slice(0, 8).join(' ')
  return beginning === '' ? `#${id}` : beginning + (words.length > 8 && !beginning.endsWith('…') ? '…' : '')
}

function authorOf(creator: string | undefined, names: Map<string, string>): string {
  // Some exports hold `<dc:creator>>login`.
  const login = (creator ?? '').replace(/^>/, '')
  return plainText(names.get(login) || login)
}

/** `tag`: of WXR 1.0. */
const kindOfDomain: Record<string, 'section' | 'tag'> = { category: 'section', post_tag: 'tag', tag: 'tag' }

function termsOf(item: WxrItem): ImportedPost['selections'] {
  return item.terms.flatMap(({ domain, nicename, name }) => {
    const kind = kindOfDomain[domain]
    const label = plainText(name)
    const slug = slugOf(decode(nicename)) || slugOf(label)
    return kind && slug !== '' ? [{ kind, slug, names: { und: label || slug } }] : []
  })
}

const slugsOf = (terms: ImportedPost['selections'], kind: SelectionKind): string[] => [
  ...new Set(terms.filter((term) => term.kind === kind).map((term) => term.slug)),
]

/** Slugs of other scripts are percent-encoded in an export, and long ones cut, maybe within a character. */
function decode(text: string): string {
  for (const whole of [
    text,
    ...[1, 2, 3].map((cut) => text.replace(new RegExp(`(?:%[^%]{0,2}){${cut}}$`), '')),
  ]) {
    try {
      return decodeURIComponent(whole)
    } catch {
      continue
    }
  }
  return text
}

function pictureOf(item: WxrItem, { attachments, baseUrl }: PostContext): object | undefined {
  const found = attachments.find(Number(item.meta.get('_thumbnail_id') ?? NaN))
  const url = found && URL.parse(found.url, baseUrl)?.href
  if (!found || !url) return undefined
  const { alt, caption } = found
  const type = imageTypeOf(url)
  return { url, alt, ...(caption && { credit: caption }), ...(type && { type }) }
}

/** URL, length and type on lines of their own, as WordPress keeps a podcast's file. */
function enclosureIn({ meta }: WxrItem, { baseUrl }: PostContext, notes: string[]): object | undefined {
  const [url = '', length = '', type = ''] = (meta.get('enclosure') ?? '')
    .split('\n')
    .map((line) => line.trim())
  const enclosure = url === '' ? undefined : enclosureOf({ url, length, type }, baseUrl)
  if (url !== '' && !enclosure) notes.push(unusableNote(url))
  return enclosure
}

const kinds: Record<string, 'response' | 'trackback'> = {
  '': 'response',
  comment: 'response',
  pingback: 'trackback',
  trackback: 'trackback',
}

const isShown = (comment: WxrComment): boolean =>
  comment.approved === '1' && kinds[comment.type] !== undefined

interface ResponseContext {
  item: WxrItem
  context: PostContext
  publishing: { publishedAt: string | undefined }
  notes: string[]
}

function toResponse(comment: WxrComment, { item, context, publishing, notes }: ResponseContext) {
  const date = readDate(comment.dateGmt, 'UTC') ?? readDate(comment.date, context.zone)
  const publishedAt = date?.toISOString() ?? publishing.publishedAt
  const { guid } = item.fields
  if (!date)
    notes.push(
      `response ${comment.id} has no date${publishedAt ? ', and was given that of its post' : ' and is left out: its post has none, too'}`,
    )
  if (publishedAt === undefined) return []
  return {
    externalId: comment.id,
    input: {
      author: plainText(comment.author) || '—',
      authorUrl: /^https?:\/\/./i.test(comment.url) && URL.canParse(comment.url) ? comment.url : undefined,
      html: toParagraphs(comment.content.replace(/\r\n?/g, '\n')),
      publishedAt,
      kind: kinds[comment.type],
      // What WordPress itself puts into its comment feeds: no reader shows an old response as new.
      guid: guid ? `${guid}#comment-${comment.id}` : undefined,
    },
  }
}
