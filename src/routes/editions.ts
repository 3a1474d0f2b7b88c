import { Router, type Request, type Response } from 'express'
import { isNotModified } from '../http/feeds/feed-conditions.ts'
import { locate } from '../http/language.ts'
import type { PageRenderer } from '../http/page.ts'
import { rowId } from '../http/route.ts'
import type { Edition } from '../services/editions/editions.ts'
import type { Services } from '../services/services.ts'

/** Articles and digests as PDF, where their pages are. */
export function editionRoutes(
  { editions, archive }: Pick<Services, 'editions' | 'archive'>,
  pages: PageRenderer,
): Router {
  const router = Router()

  router.get('/articles/:slug.pdf', async (request, response) => {
    const found = await editions.article(request.params.slug, locate(response).publication)
    if (found.edition) await send(request, response, found.edition)
    else if (found.withdrawn)
      pages.send(response.status(410), 'withdrawn', { ...found, language: found.withdrawn.language })
    // Another name of it has a PDF too; a page elsewhere has none of ours.
    else if (found.redirect.isForGood) response.redirect(301, `${found.redirect.to}.pdf`)
    else response.redirect(302, found.redirect.to)
  })

  router.get('/digests/:id.pdf', async (request, response, next) => {
    const parsed = rowId.safeParse(request.params.id)
    if (parsed.success)
      await send(request, response, await editions.digest(parsed.data, locate(response).publication))
    else next()
  })

  router.get('/newsletters/:slug/latest.pdf', async (request, response) => {
    response.redirect(302, `/digests/${await archive.latest(request.params.slug.normalize())}.pdf`)
  })
  return router
}

async function send(request: Request, response: Response, { hash, language, fileName, make }: Edition) {
  const etag = `"${hash}"`
  if (isNotModified(request.headers, { etag })) {
    response.set('ETag', etag).status(304).end()
    return
  }
  const { bytes, isWhole } = await make()
  // A picture that cannot be read today may be there tomorrow.
  if (isWhole) response.set('ETag', etag)
  const plain = /^[\w.-]+$/.test(fileName) ? fileName : 'edition.pdf'
  response.set({
    'Content-Type': 'application/pdf',
    'Content-Language': language,
    // RFC 8187 for a slug in Arabic.
    'Content-Disposition': `inline; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(fileName)}`,
  })
  response.send(bytes)
}
