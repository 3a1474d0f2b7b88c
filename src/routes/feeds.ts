import { createHash } from 'node:crypto'
import { Router } from 'express'
import { isNotModified } from '../http/feeds/feed-conditions.ts'
import { locate } from '../http/language.ts'
import type { PageRenderer } from '../http/page.ts'
import type { Services } from '../services/services.ts'

/** The list of feeds, for people and for programs. */
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
  return router
}
