import { z } from 'zod'
import { isLanguageTag, languageTag } from '../../domain/language.ts'
import { enclosureType } from '../../domain/articles/article.ts'
import { longestHtml } from '../../domain/articles/article-html.ts'
import { cleanLine, cleanText } from '../../domain/text.ts'

/** The bodies that create and change articles and responses: they validate, and they describe the API. */

export const externalId = z.string().regex(/^[\p{L}\p{N}._~:-]{1,200}$/u, {
  error: 'must be 1 to 200 letters, digits, or any of . _ ~ : -',
})

export const slug = z
  .string()
  .normalize()
  .max(100)
  .regex(/^[\p{L}\p{N}]+(?:[-_][\p{L}\p{N}]+)*$/u, {
    error: 'must be words of letters and digits joined by hyphens, such as faits-divers',
  })
const slugs = z.array(slug).max(500).default([])

/** One line for people; control characters and line breaks are taken out rather than refused. */
const line = (max: number) => z.string().transform(cleanLine).pipe(z.string().max(max))
const requiredLine = (max: number) => z.string().transform(cleanLine).pipe(z.string().min(1).max(max))

const languageError = { error: 'must be a BCP 47 language tag, such as fr or ar-DZ', abort: true }
export const language = z
  .string()
  .max(35)
  .regex(languageTag, languageError)
  .refine(isLanguageTag, languageError)
export const time = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time with its offset, such as 2026-03-14T07:00:00Z' })
  .refine((value) => isYearBetween(value, 1900, 2200), { error: 'must lie between 1900 and 2200' })
const webUrl = z.url({ protocol: /^https?$/, error: 'must be an absolute http or https URL' }).max(2_000)
const size = z.int().min(1).max(100_000)

const picture = z.strictObject({
  url: webUrl,
  alt: line(1_000).default(''),
  credit: line(500).optional(),
  type: z
    .string()
    .regex(/^image\/[\w.+-]{1,60}$/, { error: 'must be an image type, such as image/jpeg' })
    .optional(),
  length: z.int().min(0).optional().describe('Bytes'),
  width: size.optional(),
  height: size.optional(),
})

const enclosure = z.strictObject({
  url: webUrl,
  type: z
    .string()
    .regex(enclosureType, { error: 'must be the type of audio, video or PDF, such as audio/mpeg' }),
  length: z.int().min(0).describe('Bytes'),
  title: line(500).optional(),
})

const guid = z
  .string()
  .min(1)
  .max(1_000)
  .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), { error: 'must hold no control characters' })
  .refine((text) => /\S/.test(text), { error: 'must not be blank' })
  .meta({
    pattern: '^[^\\x00-\\x1f\\x7f-\\x9f]*\\S[^\\x00-\\x1f\\x7f-\\x9f]*$',
    description: 'On creation only',
  })
  .optional()

const bodyError = { path: ['html'], error: 'is required, or markdown in its place' }

export const articleInput = z
  .strictObject({
    title: requiredLine(500),
    html: z.string().max(longestHtml).optional(),
    markdown: z
      .string()
      .max(longestHtml)
      .transform(cleanText)
      .optional()
      .describe('In place of html; tags in it are words'),
    language,
    deck: line(2_000).default(''),
    summary: line(5_000).default('').describe('Made from the text when absent'),
    sections: slugs,
    dossiers: slugs,
    tags: slugs,
    authors: z.array(requiredLine(200)).max(50).default([]).describe('Names'),
    state: z
      .enum(['draft', 'scheduled', 'published'])
      .optional()
      .describe('Default: published; a withdrawn article stays withdrawn until `published` is said'),
    publishedAt: time.optional().describe('The editor’s date; default: when it becomes public'),
    canonicalUrl: webUrl.optional(),
    picture: picture.optional(),
    enclosure: enclosure.optional().describe('Audio, video or PDF that belongs to the article'),
    responses: z.enum(['open', 'closed']).default('closed'),
    translationOf: externalId.optional().describe('Of the article here that this one translates'),
    correction: line(2_000).optional().describe('What readers are told of a correction'),
    viewsTotal: z.int().min(0).max(1e12).optional().describe('Raises the count; never lowers it'),
    guid,
  })
  .refine(({ html, markdown }) => (html === undefined) !== (markdown === undefined), bodyError)
  .meta({ oneOf: [{ required: ['html'] }, { required: ['markdown'] }] })

export type ArticleInput = z.input<typeof articleInput>
export type CheckedArticle = z.output<typeof articleInput>

export const responseInput = z.strictObject({
  author: requiredLine(300),
  authorUrl: webUrl.optional(),
  html: z.string().max(200_000).transform(cleanText),
  publishedAt: time.optional().describe('Default: now'),
  kind: z.enum(['response', 'trackback']).default('response'),
  guid,
})

export type ResponseInput = z.input<typeof responseInput>
export type CheckedResponse = z.output<typeof responseInput>

const names = z
  .record(language, requiredLine(200))
  .refine((value) => Object.keys(value).length > 0, { error: 'must hold a name in at least one language' })
  .meta({ minProperties: 1 })

export const selectionInput = z.strictObject({
  slug,
  names,
  position: z.int().min(0).max(100_000).optional(),
})
const instant = z.iso.datetime({ offset: true }).nullable().default(null)
export const pickInput = z
  .strictObject({
    names,
    articles: z.array(z.string().min(1).max(200)).max(50).default([]).describe('External ids, in order'),
    from: instant,
    to: instant,
    onFront: z.boolean().default(false).describe('Whether it stands at the side of the front page'),
  })
  .refine(({ from, to }) => from === null || to === null || Date.parse(from) < Date.parse(to), {
    error: 'must be later than from',
    path: ['to'],
  })
export type PickInput = z.input<typeof pickInput>

/** Public URLs hold the slug: those of the old one lead to the new one. */
export const selectionChange = z
  .strictObject({
    slug,
    names,
    descriptions: z.record(language, line(2_000)),
    position: z.int().min(0).max(100_000),
    listed: z.boolean().describe('Whether it stands in the menu and on the signup form'),
  })
  .partial()

export type SelectionInput = z.output<typeof selectionInput>
export type SelectionChangeInput = z.output<typeof selectionChange>

function isYearBetween(value: string, first: number, last: number): boolean {
  const year = new Date(value).getUTCFullYear()
  return year >= first && year <= last
}
