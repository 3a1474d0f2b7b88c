import { decode } from '../articles/article-html.ts'
import { organisationOf } from '../subscribers/organisation.ts'
import type { FrozenDigest } from './frozen-digest.ts'

/** Pages of a person's own: what they do there is nobody's statistics. */
const personal = /^\/(?:[a-z]{2,3}\/)?(?:unsubscribe|preferences|activate|subscribe)(?:\/|$)/

const encode = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
const organisationAt = (url: string): string => organisationOf(URL.parse(url)?.hostname ?? '')

/** @param sites addresses on the newsroom's own hosts */
export const ownersOf = (sites: readonly string[]): string[] => [...new Set(sites.map(organisationAt))].sort()

/**
 * The digest as it is mailed: links to the newsroom's own hosts say which newsletter and digest they stand in, as web
 * statistics read it. What a link says already stays. The web version has none.
 */
export function tagLinks(frozen: FrozenDigest): FrozenDigest {
  const { linkTags } = frozen
  if (!linkTags) return frozen
  const { owners, source, campaign } = linkTags
  const tags = { utm_source: source, utm_medium: 'email', utm_campaign: campaign }
  const tag = (url: string): string => {
    const parsed = URL.parse(url)
    if (!parsed || !/^https?:$/.test(parsed.protocol) || !owners.includes(organisationOf(parsed.hostname)))
      return url
    if (url.startsWith(`${frozen.publication.publicUrl}/`) && personal.test(parsed.pathname)) return url
    const added = Object.entries(tags)
      .filter(([name]) => !parsed.searchParams.has(name))
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join('&')
    // As text, for parsing would write the rest of the address anew.
    const [address = '', ...fragment] = url.split(/(?=#)/)
    return added === '' ? url : `${address}${address.includes('?') ? '&' : '?'}${added}${fragment.join('')}`
  }
  const tagged = <T extends { url: string; shortUrl?: string }>(one: T): T => ({
    ...one,
    url: tag(one.url),
    ...(one.shortUrl !== undefined && { shortUrl: tag(one.shortUrl) }),
  })
  return {
    ...frozen,
    ...(frozen.introHtml !== undefined && {
      introHtml: frozen.introHtml.replace(
        /(<a [^<>]*\bhref=")([^"]*)"/g,
        (_all, start: string, url: string) => `${start}${encode(tag(decode(url)))}"`,
      ),
    }),
    blocks: frozen.blocks.map(({ url, ...block }) => ({
      ...block,
      ...(url !== undefined && { url: tag(url) }),
    })),
    articles: frozen.articles.map(tagged),
    mostRead: frozen.mostRead.map(tagged),
    ...(frozen.more && { more: tagged(frozen.more) }),
  }
}
