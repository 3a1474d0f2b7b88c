/** An id of the newsroom's own system says more than the number of a post, and that more than a hash of a guid. */
export const strengthOf = (externalId: string): 1 | 2 | 3 =>
  externalId.startsWith('feed:') ? 1 : externalId.startsWith('wp:') ? 2 : 3

/** A guid that no two sites share: an absolute URI. A bare number is known at its own site alone. */
export const isGlobalGuid = (guid: string): boolean => /^(?:https?:\/\/[^/]|urn:|tag:)/i.test(guid)

/** The key of a WordPress: two sites may both have a post 1. */
export const siteKeyOf = (home: string): string => {
  const { host, pathname } = new URL(home)
  return `${host}${pathname.replace(/\/$/, '').replaceAll('/', '-')}`
    .replace(/[^\p{L}\p{N}._~:-]/gu, '_')
    .slice(0, 147)
}

/** As the indexes of the store fold a URL: without scheme, `www.` and slash at the end, in lower case. */
export const foldUrl = (url: string): string =>
  url
    .replace(/^https?:\/\/(www\.)?/, '')
    .replace(/(?<!\/)\/+$/, '')
    .toLowerCase()

/** The host of an absolute URL without `www.`; undefined for anything else. */
export const siteHostOf = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : URL.parse(url)?.host.replace(/^www\./, '')
