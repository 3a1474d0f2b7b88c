import { dateFormat } from '../formats.ts'
import { sanitizeText } from '../articles/markdown.ts'
import { articlePath } from '../articles/article.ts'
import { isQuotedIn } from './quote.ts'
import type { FrozenArticle, FrozenBlock, FrozenDigest } from './frozen-digest.ts'
import type { VariantPlan } from './digest.ts'

/** Readers with the same sections and the same history, and what is left for them, in the digest's order. */
export interface ReaderGroup {
  articleIds: number[]
  readers: number
}

/**
 * The variants of a digest: what is left for each group, up to the maximum; groups with the same list are one.
 * @param isForAll also for whom no article is left
 */
export function planVariants(
  groups: readonly ReaderGroup[],
  { maxArticles, isForAll }: { maxArticles: number; isForAll: boolean },
): VariantPlan[] {
  const plans = new Map<string, VariantPlan>()
  for (const group of groups) {
    const articleIds = group.articleIds.slice(0, maxArticles)
    if (articleIds.length === 0 && !isForAll) continue
    const key = articleIds.join(',')
    const plan = plans.get(key) ?? { articleIds, readers: 0 }
    plans.set(key, { articleIds, readers: plan.readers + group.readers })
  }
  return [...plans.values()].sort((a, b) => b.readers - a.readers)
}

/** Blocks as they would have been arranged without the others: the first story moves up into a lead that lost its own. */
function blocksFor(blocks: readonly FrozenBlock[], articles: readonly FrozenArticle[]): FrozenBlock[] {
  const waiting = new Set(articles.map((article) => article.id))
  const kept = blocks.map((block) => block.articleIds.filter((id) => waiting.has(id)))
  return blocks.map((block, index) => {
    const later = kept.slice(index).flat()
    const articleIds = (kept[index] ?? []).filter((id) => waiting.has(id))
    const next = articles.find(({ id }) => waiting.has(id) && later.includes(id))
    const taken = block.kind === 'lead' && articleIds.length === 0 && next ? [next.id] : articleIds
    for (const id of taken) waiting.delete(id)
    return { ...block, articleIds: taken }
  })
}

/**
 * The digest as the readers of these articles get it: the first of them leads, and names it where no editor did.
 * One that was frozen before variants had leads of their own keeps its words.
 */
export function contentFor(content: FrozenDigest, articleIds: readonly number[]): FrozenDigest {
  const kept = new Set(articleIds)
  const articles = content.articles.filter((article) => kept.has(article.id))
  if (articles.length === content.articles.length) return content
  if (content.subjectFrom === undefined) {
    const blocks = content.blocks.map((block) => ({
      ...block,
      articleIds: block.articleIds.filter((id) => kept.has(id)),
    }))
    return { ...content, articles, blocks }
  }
  const { more, ...rest } = content
  return {
    ...rest,
    articles,
    subject: subjectOf(content, articles),
    blocks: blocksFor(content.blocks, articles),
    // How many the maximum left out is known of the whole digest alone.
    ...(more && { more: { url: more.url } }),
  }
}

/** What a digest is called that an editor has not named. */
export const headlineOf = (newsletter: { name: string }, shown: readonly { title: string }[]): string =>
  shown[0]?.title ?? newsletter.name

/** The editor's, or the first headline of what is shown. */
export const subjectOf = (content: FrozenDigest, shown: readonly FrozenArticle[]): string =>
  content.subjectFrom === 'headline' ? headlineOf(content.newsletter, shown) : content.subject

/** An article that was public and is not any more. */
export interface GoneArticle {
  id: number
  slug: string
}

/**
 * The same digest as if these articles had never been in it: an editor's own words stay, except where they quote one
 * of the headlines.
 */
export function withoutArticles(content: FrozenDigest, gone: readonly GoneArticle[]): FrozenDigest {
  const isGone = ({ id, url }: { id?: number; url: string }) =>
    gone.some((one) => (id === undefined ? url.endsWith(articlePath(one.slug)) : one.id === id))
  const lost = [...content.articles, ...content.mostRead].filter(isGone).map(({ title }) => title)
  if (lost.length === 0) return content
  const isClean = (text: string) => !lost.some((headline) => isQuotedIn(text, headline))
  const { preheader, ...rest } = contentFor(
    content,
    content.articles.filter((article) => !isGone(article)).map(({ id }) => id),
  )
  // Also where it is not said: what is called like its first story is so by the rule.
  const isHeadline = content.subjectFrom !== 'editor' && content.subject === content.articles[0]?.title
  const next = isHeadline ? rest.articles[0]?.title : undefined
  const intro = content.intro
    .split(/\n{2,}/)
    .filter(isClean)
    .join('\n\n')
  return {
    ...rest,
    subject: isClean(rest.subject) ? rest.subject : (next ?? neutralSubject(content)),
    intro,
    ...(intro !== content.intro &&
      content.introHtml !== undefined && {
        introHtml: sanitizeText('markdown', intro, content.publication.publicUrl),
      }),
    ...(preheader !== undefined && isClean(preheader) && { preheader }),
    mostRead: content.mostRead.filter((item) => !isGone(item)),
  }
}

function neutralSubject({ newsletter, publication, date }: FrozenDigest): string {
  const day = dateFormat(publication.locale, { dateStyle: 'long', timeZone: publication.zone })
  return `${newsletter.name} · ${day.format(new Date(date))}`
}

export type StrayQuote = ReturnType<typeof listStrayQuotes>[number]

/**
 * Words of an editor's own that quote a story which some readers do not get: for the desk to know before it sends;
 * nothing is refused for it.
 */
export function listStrayQuotes(
  content: FrozenDigest,
  variants: readonly { articleIds: readonly number[]; readers: number }[],
) {
  const own = {
    subject: content.subjectFrom === 'headline' ? '' : content.subject,
    preheader: content.preheader ?? '',
    intro: content.intro,
  }
  return (['subject', 'preheader', 'intro'] as const).flatMap((text) =>
    content.articles
      .filter(({ title }) => isQuotedIn(own[text], title))
      .map(({ id, title }) => ({
        text,
        articleId: id,
        title,
        readers: variants.reduce((sum, one) => sum + (one.articleIds.includes(id) ? 0 : one.readers), 0),
      }))
      .filter(({ readers }) => readers > 0),
  )
}
