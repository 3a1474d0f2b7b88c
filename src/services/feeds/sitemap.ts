import { articlePath } from '../../domain/articles/article.ts'
import { siteHostOf } from '../../domain/articles/identity.ts'
import type { Parts } from '../parts.ts'
import { singleFlight } from '../single-flight.ts'
import { untilChange } from '../until-change.ts'

/**
 * What search engines are told to read: articles whose page is the one here.
 * @param most in one file: the protocol has 50,000, and the front pages need some of them
 */
export function createSitemapService(
  { config, database, feedWriter }: Pick<Parts, 'config' | 'database' | 'feedWriter'>,
  most = 49_000,
) {
  const { publicUrl } = config
  const { articles, publication } = database.stores
  const host = siteHostOf(publicUrl) ?? ''
  const count = untilChange(database.stores, () => articles.countAtHome(host))

  return {
    /** The whole, or an index of its parts; a part by its number, from 1. Undefined where there is none. */
    read: singleFlight(async (part?: number): Promise<string | undefined> => {
      const { links, languages } = await publication.get()
      if (links === 'canonical') return undefined
      const parts = Math.ceil((await count()) / most)
      if (part === undefined && parts > 1) {
        const locs = Array.from({ length: parts }, (_, n) => ({ loc: `${publicUrl}/sitemap-${n + 1}.xml` }))
        return feedWriter.sitemap('sitemapindex', locs)
      }
      if (part !== undefined && (parts < 2 || part > parts)) return undefined
      const found = await articles.listAtHome(host, { limit: most, offset: ((part ?? 1) - 1) * most })
      const pages = found.map(({ slug, updatedAt }) => ({
        loc: publicUrl + articlePath(slug),
        changedAt: updatedAt,
      }))
      const fronts =
        languages.length > 1 ? languages.map((language) => ({ loc: `${publicUrl}/${language}` })) : []
      return feedWriter.sitemap(
        'urlset',
        part === undefined ? [{ loc: `${publicUrl}/` }, ...fronts, ...pages] : pages,
      )
    }),
  }
}
