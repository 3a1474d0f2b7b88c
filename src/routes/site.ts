import { Router } from 'express'
import { z } from 'zod'
import { atSize } from '../domain/media.ts'
import { pathOfKind, type SelectionKind } from '../domain/articles/article.ts'
import { keptDays } from '../domain/retention.ts'
import { locate } from '../http/language.ts'
import type { PublicForms } from '../http/public-forms.ts'
import { isWithin, type RateLimit } from '../http/rate-limit.ts'
import { requireSameOrigin } from '../http/same-origin.ts'
import { sharedPages } from '../http/shared-page.ts'
import type { Services } from '../services/services.ts'

const pagingQuery = z.object({ before: z.string().max(2_000).optional() })

type Options = Pick<PublicForms, 'pages' | 'publicUrl' | 'clientAddress'> & {
  viewLimit: RateLimit
  viewersLimit: RateLimit
}

/** The public pages: front, selections, articles. A language in front of the path was read by the middleware. */
export function siteRoutes(
  { site, views, signups }: Pick<Services, 'site' | 'views' | 'signups'>,
  { pages, publicUrl, clientAddress, viewLimit, viewersLimit }: Options,
): Router {
  const router = Router()

  router.use(sharedPages)

  router.get('/', async (_request, response) => {
    const page = locate(response)
    const front = await site.front(page, { others: page.pathLanguage === undefined })
    pages.send(response, 'front', { ...front, stamp: signups.sharedFormStamp(), isSwitchable: true })
  })

  for (const kind of ['section', 'dossier'] as const) {
    router.get(`/${pathOfKind[kind]}`, async (_request, response) => {
      const { language, pathLanguage } = locate(response)
      const entries = await site.index(kind, language, pathLanguage)
      pages.send(response, 'index', { kind, entries, isSwitchable: true })
    })
  }

  router.get('/newsletters', async (_request, response) => {
    const newsletters = await site.listOffered(locate(response).language)
    pages.send(response, 'newsletters', { newsletters, stamp: signups.sharedFormStamp(), isSwitchable: true })
  })

  for (const kind of Object.keys(pathOfKind) as SelectionKind[]) {
    router.get(`/${pathOfKind[kind]}/:slug`, async (request, response) => {
      const page = locate(response)
      const { before } = pagingQuery.parse(request.query)
      const selection = await site.selection(page, {
        kind,
        slug: request.params.slug,
        only: page.pathLanguage,
        before,
      })
      if (selection.redirect) response.redirect(301, selection.redirect)
      else pages.send(response, 'selection', { ...selection, isSwitchable: true })
    })
  }

  router.get('/picks/:slug', async (request, response) => {
    const page = locate(response)
    const pick = await site.pick(page, { slug: request.params.slug, only: page.pathLanguage })
    pages.send(response, 'selection', { ...pick, isSwitchable: true })
  })

  router.get('/articles/:slug', async (request, response) => {
    const { publication } = locate(response)
    const found = await site.article(request.params.slug, publication)
    if (found.redirect) {
      response.redirect(found.redirect.isForGood ? 301 : 302, found.redirect.to)
      return
    }
    // An article's page is in the article's language throughout, whatever the reader's browser prefers.
    const { language } = found.withdrawn ?? found.article
    if (found.withdrawn) response.status(410)
    if (found.article?.pingback) response.set('X-Pingback', found.article.pingback)
    // So caches need no copy for each preference.
    response.removeHeader('Vary')
    pages.send(response, found.withdrawn ? 'withdrawn' : 'article', {
      ...found,
      language,
      responderDays: keptDays.responders,
      stamp: signups.sharedFormStamp(),
    })
  })

  router.post('/articles/:slug/views', async (request, response) => {
    requireSameOrigin(request, publicUrl)
    const address = clientAddress(request).limitKey
    const visitor = { address, userAgent: request.get('user-agent') }
    await views.count(
      request.params.slug.normalize(),
      visitor,
      async (name) => (await isWithin(viewersLimit, address)) && isWithin(viewLimit, name),
    )
    response.status(204).end()
  })

  router.get('/s/:code', async (request, response) => {
    const { to, isForGood } = await site.shortCode(request.params.code)
    // What the address says for web statistics is said of the page.
    const query = isForGood ? /\?.*/.exec(request.url)?.[0] : ''
    response.redirect(isForGood ? 301 : 302, to + (query ?? ''))
  })

  router.get('/favicon.ico', (_request, response) => {
    const { icon } = locate(response).publication
    if (icon) response.redirect(302, atSize(icon.url, publicUrl, 480))
    else response.redirect(302, '/assets/icon-144.png')
  })

  router.get('/robots.txt', (_request, response) => {
    const { links } = locate(response).publication
    const sitemap = links === 'here' ? `\nSitemap: ${publicUrl}/sitemap.xml\n` : ''
    response.type('text/plain').send(robots + sitemap)
  })
  return router
}

/** Pages that belong to one person carry a token in their path. */
const robots = [
  'User-agent: *',
  ...['/desk', '/api/', '/activate/', '/respond/', '/preferences/', '/unsubscribe/'].map(
    (path) => `Disallow: ${path}`,
  ),
  '',
].join('\n')
