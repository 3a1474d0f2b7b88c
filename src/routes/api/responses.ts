import { z } from 'zod'
import { decidedStates, type DecidedState } from '../../domain/responses/written-response.ts'
import { del, get, pageQuery, post, put, rowId, toPageRequest, type ApiRoute } from '../../http/route.ts'
import { externalId, responseInput } from '../../services/articles/input.ts'
import { outcomes } from '../../services/articles/put-article.ts'
import { responseShape } from '../../services/responses/responses.ts'
import { writtenShape } from '../../services/responses/written-responses.ts'
import type { Services } from '../../services/services.ts'

const params = z.strictObject({ externalId, responseId: externalId })
const putResponse = responseShape.extend({ outcome: z.enum(outcomes) })

export function responseApi({ responses: service, writtenResponses }: Services): ApiRoute[] {
  const decide = (act: string, state: DecidedState, summary: string) =>
    post(`/responses/{id}/${act}`, 'editor', {
      summary,
      params: z.strictObject({ id: rowId }),
      answers: { 200: writtenShape },
      handle: async ({ params: { id }, actor }) => ({
        body: writtenResponses.toShape(await writtenResponses.decide(id, state, actor)),
      }),
    })
  return [
    get('/responses', 'viewer', {
      summary: 'What readers and other sites have written here, newest first, without their addresses',
      query: z.strictObject({ ...pageQuery, state: z.enum(decidedStates).default('held') }),
      answers: { 200: z.object({ data: z.array(writtenShape), next: z.string().nullable() }) },
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
      answers: { 200: putResponse, 201: putResponse },
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
