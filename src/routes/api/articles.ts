import { z } from 'zod'
import { get, post, put, pageQuery, toPageRequest, type ApiRoute } from '../../http/route.ts'
import { articleInput, externalId } from '../../services/articles/input.ts'
import type { ArticleService } from '../../services/articles/articles.ts'

const params = z.strictObject({ externalId })
const state = z.enum(['draft', 'scheduled', 'published', 'withdrawn'])
const time = z.iso.datetime()

const article = z.object({
  externalId: z.string(),
  slug: z.string(),
  url: z.url(),
  shortUrl: z.url(),
  guid: z.string().describe('Permanent'),
  title: z.string(),
  html: z.string().describe('Sanitised, every URL absolute'),
  language: z.string(),
  deck: z.string(),
  summary: z.string(),
  sections: z.array(z.string()),
  dossiers: z.array(z.string()),
  tags: z.array(z.string()),
  authors: z.array(z.string()),
  state,
  publishedAt: time.nullable(),
  firstPublicAt: time.nullable().describe('When it became public here; never changes'),
  withdrawnAt: time.nullable(),
  withdrawnReason: z.string().nullable(),
  canonicalUrl: z.string().nullable(),
  picture: articleInput.shape.picture.unwrap().nullable(),
  enclosure: articleInput.shape.enclosure.unwrap().nullable(),
  responses: z.enum(['open', 'closed']),
  responsesCount: z.int(),
  viewsTotal: z.int(),
  heldAt: time.nullable().describe('Since when a correction keeps sources from writing its text'),
  createdAt: time,
  updatedAt: time,
})

const putArticle = article.extend({ outcome: z.enum(['created', 'updated', 'unchanged']) })

const putOutcome = z.object({
  externalId: z.string(),
  outcome: z.enum(['created', 'updated', 'unchanged', 'failed']),
  code: z.string().optional().describe('Of one that failed'),
  message: z.string().optional(),
})

/** A long read with its pictures' captions; pictures themselves are linked, not sent. */
const bodyLimit = 5 * 1024 * 1024
const batchLimit = 20 * 1024 * 1024

export function articleApi(service: ArticleService): ApiRoute[] {
  return [
    put('/articles/{externalId}', 'editor', {
      summary: 'Create or update an article; the same body again changes nothing',
      params,
      body: articleInput,
      bodyLimit,
      answers: { 200: putArticle, 201: putArticle },
      handle: async ({ params, body }) => {
        const { outcome, article } = await service.put(params.externalId, body)
        return { status: outcome === 'created' ? 201 : 200, body: { ...service.toShape(article), outcome } }
      },
    }),
    put('/articles', 'editor', {
      summary: 'Create or update up to 100 articles; each has an outcome of its own',
      body: z.strictObject({
        articles: z
          .array(z.looseObject({ externalId: z.string() }))
          .min(1)
          .max(100)
          .describe('As of one, with its `externalId`'),
      }),
      bodyLimit: batchLimit,
      answers: { 200: z.object({ data: z.array(putOutcome), next: z.null() }) },
      handle: async ({ body }) => ({ body: { data: await service.putMany(body.articles), next: null } }),
    }),
    get('/articles', 'viewer', {
      summary: 'Articles in every state, newest entry first',
      query: z.strictObject({
        ...pageQuery,
        state: state.optional(),
        language: z.string().max(35).optional(),
      }),
      answers: { 200: z.object({ data: z.array(article), next: z.string().nullable() }) },
      handle: async ({ query: { state, language, ...page } }) => {
        const { data, next } = await service.list(toPageRequest(page), { state, language })
        return { body: { data: data.map(service.toShape), next } }
      },
    }),
    get('/articles/{externalId}', 'viewer', {
      summary: 'One article',
      params,
      answers: { 200: article },
      handle: async ({ params }) => ({ body: service.toShape(await service.get(params.externalId)) }),
    }),
    post('/articles/{externalId}/withdraw', 'editor', {
      summary: 'Take a published article back; readers see the reason',
      params,
      body: z.strictObject({ reason: z.string().trim().min(1).max(1_000) }),
      answers: { 200: article },
      handle: async ({ params, body, actor }) => ({
        body: service.toShape(await service.withdraw(params.externalId, body.reason, actor)),
      }),
    }),
    post('/articles/{externalId}/release', 'editor', {
      summary: 'Let the site that the article came from write its text again',
      params,
      answers: { 200: article },
      handle: async ({ params, actor }) => ({
        body: service.toShape(await service.release(params.externalId, actor)),
      }),
    }),
  ]
}
