import { Router } from 'express'
import { rowId } from '../http/route.ts'
import { mailPolicy } from '../http/security-headers.ts'
import { sharedPages } from '../http/shared-page.ts'
import type { PageRenderer } from '../http/page.ts'
import type { Services } from '../services/services.ts'

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
    const parsed = rowId.safeParse(request.params.id)
    if (!parsed.success) {
      next()
      return
    }
    const digest = await archive.webVersion(parsed.data)
    // The mail itself is in the page, with its styles inside; it runs and sends nothing.
    response.set('Content-Security-Policy', webPolicy)
    pages.send(response, 'digest', { ...digest, language: digest.newsletter.language, isPreview: true })
  })
  return router
}

const webPolicy = mailPolicy("base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
