import { Router, type ErrorRequestHandler, type Request, type RequestHandler } from 'express'
import { DomainError } from '../errors.ts'
import { noPage } from '../http/problem.ts'
import type { Services } from '../services/services.ts'

type OldAddresses = Pick<Services, 'oldAddresses'>

/** As it was asked for: with the language that `pageLanguage` cuts off. */
const urlOf = ({ originalUrl }: Request): URL =>
  URL.parse(originalUrl, 'http://newsroom') ?? new URL('http://newsroom')

const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD'

/** `/?p=12` and its like: what WordPress calls plain permalinks; mounted before the front page. */
export function oldQueries({ oldAddresses }: OldAddresses): Router {
  const router = Router()
  router.get('/', async (request, response, next) => {
    const path = await oldAddresses.findQuery(urlOf(request))
    if (path === undefined) next()
    else if (path === null) void noPage(request, response, next)
    else response.redirect(301, path)
  })
  return router
}

/** What no route of ours answers; mounted after all of them. */
export function oldPages({ oldAddresses }: OldAddresses): RequestHandler {
  return async (request, response, next) => {
    const path = isRead(request) ? await oldAddresses.find(urlOf(request), { isOurs: false }) : undefined
    if (path === undefined) next()
    else response.redirect(301, path)
  }
}

/** What a route of ours has nothing for: `/articles/…` and `/tags/…` were permalinks somewhere, too. */
export function movedPages({ oldAddresses }: OldAddresses): ErrorRequestHandler {
  return async (error: unknown, request, response, next) => {
    const isMissing = error instanceof DomainError && error.kind === 'not_found' && error.code !== 'no_page'
    const path =
      isMissing && isRead(request) ? await oldAddresses.find(urlOf(request), { isOurs: true }) : undefined
    if (path === undefined) next(error)
    else response.redirect(301, path)
  }
}
