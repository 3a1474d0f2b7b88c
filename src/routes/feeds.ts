import { createHash } from 'node:crypto'
import { Router, type Request, type Response } from 'express'
import { isNotModified } from '../http/feeds/feed-conditions.ts'
import { locate } from '../http/language.ts'
import { sharedPages } from '../http/shared-page.ts'
import type { PageRenderer } from '../http/page.ts'
import type { Services } from '../services/services.ts'

/** The list of feeds, for people and for programs, and the one of pages. */
export function feedRoutes(
  { feedDirectory, sitemap }: Pick<Services, 'feedDirectory' | 'sitemap'>,
  pages: PageRenderer,
): Router {
  const router = Router()

  router.get('/feeds', sharedPages, async (_request, response) => {
    const { language } = locate(response)
    const groups = await feedDirectory.list(language)
    pages.send(response, 'feeds', { groups, isSwitchable: true })
  })

  router.get('/feeds.opml', async (request, response) => {
    sendPolled(request, response, await feedDirectory.opml(), 'text/x-opml')
  })

  router.get(/^\/sitemap(?:-([1-9]\d{0,5}))?\.xml$/, async (request, response, next) => {
    const part = request.params[0]
    const xml = await sitemap.read(part === undefined ? undefined : Number(part))
    if (xml === undefined) next()
    else sendPolled(request, response, xml, 'application/xml')
  })
  return router
}

function sendPolled(request: Request, response: Response, body: string, type: string): void {
  const etag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  response.set({ ETag: etag, 'Cache-Control': 'public, max-age=300' })
  if (isNotModified(request.headers, { etag })) response.status(304).end()
  else response.type(type).send(body)
}
