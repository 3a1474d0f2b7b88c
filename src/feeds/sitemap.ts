import { element, textElement } from './xml.ts'

export interface SitemapEntry {
  loc: string
  changedAt?: Date
}

/** What search engines read (sitemaps.org 0.9): pages, or where the lists of them are. */
export function writeSitemap(kind: 'urlset' | 'sitemapindex', entries: SitemapEntry[]): string {
  const name = kind === 'urlset' ? 'url' : 'sitemap'
  const lines = entries.map(({ loc, changedAt }) => {
    const lastmod = changedAt ? textElement('lastmod', changedAt.toISOString()) : ''
    return element(name, {}, textElement('loc', loc) + lastmod)
  })
  const root = element(
    kind,
    { xmlns: 'http://www.sitemaps.org/schemas/sitemap/0.9' },
    `\n${lines.join('\n')}\n`,
  )
  return `<?xml version="1.0" encoding="utf-8"?>\n${root}\n`
}
