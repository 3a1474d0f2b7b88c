import type { FeedText } from '../publication.ts'
import { articlePath, shortPath, type Article } from './article.ts'
import { siteHostOf } from './identity.ts'

/** What decides where the links to an article lead. */
export type Linked = Pick<Article, 'slug' | 'canonicalUrl' | 'links'>

/**
 * The newsroom's own page of an article, where links lead there. One on our own host is none: old addresses there lead
 * to the page here, which would lead back to them.
 */
export const homeOf = ({ canonicalUrl, links }: Linked, publicUrl: string): string | undefined =>
  links === 'canonical' && siteHostOf(canonicalUrl) !== siteHostOf(publicUrl)
    ? URL.parse(canonicalUrl ?? '')?.href
    : undefined

/** Where every link to an article leads. */
export const articleUrl = (article: Linked, publicUrl: string): string =>
  homeOf(article, publicUrl) ?? publicUrl + articlePath(article.slug)

/** The same, with the short one that a text shows in its place: of a page here, however long its own address is. */
export const addressesOf = (article: Linked & Pick<Article, 'shortCode'>, publicUrl: string) => ({
  url: articleUrl(article, publicUrl),
  ...(homeOf(article, publicUrl) === undefined && { shortUrl: publicUrl + shortPath(article.shortCode) }),
})

/** How much of an article feeds show: of what stands elsewhere a summary, unless the newsroom says otherwise. */
export const feedTextOf = ({ feedText, links }: Pick<Article, 'feedText' | 'links'>): FeedText =>
  feedText ?? (links === 'canonical' ? 'summary' : 'full')
