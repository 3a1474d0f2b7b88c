import { z } from 'zod'
import { foldUrl, siteKeyOf } from '../../domain/articles/identity.ts'
import type { ReadingContext, ReadItem, Site } from '../../services/sources/site.ts'
import type { LanguageHome } from '../../store/sources/sources.ts'
import { fitPost } from '../fit-post.ts'
import { readDate } from '../dates.ts'
import { chooseLanguage } from '../language.ts'
import { plainText, titleFrom } from '../plain-text.ts'
import { cleanRendered, summaryIn } from '../rendered-html.ts'
import { originOf, writtenMark } from '../wordpress/origin.ts'
import { sectionsAndTags, slugsOf } from '../wordpress/terms.ts'

const text = z.object({ rendered: z.string(), protected: z.boolean().optional() })
const optionalText = text.catch({ rendered: '' })
const optionalWord = z.string().optional().catch(undefined)
const term = z.object({ taxonomy: z.string(), slug: z.string(), name: z.string() })
const size = (most = Infinity) => z.coerce.number().int().min(1).max(most).optional().catch(undefined)
const media = z.object({
  source_url: z.string(),
  alt_text: z.string().catch(''),
  caption: text.optional().catch(undefined),
  mime_type: z.string().startsWith('image/'),
  media_details: z.object({ width: size(100_000), height: size(100_000), filesize: size() }).catch({}),
})

/** What an answer embeds may be an error in its place: a deleted author, a picture of a draft. */
const embedded = <T extends z.ZodType>(schema: T) => z.array(schema.optional().catch(undefined)).catch([])

const restPost = z.object({
  id: z.int().positive(),
  date: optionalWord,
  date_gmt: optionalWord,
  modified_gmt: optionalWord,
  guid: optionalText,
  link: z.string(),
  slug: z.string().catch(''),
  status: z.string().catch('publish'),
  title: optionalText,
  content: text,
  excerpt: optionalText,
  comment_status: z.string().catch('closed'),
  /** Of Polylang Pro and WPML. */
  lang: optionalWord,
  wpml_current_locale: optionalWord,
  _embedded: z
    .object({
      author: embedded(z.object({ name: z.string() })),
      'wp:term': embedded(embedded(term)),
      'wp:featuredmedia': embedded(media),
    })
    .partial()
    .catch({}),
})

type RestPost = z.infer<typeof restPost>

/** A post as the API shows it to everyone, as the services take it; or why it is skipped. */
export function readPost(given: { id: number }, site: Site, context: ReadingContext): ReadItem {
  const read = restPost.safeParse(given)
  // Some plugins make every address a path.
  const link = URL.parse(read.data?.link ?? '', site.home)
  if (!read.success || !link || !/^https?:$/.test(link.protocol)) return unreadable(given)
  const post = { ...read.data, link: link.href }
  const clean = (text: string) => cleanRendered(text, { link: post.link, home: site.home })
  const html = clean(post.content.rendered)
  const title = plainText(post.title.rendered) || titleFrom(html) || `#${post.id}`
  const isProtected = post.content.protected === true
  const language = languageOf(post, site, context)
  const item = {
    remoteId: String(post.id),
    publishedAt: toDate(post.date_gmt) ?? readDate(post.date ?? '', context.zone),
    modifiedAt: toDate(post.modified_gmt),
    isProtected,
    guid: plainText(post.guid.rendered) || undefined,
    link: post.link,
    title,
  }
  const skip = (reason: string) => ({ ...item, article: undefined, selections: [], reason })
  if (isProtected || post.status !== 'publish') return skip('protected')
  if (language === undefined) return skip('language')
  const selections = sectionsAndTags(termsOf(post), context.sections)
  const checked = fitPost({
    externalId: `wp:${siteKeyOf(site.home)}:${post.id}`,
    input: {
      title,
      html,
      language,
      summary: summaryIn(clean(post.excerpt.rendered)),
      sections: slugsOf(selections, 'section'),
      tags: slugsOf(selections, 'tag'),
      authors: authorsOf(post),
      // What has no date would be the newest of all.
      state: item.publishedAt ? undefined : 'draft',
      publishedAt: item.publishedAt?.toISOString(),
      canonicalUrl: item.link,
      picture: pictureOf(post),
      responses: post.comment_status === 'open' ? 'open' : 'closed',
      guid: item.guid,
    },
    origin: originOf(post.slug, link, link.href),
    source: writtenMark({
      modifiedAt: item.modifiedAt,
      readAt: context.readAt,
      site: siteKeyOf(site.home),
      link: item.link,
    }),
  })
  return typeof checked === 'string'
    ? skip('unfit')
    : { ...item, article: checked.article, selections, reason: undefined }
}

/** One odd post stops no other. */
const unreadable = (given: { id: number; date_gmt?: unknown; modified_gmt?: unknown }): ReadItem => ({
  remoteId: String(given.id),
  publishedAt: toDate(String(given.date_gmt)),
  modifiedAt: toDate(String(given.modified_gmt)),
  isProtected: false,
  guid: undefined,
  link: undefined,
  title: `#${given.id}`,
  article: undefined,
  selections: [],
  reason: 'unfit',
})

const languageOf = (post: RestPost, site: Site, { languages }: ReadingContext): string | undefined =>
  chooseLanguage(
    {
      fixed: site.language,
      own: post.lang || post.wpml_current_locale || languageAt(post.link, site.homes),
      link: post.link,
      site: site.siteLanguage,
      text: `${post.title.rendered} ${post.content.rendered}`,
    },
    languages,
  )

/** The language whose home the page lies below: the longest, for one of them lies at the root. */
const languageAt = (link: string, homes: LanguageHome[]): string | undefined =>
  homes
    .filter(({ home }) => `${foldUrl(link)}/`.startsWith(`${foldUrl(home)}/`))
    .sort((a, b) => b.home.length - a.home.length)[0]?.language

const termsOf = (post: RestPost) =>
  (post._embedded['wp:term'] ?? [])
    .flatMap((terms) => terms ?? [])
    .flatMap((one) => (one ? { domain: one.taxonomy, nicename: one.slug, name: one.name } : []))

const authorsOf = (post: RestPost): string[] =>
  (post._embedded.author ?? []).map((author) => plainText(author?.name ?? '')).filter((name) => name !== '')

function pictureOf(post: RestPost): object | undefined {
  const [found] = post._embedded['wp:featuredmedia'] ?? []
  if (!found) return undefined
  const { width, height, filesize } = found.media_details
  const credit = plainText(found.caption?.rendered ?? '')
  return {
    url: URL.parse(found.source_url, post.link)?.href,
    alt: plainText(found.alt_text),
    type: found.mime_type,
    ...(credit !== '' && { credit: credit.slice(0, 500) }),
    ...(width && { width }),
    ...(height && { height }),
    ...(filesize && { length: filesize }),
  }
}

/** WordPress fills a date that it does not have with zeros. */
export const toDate = (gmt: string | null | undefined): Date | undefined => readDate(gmt ?? '', 'UTC')
