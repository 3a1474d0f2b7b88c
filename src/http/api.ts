import express, { Router, type Request, type RequestHandler, type Response } from 'express'
import { z } from 'zod'
import { mayActAs, type Actor } from '../domain/editor.ts'
import { DomainError } from '../errors.ts'
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
  router.use(authenticateBearer(authenticate))
  for (const route of routes) {
    const path = route.path.replace(/\{(\w+)\}/g, ':$1')
    router[route.method](path, requireRole(route), ...bodyParser(route), handlerOf(route))
  }
  router.use(() => {
    throw new DomainError(
      'not_found',
      'no_route',
      'There is no such call; GET /api/v1/openapi.json lists them all.',
    )
  })
  return router
}

const authenticateBearer =
  (authenticate: AuthenticateKey): RequestHandler =>
  async (request, response, next) => {
    const [, key] = /^Bearer ([\w-]{20,200})$/i.exec(request.get('authorization') ?? '') ?? []
    const actor = key === undefined ? undefined : await authenticate(key)
    if (!actor) {
      response.set('WWW-Authenticate', 'Bearer')
      throw new DomainError(
        'unauthenticated',
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
      throw new DomainError('forbidden', 'role_too_low', `This call needs a key with the role ${route.role}.`)
    }
    next()
  }

const defaultBodyLimit = 256 * 1024

function bodyParser(route: ApiRoute): RequestHandler[] {
  if (route.body === undefined || route.body === 'stream') return []
  const isJson = (request: Request): boolean => request.is('application/json') !== false
  const parse: RequestHandler = express.json({ limit: route.bodyLimit ?? defaultBodyLimit, type: () => true })
  return [
    (request, response, next) => {
      const isEmpty =
        request.get('content-length') === '0' ||
        (!request.get('content-length') && !request.get('transfer-encoding'))
      if (isEmpty) {
        next()
        return
      }
      if (!isJson(request)) {
        throw new DomainError('invalid', 'not_json', 'Send the body as application/json in UTF-8.')
      }
      parse(request, response, next)
    },
  ]
}

const handlerOf =
  (route: ApiRoute): RequestHandler =>
  async (request, response) => {
    const answer = await route.handle({
      params: route.params ? route.params.parse(request.params) : request.params,
      query: parseQuery(route.query ?? noQuery, request),
      body: route.body && route.body !== 'stream' ? route.body.parse(request.body ?? {}) : undefined,
      actor: actorOf(response),
      request,
      response,
    })
    if (!answer) return
    response.status(answer.status ?? 200).set(answer.headers ?? {})
    if (answer.body === undefined) response.end()
    else response.json(answer.body)
  }

/** A parameter that a call does not know is refused everywhere: it would seem to filter, and does not. */
const noQuery = z.strictObject({})

/** @throws DomainError `invalid_query` */
function parseQuery(schema: z.ZodType, request: Request): unknown {
  const parsed = schema.safeParse(request.query)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }))
  throw new DomainError('invalid', 'invalid_query', 'A query parameter is not valid; see errors.', { fields })
}

/** The version that `If-Match` names: `"7"` of a digest's ETag. Undefined where the header is absent. */
export function ifMatchVersion(request: Request): number | undefined {
  const header = request.get('if-match')
  if (header === undefined) return undefined
  const [, version] = /^(?:W\/)?"(\d{1,9})"$/.exec(header.trim()) ?? []
  if (version === undefined) {
    throw new DomainError(
      'precondition_failed',
      'version_changed',
      'If-Match names no version of this; read it again and use its ETag.',
    )
  }
  return Number(version)
}
