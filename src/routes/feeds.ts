import { Router, type Response } from 'express'
import { locate } from '../http/language.ts'
import { sendNamed, sharedPages } from '../http/shared-page.ts'
import type { PageRenderer } from '../http/page.ts'
import type { Services } from '../services/services.ts'

/** The list of feeds, for people and for programs, and the one of pages. */
export function feedRoutes(
  { feedDirectory, sitemap }: Pick<Services, 'feedDirectory' | 'sitemap'>,
  pages: PageRenderer,
): Router {
  const router = Router()

  router.get('/feeds', sharedPages, async (_request, response) => {
    const groups = await feedDirectory.list(locate(response))
    pages.send(response, 'feeds', { groups, isSwitchable: true })
  })

  router.get('/feeds.opml', async (_request, response) => {
    sendNamed(polled(response).type('text/x-opml'), await feedDirectory.opml(locate(response)))
  })

  router.get(/^\/sitemap(?:-([1-9]\d{0,5}))?\.xml$/, async (request, response, next) => {
    const part = request.params[0]
    const xml = await sitemap.read(part === undefined ? undefined : Number(part))
    if (xml === undefined) next()
    else sendNamed(polled(response).type('application/xml'), xml)
  })
  return router
}

const polled = (response: Response): Response => response.set('Cache-Control', 'public, max-age=300')
