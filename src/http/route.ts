import type { Request, Response } from 'express'
import { z } from 'zod'
import { byId, decodeCursor, type CursorShape, type PageRequest } from '../domain/cursor.ts'
import type { Actor, Role } from '../domain/editor.ts'

/** What a handler answers: sent as JSON, never cached. */
export interface ApiAnswer {
  /** The first good one of the route's answers unless said. */
  status?: number
  body?: unknown
  headers?: Record<string, string>
}

/** What a handler is given: everything checked against the route's schemas. */
export interface Call<Params, Query, Body> {
  params: Params
  query: Query
  body: Body
  actor: Actor
  request: Request
  /** For answers that stream; such a handler returns nothing, as does one whose answer is 204. */
  response: Response
}

/** What one call of the API takes and answers: its schemas and its handler, so that none can be forgotten. */
interface ApiCall<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  summary: string
  params?: Params
  query?: Query
  /** Request headers that the handler reads: they describe, and it judges. */
  headers?: z.ZodObject
  /** A strict object: a field that it does not know is refused. `stream`: the handler reads the request itself. */
  body?: Body | 'stream'
  /** What such a body may be; CSV unless said. */
  streams?: string[]
  /** Bytes; 256 kB unless said. */
  bodyLimit?: number
  /** Schema of the answer by status. */
  answers: Record<number, z.ZodType | string>
  handle(
    call: Call<z.infer<Params>, z.infer<Query>, z.infer<Body>>,
  ): Promise<ApiAnswer | undefined> | Promise<void> | ApiAnswer
}

export interface ApiRoute extends ApiCall<z.ZodType, z.ZodType, z.ZodType> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  role: Role
}

/**
 * Keeps the types of params, query and body between the schemas and the handler.
 * @param path below `/api/v1`, parameters in braces: `/articles/{externalId}`
 * @param role the least that may call it
 */
const routeBy =
  (method: ApiRoute['method']) =>
  <
    Params extends z.ZodType = z.ZodObject,
    Query extends z.ZodType = z.ZodObject,
    Body extends z.ZodType = z.ZodUndefined,
  >(
    path: string,
    role: Role,
    call: ApiCall<Params, Query, Body>,
  ): ApiRoute => ({ method, path, role, ...call })

export const get = routeBy('get')
export const post = routeBy('post')
export const put = routeBy('put')
export const patch = routeBy('patch')
export const del = routeBy('delete')

/** Of a row, in a path, a query or a body. */
export const rowId = z.coerce.number().int().positive()

/** `?limit=&cursor=` of every list. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Items on a page'),
  cursor: z
    .string()
    .max(2_000)
    .meta({ pattern: '^[A-Za-z0-9_-]+$', description: '`next` of the page before' })
    .optional(),
}

/**
 * @param shape what the list is ordered by
 * @throws DomainError `invalid_cursor`
 */
export const toPageRequest = (
  query: { limit: number; cursor?: string | undefined },
  shape: CursorShape = byId,
): PageRequest => ({
  limit: query.limit,
  after: query.cursor === undefined ? undefined : decodeCursor(query.cursor, shape),
})
