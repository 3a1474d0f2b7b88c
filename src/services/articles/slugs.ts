import { slugOf } from '../../domain/articles/slug.ts'
import type { StoredArticle } from '../../store/articles/article-writes.ts'
import type { Stores } from '../../store/stores.ts'
import type { ArticleToPut } from './put-article.ts'

interface Unnamed {
  externalId: string
  stored: StoredArticle | undefined
  /** The slug it would have if nobody else did. */
  baseSlug: string
}

/** A URL that people have stays; before that, and for an import that names one, the slug follows the title. */
export function wantedSlug({ input, origin }: ArticleToPut, stored: StoredArticle | undefined): string {
  const named = origin?.slug === undefined ? '' : slugOf(origin.slug)
  if (stored?.firstPublicAt && named === '') return stored.slug
  const base = named || slugOf(input.title) || 'article'
  const isNumbered = stored?.slug.startsWith(`${base}-`) && /^\d$/.test(stored.slug.slice(base.length + 1))
  return stored && isNumbered ? stored.slug : base
}

const numbered = (slug: string) => [2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${slug}-${n}`)

/**
 * By external id, a slug that no other article has or once had: the base, else `-2` … `-9`; absent where all of
 * these are taken.
 */
export async function chooseSlugs(stores: Stores, articles: Unnamed[]): Promise<Map<string, string>> {
  const owners = new Map<string, string | number>()
  const look = async (slugs: string[]) => {
    if (slugs.length === 0) return
    for (const row of await stores.articles.listTakenSlugs(slugs)) owners.set(row.slug, row.articleId)
  }
  await look(articles.map((one) => one.baseSlug))
  const wanted = new Set<string>()
  const clashing = articles.filter(({ baseSlug, stored }) => {
    const isSecond = wanted.has(baseSlug)
    wanted.add(baseSlug)
    const owner = owners.get(baseSlug)
    return isSecond || (owner !== undefined && owner !== stored?.id)
  })
  await look(clashing.flatMap((one) => numbered(one.baseSlug)))
  const chosen = new Map<string, string>()
  for (const { externalId, baseSlug, stored } of articles) {
    const slug = [baseSlug, ...numbered(baseSlug)].find((candidate) => {
      const owner = owners.get(candidate)
      return owner === undefined || owner === stored?.id
    })
    if (slug === undefined) continue
    chosen.set(externalId, slug)
    owners.set(slug, externalId)
  }
  return chosen
}
