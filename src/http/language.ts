import type { RequestHandler, Response } from 'express'
import type { Selection } from '../domain/articles/article.ts'
import type { MovedPaths } from '../domain/feeds/feed.ts'
import type { Publication } from '../domain/publication.ts'
import type { LocatedPage } from '../services/articles/site.ts'
import { sendsJson } from './problem.ts'

/**
 * Decides the language of a page: the path's (`/ar/sections/culture`), else `Accept-Language`, else the publication's
 * first; a page about one subscriber sets theirs later. The path's prefix is cut off, so that routes are written once:
 * `response.locals.pathLanguage` tells that it was there.
 */
export function pageLanguage(getPublication: () => Promise<Publication>): RequestHandler {
  return async (request, response, next) => {
    const publication = await getPublication()
    const { languages } = publication
    const [, prefix = ''] = /^\/([a-z]{2,3}(?:-[A-Za-z]{2,8})?)(?=[/?]|$)/.exec(request.url) ?? []
    const pathLanguage = languages.find((language) => language === prefix)
    // The desk speaks its editor's language, and has one address.
    if (pathLanguage !== undefined && !/^\/desk(?![^/?])/.test(request.url.slice(prefix.length + 1))) {
      const rest = request.url.slice(prefix.length + 1)
      request.url = rest.startsWith('/') ? rest : `/${rest}`
    }
    const accepted = request.acceptsLanguages(languages)
    Object.assign(response.locals, {
      publication,
      pathLanguage,
      // Where this page stands, without its language: for the switch between languages.
      path: request.url.split('?')[0],
      language: pathLanguage ?? (accepted || languages[0]),
    })
    if (pathLanguage === undefined) response.vary('Accept-Language')
    next()
  }
}

export const locate = (response: Response): LocatedPage => response.locals as LocatedPage & Response['locals']

/**
 * Leaves for every page after it, errors too, the sections of its head and the feeds that have moved or ended. Who sends
 * JSON gets no page.
 */
export const publicPage =
  (listSections: () => Promise<Selection[]>, listMoved: () => Promise<MovedPaths>): RequestHandler =>
  async (request, response, next) => {
    if (!sendsJson(request))
      Object.assign(response.locals, { sections: await listSections(), movedFeeds: await listMoved() })
    response.set('Cache-Control', 'no-cache')
    next()
  }
