import { z } from 'zod'
import manifest from '../../package.json' with { type: 'json' }
import { problem } from './problem.ts'
import type { ApiRoute } from './route.ts'

/** OpenAPI 3.1 of the whole API, from the schemas that validate it. */
export function describeApi(routes: readonly ApiRoute[], publicUrl: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Dépêche', version: manifest.version },
    servers: [{ url: `${publicUrl}/api/v1` }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      responses: { Problem: { description: 'A problem (RFC 9457)', content: problemContent } },
    },
  }
}

function operation(route: ApiRoute): object {
  return {
    summary: route.summary,
    'x-role': route.role,
    parameters: [
      ...parameters(route.params, 'path'),
      ...parameters(route.query, 'query'),
      ...parameters(route.headers, 'header'),
    ],
    ...(route.body !== undefined && { requestBody: requestBody(route) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [status, response(answer, status)]),
      ),
      431: { description: 'Address and headers are longer than 16 kB; without a body' },
      default: { $ref: '#/components/responses/Problem' },
    },
  }
}

function parameters(schema: z.ZodType | undefined, place: 'path' | 'query' | 'header'): object[] {
  if (!schema) return []
  const { properties = {}, required = [] } = toSchema(schema, 'input') as {
    properties?: Record<string, object>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}

/** A call that takes `{}` takes no body, too. */
const requestBody = ({ body, streams = ['text/csv'] }: ApiRoute): object =>
  body === undefined || body === 'stream'
    ? {
        required: true,
        content: Object.fromEntries(streams.map((type) => [type, { schema: { type: 'string' } }])),
      }
    : {
        required: !body.safeParse({}).success,
        content: { 'application/json': { schema: toSchema(body, 'input') } },
      }

const response = (answer: z.ZodType | string, status: string): object =>
  typeof answer === 'string'
    ? { description: answer, content: Number(status) >= 400 ? problemContent : textContent(answer) }
    : {
        description: answer.description ?? 'Done',
        content: { 'application/json': { schema: toSchema(answer, 'output') } },
      }

/** Of an answer in words that name its media types. */
const textContent = (answer: string): object =>
  Object.fromEntries((answer.match(/\b(?:text|message)\/[\w-]+/g) ?? []).map((type) => [type, {}]))

const toSchema = (schema: z.ZodType, io: 'input' | 'output'): object =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' })

const problemContent = { 'application/problem+json': { schema: toSchema(problem, 'output') } }
