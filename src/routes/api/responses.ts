import { z } from 'zod'
import { decidedStates } from '../../domain/responses/written-response.ts'
import { del, get, pageQuery, post, put, rowId, toPageRequest, type ApiRoute } from '../../http/route.ts'
import { externalId, responseInput } from '../../services/articles/input.ts'
import type { Services } from '../../services/services.ts'

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

const written = z.object({
  id: z.int(),
  state: z.enum(decidedStates),
  ...{ kind: response.shape.kind, guid: z.string(), author: z.string(), authorUrl: z.string().nullable() },
  html: z.string().describe('Sanitised'),
  language: z.string(),
  article: z.string().describe('External id'),
  articleTitle: z.string(),
  writtenAt: z.iso.datetime(),
  heldAt: z.iso.datetime().nullable().describe('When it was confirmed by mail; of a trackback, when it came'),
  decidedAt: z.iso.datetime().nullable(),
})

export function responseApi({
  responses: service,
  writtenResponses,
}: Pick<Services, 'responses' | 'writtenResponses'>): ApiRoute[] {
  const decide = (act: string, state: z.infer<typeof written>['state'], summary: string) =>
    post(`/responses/{id}/${act}`, 'editor', {
      summary,
      params: z.strictObject({ id: rowId }),
      answers: { 200: written },
      handle: async ({ params: { id }, actor }) => ({
        body: writtenResponses.toShape(await writtenResponses.decide(id, state, actor)),
      }),
    })
  return [
    get('/responses', 'viewer', {
      summary: 'What readers and other sites have written here, newest first, without their addresses',
      query: z.strictObject({ ...pageQuery, state: z.enum(decidedStates).default('held') }),
      answers: { 200: z.object({ data: z.array(written), next: z.string().nullable() }) },
      handle: async ({ query: { state, ...page } }) => {
        const { data, next } = await writtenResponses.list(state, toPageRequest(page))
        return { body: { data: data.map(writtenResponses.toShape), next } }
      },
    }),
    decide('publish', 'published', 'Let a response through: it is on the page and in the feeds'),
    decide('refuse', 'refused', 'Keep a response from readers, or take it from them'),
    decide('hold', 'held', 'Take a decision back: the response waits again'),
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
