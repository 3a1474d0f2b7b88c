import { z } from 'zod'
import { firstInstantOf, localTimeOf } from '../../domain/calendar.ts'
import { isMadeFrom } from '../../domain/articles/summary.ts'
import { nameOf, type Article, type ArticleBody, type Selection } from '../../domain/articles/article.ts'
import { slugOf } from '../../domain/articles/slug.ts'
import { listOf } from '../../http/form-fields.ts'
import type { ArticleInput } from '../../services/articles/input.ts'

const text = z.string().trim().default('')
/** A browser sends every line of a field with CR LF. */
const written = z
  .string()
  .transform((value) => value.replaceAll('\r\n', '\n'))
  .optional()
const chosen = z.preprocess(listOf, z.array(z.string()))
const names = text.transform((value) => [
  ...new Set(
    value
      .split(/[,،;؛\n]/)
      .map((name) => name.trim())
      .filter(Boolean),
  ),
])

const schema = z
  .object({
    title: text,
    deck: text,
    html: written,
    markdown: written,
    language: text,
    url: text,
    alt: text,
    credit: text,
    sections: chosen,
    dossiers: chosen,
    tags: names,
    authors: names,
    translationOf: text,
    correction: text,
    /** Empty: it stays what it is, a story to come a draft. */
    state: z.enum(['', 'published', 'scheduled', 'draft']).default(''),
    /** As clocks show it where the publication lives: `2026-03-29T07:00`. */
    publishedAt: z.union([z.literal(''), z.iso.datetime({ local: true })]).default(''),
    responses: z.enum(['open', 'closed']).default('closed'),
  })
  .refine(({ url, alt }) => url === '' || alt !== '', { path: ['alt'] })

/** What stands in the form, under the names of its fields. */
export type ArticleForm = Record<'sections' | 'dossiers', string[]> & Record<string, unknown>

/** Of a story to come. */
export const blankForm = (language: string): ArticleForm => ({
  sections: [],
  dossiers: [],
  language,
  markdown: '',
  state: 'draft',
})

/** @param said what the article says, or once said */
export function formOf(article: Article, said: ArticleBody, zone: string): ArticleForm {
  const { picture, publishedAt, firstPublicAt, state } = article
  const namesOf = (selections: Selection[]) =>
    selections.map((one) => nameOf(one, article.language)).join(article.language === 'ar' ? '، ' : ', ')
  return {
    ...article,
    title: said.title,
    deck: said.deck,
    html: undefined,
    markdown: undefined,
    [said.format]: said.body,
    url: picture?.url,
    alt: picture?.alt,
    credit: picture?.credit,
    sections: article.sections.map(({ slug }) => slug),
    dossiers: article.dossiers.map(({ slug }) => slug),
    tags: namesOf(article.tags),
    authors: namesOf(article.authors),
    state: state === 'withdrawn' ? '' : state,
    publishedAt: publishedAt && !firstPublicAt ? localTimeOf(publishedAt, zone) : '',
    responses: article.areResponsesOpen ? 'open' : 'closed',
  }
}

/** As it was sent, right or wrong. */
export function typedForm(body: unknown): ArticleForm {
  const fields = body as Record<string, unknown>
  return { ...fields, sections: listOf(fields['sections']), dossiers: listOf(fields['dossiers']) }
}

/**
 * The body that the API would be sent: what the form does not show stays.
 * @throws ZodError
 */
export function toInput(
  body: unknown,
  stored: Article | undefined,
  { zone, now }: { zone: string; now: Date },
): { input: ArticleInput; tagNames: Record<string, string> } {
  const { url, alt, credit, tags, state, publishedAt, html, markdown, ...rest } = schema.parse(body)
  const known = new Map(stored?.tags.map((tag) => [nameOf(tag, stored.language), tag.slug]))
  const slugs = tags.map((name) => [known.get(name) ?? slugOf(name), name] as const).filter(([slug]) => slug)
  const at = publishedAt && new Date(firstInstantOf(Date.parse(`${publishedAt}Z`), zone)).toISOString()
  // A draft or a scheduled story that goes out at once has another date than it had.
  const isOut = stored?.state === 'published' || stored?.state === 'withdrawn'
  const isEarly = state === 'published' && stored?.publishedAt && !stored.firstPublicAt
  const picture = url === '' ? undefined : { ...(stored?.picture?.url === url && stored.picture), url, alt }
  const input: ArticleInput = {
    ...rest,
    ...(markdown === undefined ? { html: html ?? '' } : { markdown }),
    tags: slugs.map(([slug]) => slug),
    translationOf: rest.translationOf || undefined,
    correction: rest.correction || undefined,
    state: state || (isOut ? undefined : 'draft'),
    publishedAt: state === 'scheduled' ? at || undefined : isEarly ? now.toISOString() : undefined,
    picture: picture && { ...picture, credit: credit || undefined },
    summary: stored && !isMadeFrom(stored.html, stored.summary) ? stored.summary : undefined,
    canonicalUrl: stored?.canonicalUrl,
    enclosure: stored?.enclosure,
  }
  return { input, tagNames: Object.fromEntries(slugs) }
}
