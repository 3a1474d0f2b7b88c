import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'

/** What a proxy may hand on as X-Request-Id: anything else is replaced, for it ends up in logs. */
const plausibleId = /^[\w-]{8,64}$/

/**
 * Gives every answer an X-Request-Id and logs it once. A URL may hold a token, so the log and the metrics
 * name the route that matched (`/activate/:token`), never the URL; no address of a client either.
 */
export function requestLog(log: Logger, metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now()
    const given = request.get('x-request-id') ?? ''
    const requestId = plausibleId.test(given) ? given : randomUUID()
    response.set('X-Request-Id', requestId)
    const routeOf = followRoute(request)
    response.once('close', () => {
      const seconds = (performance.now() - startedAt) / 1000
      const answer = { method: request.method, route: routeOf(), status: response.statusCode }
      const isWhole = response.writableFinished
      metrics.requests.observe({ ...answer, status: String(answer.status) }, seconds)
      const fields = { requestId, ...answer, ms: Math.round(seconds * 1000), ...(!isWhole && { isWhole }) }
      if (probes.has(request.path)) log.debug(fields, 'answered')
      else log.info(fields, 'answered')
    })
    next()
  }
}

const probes = new Set(['/healthz', '/readyz'])

/**
 * The route, with where its router is mounted, as both are when it matches: at the end of a request `baseUrl` is that of
 * whoever answered, and below `/preferences/:token` that is the token itself.
 */
function followRoute(request: Request): () => string {
  let route: unknown
  let matched = 'none'
  Object.defineProperty(request, 'route', {
    configurable: true,
    enumerable: true,
    get: () => route,
    set: (value: { path?: unknown } | undefined) => {
      route = value
      const [path] = [value?.path].flat()
      matched = typeof path === 'string' ? request.baseUrl + path : 'none'
    },
  })
  return () => matched
}
