import express, { Router, type Request, type RequestHandler, type Response } from 'express'
import { z } from 'zod'
import { mayActAs, type Actor } from '../domain/editor.ts'
import { cleanText } from '../domain/text.ts'
import { fieldErrorsOf, forbidden, invalid, notFound, unauthenticated } from '../errors.ts'
import type { ApiRoute } from './route.ts'

/** Tells who a bearer key is; undefined for one that is unknown, expired or revoked. */
export type AuthenticateKey = (key: string) => Promise<Actor | undefined>

/** Mounts API routes: authenticate, check the role, validate, call, answer. Errors are left to the problem handler. */
export function apiRouter(routes: readonly ApiRoute[], authenticate: AuthenticateKey): Router {
  const router = Router({ caseSensitive: true })
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    next()
  })
  // As OpenAPI has it: `/subscribers/export` before `/subscribers/{id}`.
  const byPath = Object.entries(Object.groupBy(routes, ({ path }) => path)).sort(
    ([one], [other]) => Number(one.endsWith('}')) - Number(other.endsWith('}')),
  )
  const paths = byPath.map(([path, calls = []]) => ({ path: path.replace(/\{(\w+)\}/g, ':$1'), calls }))
  for (const { path, calls } of paths) {
    router.options(path, (_request, response) => {
      response.set('Allow', methodsOf(calls)).status(204).end()
    })
  }
  router.use(authenticateBearer(authenticate))
  for (const { path, calls } of paths) {
    for (const call of calls)
      router[call.method](path, requireRole(call), ...bodyParser(call), handlerOf(call))
    router.all(path, refuseMethod(methodsOf(calls)))
  }
  router.use(() => {
    throw notFound('no_route', 'There is no such call; GET /api/v1/openapi.json lists them all.')
  })
  return router
}

const methodsOf = (calls: readonly ApiRoute[]): string =>
  ['options', ...calls.flatMap(({ method }) => (method === 'get' ? ['get', 'head'] : [method]))]
    .join(', ')
    .toUpperCase()

const refuseMethod =
  (allow: string): RequestHandler =>
  (_request, response) => {
    response.set('Allow', allow)
    throw invalid('no_method', `This address takes ${allow} alone.`)
  }

const authenticateBearer =
  (authenticate: AuthenticateKey): RequestHandler =>
  async (request, response, next) => {
    const [, key] = /^Bearer ([\w-]{20,200})$/i.exec(request.get('authorization') ?? '') ?? []
    const actor = key === undefined ? undefined : await authenticate(key)
    if (!actor) {
      response.set('WWW-Authenticate', 'Bearer')
      throw unauthenticated(
        'no_valid_key',
        'Send a valid key as "Authorization: Bearer <key>"; `bin/depeche key create` makes one.',
      )
    }
    response.locals['actor'] = actor
    next()
  }

const actorOf = (response: Response): Actor => response.locals['actor'] as Actor

const requireRole =
  (route: ApiRoute): RequestHandler =>
  (_request, response, next) => {
    if (!mayActAs(actorOf(response).role, route.role)) {
      throw forbidden('role_too_low', `This call needs a key with the role ${route.role}.`)
    }
    next()
  }

const defaultBodyLimit = 256 * 1024

function bodyParser(route: ApiRoute): RequestHandler[] {
  if (route.body === undefined || route.body === 'stream') return []
  const parse: RequestHandler = express.json({ limit: route.bodyLimit ?? defaultBodyLimit, type: () => true })
  return [
    (request, response, next) => {
      const isEmpty =
        request.get('content-length') === '0' ||
        (!request.get('content-length') && !request.get('transfer-encoding'))
      if (isEmpty) next()
      else if (request.is('application/json') !== false) parse(request, response, next)
      else throw invalid('not_json', 'Send the body as application/json in UTF-8.')
    },
  ]
}

const handlerOf =
  (route: ApiRoute): RequestHandler =>
  async (request, response) => {
    const answer = await route.handle({
      params: route.params ? route.params.parse(request.params) : request.params,
      query: parseQuery(route.query ?? noQuery, request),
      body:
        route.body && route.body !== 'stream'
          ? route.body.parse(wellFormed((request.body ?? {}) as object))
          : undefined,
      actor: actorOf(response),
      request,
      response,
    })
    const usual = usualStatus(route)
    if (!answer && usual !== 204) return
    const { status = usual, headers = {}, body } = answer ?? {}
    response.status(status).set(headers)
    if (body === undefined) response.end()
    // Express would answer 304 to an If-None-Match: of what the ETag is the version of, counts change without it.
    else response.type('json').end(JSON.stringify(body))
  }

/** What JSON may escape and no database holds, half of an emoji, is taken out in place, however deep it lies. */
function wellFormed(body: object): object {
  const open = [body as Record<string, unknown>]
  for (let one = open.pop(); one; one = open.pop()) {
    for (const [name, value] of Object.entries(one)) {
      if (typeof value === 'string' && !value.isWellFormed()) one[name] = cleanText(value)
      else if (typeof value === 'object' && value !== null) open.push(value as Record<string, unknown>)
    }
  }
  return body
}

const usualStatus = ({ answers }: ApiRoute): number =>
  Object.keys(answers)
    .map(Number)
    .find((status) => status < 300) ?? 200

/** A parameter that a call does not know is refused everywhere: it would seem to filter, and does not. */
const noQuery = z.strictObject({})

/** @throws DomainError `invalid_query` */
function parseQuery(schema: z.ZodType, request: Request): unknown {
  const parsed = schema.safeParse(request.query)
  if (parsed.success) return parsed.data
  throw invalid('invalid_query', 'A query parameter is not valid; see errors.', {
    fields: fieldErrorsOf(parsed.error),
  })
}
