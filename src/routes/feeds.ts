import { createHash } from 'node:crypto'
import { Router, type Response } from 'express'
import { feedPath, type FeedFormat, type FeedSubject } from '../domain/feed.ts'
import { isNotModified } from '../http/feed-conditions.ts'
import { locate } from '../http/language.ts'
import type { PageRenderer } from '../http/page.ts'
import type { Services } from '../services/services.ts'

/** The list of feeds, for people and for programs, and the addresses that feeds had under WordPress. */
export function feedRoutes({ feedDirectory }: Pick<Services, 'feedDirectory'>, pages: PageRenderer): Router {
  const router = Router()

  router.get('/feeds', async (_request, response) => {
    const { language } = locate(response)
    const groups = await feedDirectory.list(language)
    pages.send(response, 'feeds', { groups, isSwitchable: true })
  })

  router.get('/feeds.opml', async (request, response) => {
    const opml = await feedDirectory.opml()
    const etag = `W/"${createHash('sha256').update(opml).digest('base64url').slice(0, 22)}"`
    response.set({ ETag: etag, 'Cache-Control': 'public, max-age=300' })
    if (isNotModified(request.headers, { etag })) response.status(304).end()
    else response.type('text/x-opml').send(opml)
  })

  router.get('/', (request, response, next) => {
    const { feed } = request.query
    const address = typeof feed === 'string' && Object.hasOwn(oldQueries, feed) ? oldQueries[feed] : undefined
    if (address) moveTo(response, address)
    else next()
  })
  router.get('/{*path}', async (request, response, next) => {
    const address = oldAddress(request.path)
    const path = address ? pathOf(address) : await findArticleFeed(request.path)
    if (path === undefined) next()
    else response.redirect(301, path)
  })

  /** `/{article}/feed/` and dated permalinks with it: what WordPress calls the comments feed of a post. */
  async function findArticleFeed(path: string): Promise<string | undefined> {
    const [, permalink] = /^(\/.+)\/feed(?:\/(?:rss2?|atom|rdf))?\/?$/.exec(path) ?? []
    return permalink === undefined ? undefined : feedDirectory.findResponses(permalink)
  }
  return router
}

interface OldAddress {
  subject: FeedSubject
  format: FeedFormat
}

const pathOf = (address: OldAddress): string => feedPath({ ...address, language: undefined })

const moveTo = (response: Response, address: OldAddress) => {
  response.redirect(301, pathOf(address))
}

const oldQueries: Record<string, OldAddress> = {
  rss: { subject: 'all', format: 'rss.xml' },
  rss2: { subject: 'all', format: 'rss.xml' },
  rdf: { subject: 'all', format: 'rss.xml' },
  atom: { subject: 'all', format: 'atom.xml' },
  'comments-rss2': { subject: 'responses', format: 'rss.xml' },
  'comments-atom': { subject: 'responses', format: 'atom.xml' },
}

/** Before `/feed/`: nothing, `/comments`, or a selection; WordPress nests categories, the last one counts. */
const oldPath =
  /^(?:\/(comments|(category|tag|author)\/(?:[^/]+\/)*([^/]+)))?\/feed(?:\/(rss2?|atom|rdf))?\/?$/

const kindOf: Record<string, 'section' | 'tag' | 'author'> = {
  category: 'section',
  tag: 'tag',
  author: 'author',
}

function oldAddress(path: string): OldAddress | undefined {
  const match = oldPath.exec(path)
  if (!match) return undefined
  const [, before, folder = '', slug = '', type] = match
  const format = type === 'atom' ? 'atom.xml' : 'rss.xml'
  if (before === undefined) return { subject: 'all', format }
  const kind = kindOf[folder]
  if (!kind) return { subject: 'responses', format }
  return { subject: `${kind}:${decode(slug)}`, format }
}

function decode(slug: string): string {
  try {
    return decodeURIComponent(slug)
  } catch {
    return slug
  }
}
