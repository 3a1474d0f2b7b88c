import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ReadingContext } from '../../services/sources/site.ts'
import { readDate } from '../dates.ts'
import { enclosureOf } from '../enclosure.ts'
import { imageTypeOf } from '../file-types.ts'
import { readJson } from '../json.ts'
import { chooseLanguage } from '../language.ts'
import { undatedNote, unusableNote } from '../notes.ts'
import { plainText, titleFrom } from '../plain-text.ts'
import type { Attachments } from './attachments.ts'
import { originOf, writtenMark } from './origin.ts'
import { decodeSlug, sectionsAndTags, slugsOf } from './terms.ts'
import { toHtml } from './wordpress-html.ts'
import { isShown, toResponse } from './wxr-comment.ts'
import type { WxrItem } from './wxr.ts'

export interface PostContext extends ReadingContext {
  /** `wp:news.example`: what external ids begin with. */
  idPrefix: string
  baseUrl: string
  /** Display names by login. */
  authors: Map<string, string>
  attachments: Attachments
  /** For every post; undefined: each says its own. */
  language: string | undefined
  /** What the export says of itself. */
  siteLanguage: string
}

/** Every other one is a draft: editorial plugins have states of their own on the way to being published. */
const states: Record<string, 'draft' | 'scheduled' | 'published'> = {
  publish: 'published',
  future: 'scheduled',
}
/** One of the publication's languages; undefined where the post is in another one. */
export function postLanguage(item: WxrItem, context: PostContext): string | undefined {
  const { fields, terms, meta } = item
  return chooseLanguage(
    {
      fixed: context.language,
      // Polylang says it by a term, WPML by a field.
      own:
        terms.find(({ domain }) => domain === 'language')?.nicename ??
        meta.get('_wpml_import_language_code') ??
        meta.get('wpml_language'),
      link: fields.link,
      site: context.siteLanguage,
      text: `${fields.title ?? ''} ${fields.content ?? ''}`,
    },
    context.languages,
  )
}

/** By its number; what was not written by WordPress may have none, and is known by its guid or its page. */
export function externalIdOf({ fields }: WxrItem, { idPrefix }: PostContext): string {
  const { id = '', guid, link, title = '', date = '' } = fields
  const name = guid || link || `${title}\n${date}`
  const isNumbered = Number(id) !== 0
  return `${idPrefix}:${isNumbered ? id : createHash('sha256').update(name).digest('hex').slice(0, 40)}`
}

export function toPost(item: WxrItem, language: string, context: PostContext) {
  const { fields } = item
  const notes: string[] = []
  const html = htmlOf(item, context, notes)
  const title = plainText(fields.title ?? '') || titleFrom(html) || `#${fields.id ?? ''}`
  const link = URL.parse(fields.link ?? '')
  const publishing = stateAndDateOf(item, context, notes)
  const terms = sectionsAndTags(item.terms, context.sections)
  const shown = item.comments.filter(isShown)
  const responses = shown.flatMap((comment) => toResponse(comment, { item, context, publishing, notes }))
  return {
    externalId: externalIdOf(item, context),
    input: {
      title,
      html,
      language,
      summary: plainText(fields.excerpt ?? ''),
      sections: slugsOf(terms, 'section'),
      tags: slugsOf(terms, 'tag'),
      authors: authorsOf(item, context.authors, notes),
      ...publishing,
      picture: pictureOf(item, context),
      enclosure: enclosureIn(item, context, notes),
      responses: fields.commentStatus === 'open' ? 'open' : 'closed',
      guid: fields.guid === '' ? undefined : fields.guid,
    },
    origin: originOf(fields.name ?? '', link, context.baseUrl),
    source: writtenMark({
      modifiedAt: readDate(fields.modifiedGmt ?? '', 'UTC') ?? readDate(fields.modified ?? '', context.zone),
      readAt: context.readAt,
      site: context.idPrefix.replace(/^wp:/, ''),
      link: link?.href,
    }),
    selections: terms,
    responses,
    /** Comments that wait for approval, are spam, or are of a kind that readers do not write. */
    responsesLeftOut: item.comments.length - responses.length,
    notes,
  }
}

const footnotes = z.array(z.object({ id: z.string().regex(/^[\w-]+$/), content: z.string() })).catch([])

/** The texts of notes are kept beside the post; where its block stands WordPress writes them out. */
const withFootnotes = ({ fields, meta }: WxrItem): string =>
  (fields.content ?? '').replace(/<!--\s*wp:footnotes\s[^<>]*\/-->/, () => {
    const notes = footnotes
      .parse(readJson(Buffer.from(meta.get('footnotes') ?? '')))
      .map(({ id, content }) => `<li id="${id}">${content} <a href="#${id}-link">↩︎</a></li>`)
    return notes.length === 0 ? '' : `<!-- wp:footnotes --><ol>${notes.join('')}</ol><!-- /wp:footnotes -->`
  })

function htmlOf(item: WxrItem, { attachments }: PostContext, notes: string[]): string {
  const { fields } = item
  return toHtml(withFootnotes(item), {
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
function stateAndDateOf({ fields }: WxrItem, { zone }: PostContext, notes: string[]) {
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

/** As the site shows them: all of Co-Authors Plus, else the one who wrote it. A login is nobody's byline. */
function authorsOf({ fields, terms }: WxrItem, names: Map<string, string>, notes: string[]): string[] {
  // Some exports hold `<dc:creator>>login`.
  const creator = (fields.creator ?? '').replace(/^>/, '')
  const together = terms
    .filter(({ domain }) => domain === 'author')
    .map(
      ({ nicename, name }) => names.get(decodeSlug(nicename).replace(/^cap-/, '')) ?? names.get(name) ?? '',
    )
    .filter((name) => name !== '')
  const bylines = together.length > 0 ? together : [names.get(creator) ?? '']
  const shown = [...new Set(bylines.map((name) => plainText(name)).filter((name) => name !== ''))]
  if (shown.length === 0 && creator !== '') notes.push('the file does not say what its author is called')
  return shown
}

/** A guest author of Co-Authors Plus: under which names posts point to it, and what it is called. */
export function guestAuthorOf({ fields, meta }: WxrItem): { logins: string[]; name: string } | undefined {
  if (fields.type !== 'guest-author') return undefined
  const slug = decodeSlug(fields.name ?? '').replace(/^cap-/, '')
  const logins = [slug, meta.get('cap-user_login') ?? ''].filter((login) => login !== '')
  return { logins, name: meta.get('cap-display_name') ?? fields.title ?? '' }
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
