import { z } from 'zod'
import { del, put, type ApiRoute } from '../../http/route.ts'
import { externalId, responseInput } from '../../services/articles/input.ts'
import type { ResponseService } from '../../services/articles/responses.ts'

const params = z.strictObject({ externalId, responseId: externalId })

const response = z.object({
  id: z.string(),
  guid: z.string().describe('Permanent'),
  kind: z.enum(['response', 'trackback']),
  author: z.string(),
  authorUrl: z.string().nullable(),
  html: z.string().describe('Sanitised'),
  publishedAt: z.iso.datetime(),
  outcome: z.enum(['created', 'updated', 'unchanged']),
})

export function responseApi(service: ResponseService): ApiRoute[] {
  return [
    put('/articles/{externalId}/responses/{responseId}', 'editor', {
      summary: 'Create or update a response under an article',
      params,
      body: responseInput,
      answers: { 200: response, 201: response },
      handle: async ({ params, body }) => {
        const { outcome, response } = await service.put(params.externalId, params.responseId, body)
        return { status: outcome === 'created' ? 201 : 200, body: { ...service.toShape(response), outcome } }
      },
    }),
    del('/articles/{externalId}/responses/{responseId}', 'editor', {
      summary: 'Remove a response',
      params,
      answers: { 204: 'Removed' },
      handle: ({ params }) => service.delete(params.externalId, params.responseId),
    }),
  ]
}
