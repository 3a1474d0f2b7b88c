import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { decode, textOf } from '../../domain/articles/article-html.ts'
import { summaryOf } from '../../domain/articles/summary.ts'
import { articlePath, shortPath, type Article } from '../../domain/articles/article.ts'
import { canonicalPath, decode as decodeSegment } from '../../domain/articles/old-address.ts'
import { responseHtml, withoutOverrides } from '../../domain/responses/response-html.ts'
import { isOpenHere } from '../../domain/responses/written-response.ts'
import { cleanLine } from '../../domain/text.ts'
import { atField, conflict, invalid, notFound } from '../../errors.ts'
import { safeHtml } from '../articles/safe-html.ts'
import type { createOldAddressService } from '../articles/old-addresses.ts'
import type { PublicationService } from '../desk/publication.ts'
import type { Parts } from '../parts.ts'
import { closed, type createWrittenResponseService } from './written-responses.ts'

/** What another site tells, as TrackBack names it; of a pingback the address alone. */
const told = z.object({
  url: z.string().max(2_000),
  title: z.string().max(10_000).default(''),
  excerpt: z.string().max(20_000).default(''),
  blog_name: z.string().max(10_000).default(''),
})

/** Other sites that tell that they link to an article here: believed once their page has been looked at. */
export function createTrackbackService(
  parts: Pick<Parts, 'config' | 'database' | 'fetchPage' | 'doorbell' | 'now'> & {
    publications: Pick<PublicationService, 'get'>
    oldAddresses: Pick<ReturnType<typeof createOldAddressService>, 'find'>
    writtenResponses: Pick<ReturnType<typeof createWrittenResponseService>, 'hold'>
  },
) {
  const { config, database, doorbell, fetchPage, now, oldAddresses, publications, writtenResponses } = parts
  const { stores } = database
  const { publicUrl } = config

  /** Of the page of an article, its short URL, or the address that it had before. */
  const findArticle = async (target: URL): Promise<Article | undefined> => {
    if (target.host !== new URL(publicUrl).host) return undefined
    const path = (await oldAddresses.find(target, { isOurs: false })) ?? target.pathname
    const [, kind, name = ''] = /^(?:\/[a-z]{2,3}(?:-\w+)?)?\/(articles|s)\/([^/]+)\/?$/.exec(path) ?? []
    const slug = decodeSegment(name).normalize()
    if (kind === 's') return stores.articles.findByShortCode(slug)
    return (await stores.articles.findBySlug(slug)) ?? (await stores.articles.findBySlugHistory(slug))
  }

  /** Where the page links to the article: from there on, its sanitised HTML. Comments and scripts link to nothing. */
  const findLink = (html: string, article: Article, target: URL): string | undefined => {
    const own = [articlePath(article.slug), shortPath(article.shortCode)].map((path) => publicUrl + path)
    const wanted = new Set([...own, article.canonicalUrl ?? '', target.href].map(toKey))
    const link = [...html.matchAll(/<a (?:[^<>]* )?href="([^"<>]*)"/g)].find(([, href = '']) =>
      wanted.has(toKey(decode(href))),
    )
    return (
      link && html.slice(Math.max(html.lastIndexOf('<p', link.index), html.lastIndexOf('<li', link.index), 0))
    )
  }

  return {
    /**
     * Holds it, for an editor to let through.
     * @param consume counts a visit of this host @throws what it throws
     * @throws DomainError `trackbacks_off`, `no_article`, `responses_closed`, `own_link`, `trackback_known`, `no_link_here`,
     *   and those of fetching a page
     */
    async receive(target: URL, body: unknown, consume: (host: string) => Promise<void>): Promise<void> {
      const { url, ...given } = told.parse(body)
      if ((await publications.get()).trackbacks === 'off' || (await stores.instanceGuard.isHeld()))
        throw conflict('trackbacks_off', 'No trackbacks are taken here.')
      const article = await findArticle(target)
      if (article?.state !== 'published') throw notFound('no_article', 'There is no article at this address.')
      if (!isOpenHere(article, publicUrl)) throw closed()
      const source = URL.parse(url)
      if (!source || !/^https?:$/.test(source.protocol))
        throw invalid(
          'invalid_input',
          'Give the address of your page as url.',
          atField('url', 'must be a web address'),
        )
      const isOwn = (host: string) =>
        [publicUrl, article.canonicalUrl].some((one) => URL.parse(one ?? '')?.host === host)
      if (isOwn(source.host)) throw conflict('own_link', 'A link of this site to itself is no trackback.')
      source.hash = ''
      if (await stores.writtenResponses.hasTrackback(article.id, source.href)) throw known()
      await consume(source.host)
      const page = await fetchPage(source.href)
      const text = page.body.toString('utf8')
      const html = await safeHtml(text, page.url)
      const around = isOwn(new URL(page.url).host) ? undefined : findLink(html, article, target)
      if (around === undefined)
        throw invalid('no_link_here', 'The page at this address does not link to the article.')
      const title = wordsOf(given.title || (/<title[^<>]*>([^<]*)/i.exec(text)?.[1] ?? ''), 200)
      const excerpt = wordsOf(given.excerpt || summaryOf(around), 500)
      const written = {
        articleId: article.id,
        responderId: null,
        kind: 'trackback' as const,
        guid: `urn:uuid:${randomUUID()}`,
        author: wordsOf(given.blog_name, 100) || source.host,
        authorUrl: source.href,
        html: responseHtml(`${title}\n\n${excerpt}`),
        language: article.language,
        writtenAt: now(),
        mailedAt: null,
      }
      await database.transaction(async (tx) => {
        await tx.writtenResponses.claim(source.href)
        if (await tx.writtenResponses.hasTrackback(article.id, source.href)) throw known()
        const id = await tx.writtenResponses.insert(written)
        await writtenResponses.hold(tx, { id, articleId: article.id })
      })
      await doorbell.ring('deliver-mail', {})
    },
  }
}

const known = () => conflict('trackback_known', 'This page has told of its link before.')

/** Addresses of one page look the same: without a fragment, and without what statistics append. */
function toKey(address: string): string {
  const url = URL.parse(address)
  if (!url) return ''
  const path = canonicalPath(url.pathname)
  return `${url.host}${path}${path === '' ? url.search : ''}`
}

/** Words of another site, on one line; its markup and references are read, and gone. */
const wordsOf = (text: string, most: number): string =>
  cleanLine(withoutOverrides(textOf(responseHtml(text))))
    .slice(0, most)
    .toWellFormed()
