import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Response } from '../../domain/articles/article.ts'
import { show } from '../../domain/fields.ts'
import { changesOfResponses } from '../../domain/feeds/feed.ts'
import { conflict, notFound } from '../../errors.ts'
import type { NewResponse } from '../../store/responses/responses.ts'
import { hashOfFields, type Outcome } from '../articles/put-article.ts'
import {
  externalId as externalIdSchema,
  responseInput,
  type CheckedResponse,
  type ResponseInput,
} from '../articles/input.ts'
import type { Parts } from '../parts.ts'
import { safeHtml } from '../articles/safe-html.ts'

export const responseShape = z.object({
  id: z.string(),
  guid: z.string().describe('Permanent'),
  kind: z.enum(['response', 'trackback']),
  author: z.string(),
  authorUrl: z.string().nullable(),
  html: z.string().describe('Sanitised'),
  publishedAt: z.iso.datetime(),
})

/** A response of an import, under an article that is stored already. */
export interface ResponseToPut {
  articleId: number
  externalId: string
  input: CheckedResponse
}

export function createResponseService(parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'now'>) {
  const { config, database, doorbell, now } = parts

  const toRow = async (
    { articleId, externalId, input: { guid, ...content } }: ResponseToPut,
    baseUrl: string,
  ): Promise<NewResponse> => ({
    articleId,
    externalId,
    guid: guid ?? `urn:uuid:${randomUUID()}`,
    kind: content.kind,
    author: content.author,
    authorUrl: content.authorUrl,
    html: await safeHtml(content.html, baseUrl, undefined, 'response'),
    publishedAt: content.publishedAt === undefined ? now() : new Date(content.publishedAt),
    contentSha256: hashOfFields(content),
  })

  return {
    /**
     * Creates or updates a response by its external id. Whether an article is open or closed is said to readers;
     * the newsroom's own system decides what it sends.
     * @throws ZodError; DomainError `no_article`, `guid_taken`
     */
    async put(
      articleExternalId: string,
      responseId: string,
      body: ResponseInput,
    ): Promise<{ outcome: Outcome; response: Response }> {
      const externalId = externalIdSchema.parse(responseId)
      const input = responseInput.parse(body)
      const { outcome, response } = await database.transaction(async (stores) => {
        const article = await stores.articles.getByExternalId(articleExternalId)
        const row = await toRow(
          { articleId: article.id, externalId, input },
          article.canonicalUrl ?? config.publicUrl,
        )
        const holder = input.guid === undefined ? undefined : await stores.responses.findByGuid(input.guid)
        const isOwn = holder?.articleId === article.id && holder.externalId === externalId
        if (holder && !isOwn) throw guidTaken()
        const outcome: Outcome =
          (await stores.responses.put([row])).get(`${article.id}/${externalId}`) ?? 'unchanged'
        if (outcome !== 'unchanged') await stores.feedDocuments.markDirty(changesOfResponses(article))
        const response = await stores.responses.find(article.id, externalId)
        if (!response) throw noResponse()
        return { outcome, response }
      })
      if (outcome !== 'unchanged') await doorbell.ring('render-feeds', {})
      return { outcome, response }
    },

    /** Puts a batch of an import; how many were new or changed. The feeds hear of it when the import ends. */
    async putBatch(
      responses: ResponseToPut[],
      baseUrl: string,
    ): Promise<{ created: number; updated: number }> {
      const rows = await Promise.all(responses.map((one) => toRow(one, baseUrl)))
      const outcomes = [...(await database.stores.responses.put(rows)).values()]
      return {
        created: outcomes.filter((outcome) => outcome === 'created').length,
        updated: outcomes.filter((outcome) => outcome === 'updated').length,
      }
    },

    /** @throws DomainError `no_article`, `no_response` */
    async delete(articleExternalId: string, responseId: string): Promise<void> {
      await database.transaction(async (stores) => {
        const article = await stores.articles.getByExternalId(articleExternalId)
        const response = await stores.responses.find(article.id, responseId)
        if (!response || !(await stores.responses.delete(article.id, responseId))) throw noResponse()
        await stores.writtenResponses.markTaken(response.guid, now())
        await stores.feedDocuments.markDirty(changesOfResponses(article))
      })
      await doorbell.ring('render-feeds', {})
    },

    /** As the API shows it. */
    toShape: (response: Response) => show(responseShape, { ...response, id: response.externalId }),
  }
}

const guidTaken = () =>
  conflict('guid_taken', 'Another response has this guid; leave guid out to get a new one.')

const noResponse = () => notFound('no_response', 'There is no such response under this article.')
