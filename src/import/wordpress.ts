import { firstInstantOf } from '../domain/cadence.ts'
import { summaryOf } from '../domain/article-html.ts'
import type { SelectionKind } from '../domain/article.ts'
import { slugOf } from '../domain/slug.ts'
import { imageTypeOf, type Attachments } from './attachments.ts'
import type { ImportedPost } from './batch.ts'
import { languageOf } from './language.ts'
import { plainText } from './plain-text.ts'
import { toHtml, toParagraphs } from './wordpress-html.ts'
import type { WxrComment, WxrItem } from './wxr.ts'

/** Why an item is not an article of ours. */
export type LeftOutReason =
  'page' | 'attachment' | 'menu item' | 'other type' | 'private' | 'password' | 'trash'

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
const states: Record<string, 'draft' | 'scheduled' | 'published'> = {
  publish: 'published',
  future: 'scheduled',
  draft: 'draft',
  pending: 'draft',
}

/** Undefined for a post that becomes an article. */
export function leftOutReason({ fields }: WxrItem): LeftOutReason | undefined {
  const type = fields.type ?? 'post'
  if (type !== 'post') return types[type] ?? 'other type'
  if ((fields.password ?? '') !== '') return 'password'
  const status = fields.status ?? 'publish'
  if (status === 'private') return 'private'
  return states[status] ? undefined : 'trash'
}

export function toPost(item: WxrItem, context: PostContext): WordpressPost {
  const { fields } = item
  const id = Number(fields.id)
  const html = toHtml(fields.content ?? '', {
    permalink: fields.link ?? '',
    findPictures: (ids) => context.attachments.findPictures(ids),
    listOwnPictures: () => context.attachments.listOfPost(id),
  })
  const title = plainText(fields.title ?? '') || titleFrom(html, fields.id ?? '')
  const link = URL.parse(fields.link ?? '')
  const publishedAt = dateOf(fields.dateGmt, fields.date, context.zone) ?? dateOfPubDate(fields.pubDate)
  const terms = termsOf(item)
  const slug = decode(fields.name ?? '')
  const language = context.language ?? languageOf(`${title} ${html}`, context.languages)
  const responses = item.comments.filter(isShown)
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
      state: states[fields.status ?? 'publish'],
      publishedAt: publishedAt?.toISOString(),
      picture: pictureOf(item, context),
      enclosure: enclosureOf(item.meta.get('enclosure')),
      responses: fields.commentStatus === 'open' ? 'open' : 'closed',
      guid: fields.guid === '' ? undefined : fields.guid,
    },
    origin: {
      ...(slug !== '' && { slug }),
      ...(link && link.pathname !== '/' && { oldPath: link.pathname }),
      baseUrl: link?.href ?? context.baseUrl,
    },
    selections: terms,
    responses: responses.map((comment) => toResponse(comment, fields.guid, context)),
    responsesLeftOut: item.comments.length - responses.length,
  }
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

const kindOfDomain: Record<string, 'section' | 'tag'> = { category: 'section', post_tag: 'tag' }

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

/** Slugs of other scripts are percent-encoded in an export. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function pictureOf(item: WxrItem, { attachments, baseUrl }: PostContext): object | undefined {
  const found = attachments.find(Number(item.meta.get('_thumbnail_id') ?? NaN))
  const url = found && URL.parse(found.url, baseUrl)?.href
  if (!found || !url) return undefined
  const credit = plainText(found.caption)
  const type = imageTypeOf(url)
  return { url, alt: plainText(found.alt), ...(credit && { credit }), ...(type && { type }) }
}

/** `url`, length and type on lines of their own, as WordPress keeps a podcast's file. */
function enclosureOf(text: string | undefined): object | undefined {
  const [url = '', length = '', type = ''] = (text ?? '').split('\n').map((line) => line.trim())
  const isMedia = /^(?:audio|video)\/[\w.+-]+$|^application\/pdf$/.test(type)
  return isMedia && /^\d+$/.test(length) && URL.canParse(url)
    ? { url, length: Number(length), type }
    : undefined
}

const kinds: Record<string, 'response' | 'trackback'> = {
  '': 'response',
  comment: 'response',
  pingback: 'trackback',
  trackback: 'trackback',
}

const isShown = (comment: WxrComment): boolean =>
  comment.approved === '1' && kinds[comment.type] !== undefined

function toResponse(comment: WxrComment, postGuid: string | undefined, context: PostContext) {
  const date = dateOf(comment.dateGmt, comment.date, context.zone)
  return {
    externalId: comment.id,
    input: {
      author: plainText(comment.author) || '—',
      authorUrl: /^https?:\/\/./i.test(comment.url) && URL.canParse(comment.url) ? comment.url : undefined,
      html: toParagraphs(comment.content.replace(/\r\n?/g, '\n')),
      publishedAt: date?.toISOString(),
      kind: kinds[comment.type],
      // What WordPress itself puts into its comment feeds: no reader shows an old response as new.
      guid: postGuid ? `${postGuid}#comment-${comment.id}` : undefined,
    },
  }
}

/** The UTC twin, where WordPress has filled it in (it has not for most drafts); else the local time in `zone`. */
function dateOf(gmt: string | undefined, local: string | undefined, zone: string): Date | undefined {
  const utc = wallOf(gmt)
  if (utc !== undefined) return new Date(utc)
  const wall = wallOf(local)
  return wall === undefined ? undefined : new Date(firstInstantOf(wall, zone))
}

function wallOf(text = ''): number | undefined {
  const [, date, time] = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)$/.exec(text.trim()) ?? []
  const wall = date === undefined || date.startsWith('0000') ? NaN : Date.parse(`${date}T${time ?? ''}Z`)
  return Number.isNaN(wall) ? undefined : wall
}

/** Of posts without any other date; drafts carry a date in the year -1. */
function dateOfPubDate(text = ''): Date | undefined {
  const at = new Date(text)
  return at.getTime() > 0 ? at : undefined
}
