import { z } from 'zod'
import type { Article } from '../../domain/articles/article.ts'
import { show } from '../../domain/fields.ts'
import { ifMatch, ifMatchVersion } from '../../http/preconditions.ts'
import { get, post, put, pageQuery, rowId, toPageRequest, type ApiRoute } from '../../http/route.ts'
import { articleInput, externalId } from '../../services/articles/input.ts'
import type { ArticleService } from '../../services/articles/articles.ts'
import { outcomes } from '../../services/articles/put-article.ts'
import { articleShape } from '../../services/articles/shape.ts'

const params = z.strictObject({ externalId })
const time = z.iso.datetime()

const articleBody = z.object({
  title: z.string(),
  deck: z.string(),
  body: z.string(),
  format: z.enum(['html', 'markdown']),
  writtenBy: z.string().nullable().describe('An address, the name of a key; null: it came with an import'),
  writtenAt: time,
})

const articleQuery = {
  q: z
    .string()
    .max(200)
    .optional()
    .describe('Parts of words of the title; no accents, no vowel signs needed'),
  state: articleShape.shape.state.optional(),
  language: z.string().max(35).optional(),
  section: z.string().max(100).optional().describe('Slug'),
  source: rowId.optional().describe('Id'),
}

const articleWithOutcome = articleShape.extend({ outcome: z.enum(outcomes) })

const batchOutcome = z.object({
  externalId: z.string(),
  outcome: z.enum([...outcomes, 'failed']),
  code: z.string().optional().describe('Of one that failed'),
  message: z.string().optional(),
})

/** A long read with its pictures' captions; pictures themselves are linked, not sent. */
const bodyBytes = 5 * 1024 * 1024
const mostArticles = 100
const batchBytes = 20 * 1024 * 1024

export function articleApi(service: ArticleService): ApiRoute[] {
  const tagged = (one: Article) => ({
    headers: { ETag: `"${service.versionOf(one)}"` },
    body: service.toShape(one),
  })
  return [
    put('/articles/{externalId}', 'editor', {
      summary: 'Create or update an article; the same body again changes nothing',
      params,
      headers: z.object({ 'If-Match': ifMatch.optional(), 'If-None-Match': z.literal('*').optional() }),
      body: articleInput,
      bodyLimit: bodyBytes,
      answers: { 200: articleWithOutcome, 201: articleWithOutcome },
      handle: async ({ params, body, request, actor }) => {
        const version = ifMatchVersion(request)
        const mustBeNew = request.get('if-none-match')?.trim() === '*'
        const { outcome, article } = await service.put(params.externalId, body, { actor, version, mustBeNew })
        const { headers, body: shape } = tagged(article)
        return { status: outcome === 'created' ? 201 : 200, headers, body: { ...shape, outcome } }
      },
    }),
    put('/articles', 'editor', {
      summary: `Create or update up to ${mostArticles} articles; each has an outcome of its own`,
      body: z.strictObject({
        articles: z
          .array(z.looseObject({ externalId: z.string() }))
          .min(1)
          .max(mostArticles)
          .describe('As of one, with its `externalId`'),
      }),
      bodyLimit: batchBytes,
      answers: { 200: z.object({ data: z.array(batchOutcome), next: z.null() }) },
      handle: async ({ body, actor }) => ({
        body: { data: await service.putMany(body.articles, { actor }), next: null },
      }),
    }),
    get('/articles', 'viewer', {
      summary: 'Articles in every state, newest date first; a draft by when it was begun',
      query: z.strictObject({ ...pageQuery, ...articleQuery }),
      answers: { 200: z.object({ data: z.array(articleShape), next: z.string().nullable() }) },
      handle: async ({ query: { limit, cursor, q: text, ...filter } }) => {
        const page = toPageRequest({ limit, cursor }, ['time', 'id'])
        const { data, next } = await service.list(page, { ...filter, text })
        return { body: { data: data.map(service.toShape), next } }
      },
    }),
    get('/articles/{externalId}', 'viewer', {
      summary: 'One article',
      params,
      answers: { 200: articleShape },
      handle: async ({ params }) => tagged(await service.get(params.externalId)),
    }),
    get('/articles/{externalId}/bodies', 'viewer', {
      summary: 'What the article says, and the last twenty texts before, with who wrote them and when',
      params,
      answers: { 200: z.object({ data: z.array(articleBody), next: z.null() }) },
      handle: async ({ params }) => {
        const bodies = await service.listBodies(params.externalId)
        return { body: { data: bodies.map((one) => show(articleBody, one)), next: null } }
      },
    }),
    post('/articles/{externalId}/withdraw', 'editor', {
      summary: 'Take a published article back; readers see the reason',
      params,
      body: z.strictObject({ reason: z.string().trim().min(1).max(1_000) }),
      answers: { 200: articleShape },
      handle: async ({ params, body, actor }) => ({
        body: service.toShape(await service.withdraw(params.externalId, body.reason, actor)),
      }),
    }),
    post('/articles/{externalId}/release', 'editor', {
      summary: 'Let the site that the article came from write its text again',
      params,
      answers: { 200: articleShape },
      handle: async ({ params, actor }) => ({
        body: service.toShape(await service.release(params.externalId, actor)),
      }),
    }),
  ]
}
