import { Router } from 'express'
import { z } from 'zod'
import { sendPage, sharedPages } from '../http/shared-page.ts'
import type { PageRenderer } from '../http/page.ts'
import type { Services } from '../services/services.ts'

const id = z.coerce.number().int().positive()

/** Newsletters' pages with their archives, and digests on the web. */
export function archiveRoutes({ archive }: Pick<Services, 'archive'>, pages: PageRenderer): Router {
  const router = Router()
  router.use(sharedPages)

  router.get('/newsletters/:slug', async (request, response) => {
    const page = await archive.newsletter(request.params.slug.normalize())
    // A newsletter has one language, and its page too.
    pages.send(response, 'newsletter', { ...page, language: page.newsletter.language })
  })

  router.get('/digests/:id', async (request, response, next) => {
    const parsed = id.safeParse(request.params.id)
    if (!parsed.success) {
      next()
      return
    }
    const html = await archive.webVersion(parsed.data)
    // The page is the mail itself, whose styles stand inside it; it runs and sends nothing.
    sendPage(response.set('Content-Security-Policy', webPolicy), html)
  })
  return router
}

const webPolicy =
  "default-src 'none'; img-src 'self' https: http: data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
