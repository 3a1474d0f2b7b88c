import type { RequestHandler, Response } from 'express'
import type { Selection } from '../domain/articles/article.ts'
import type { MovedPaths } from '../domain/feeds/feed.ts'
import type { Publication } from '../domain/publication.ts'

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

/** Where a public page stands. */
export interface LocatedPage {
  publication: Publication
  language: string
  /** Undefined where the path names none: such a page shows every language. */
  pathLanguage: string | undefined
}

export const locate = (response: Response): LocatedPage => response.locals as LocatedPage & Response['locals']

/** Leaves the sections of the page's head for every page after it, errors too. */
export const pageSections =
  (list: () => Promise<Selection[]>): RequestHandler =>
  async (_request, response, next) => {
    response.locals['sections'] = await list()
    response.set('Cache-Control', 'no-cache')
    next()
  }

/** Leaves what the links to feeds of every page after it follow: those that have moved or ended. */
export const pageFeeds =
  (listMoved: () => Promise<MovedPaths>): RequestHandler =>
  async (_request, response, next) => {
    response.locals['movedFeeds'] = await listMoved()
    next()
  }
