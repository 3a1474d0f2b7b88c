import { z } from 'zod'
import { mayActAs, type Actor } from '../../domain/editor.ts'
import { sourceFailures, sourceKinds, sourceStates } from '../../domain/sources/source.ts'
import { apiRoute, rowId, type ApiRoute } from '../../http/route.ts'
import {
  restoreInput,
  sourceAddress,
  sourceAnswer,
  sourceChange,
  sourceInput,
} from '../../services/sources/input.ts'
import { toItemShape, toPreview, toShape } from '../../services/sources/shape.ts'
import type { SourceService, SourceView } from '../../services/sources/sources.ts'

const params = z.strictObject({ id: rowId })
const time = z.iso.datetime().nullable()
const text = z.string().nullable()

const source = z.object({
  id: z.int(),
  kind: z.enum(sourceKinds),
  url: z.string().describe('What is read: the root of a REST API, or a feed'),
  home: z.string(),
  name: z.string(),
  state: z.enum(sourceStates),
  sentence: z.string().describe('What the state means, and what to do'),
  failure: z.enum(sourceFailures).nullable().describe('Of the latest look'),
  question: z.enum(['many', 'changed', 'moved']).nullable().describe('What waits for an answer'),
  rings: z
    .boolean()
    .nullable()
    .describe('Whether the site was observed to ring; null until something arrives'),
  pingUrl: text.describe('What WordPress takes as an Update Service; null for viewers'),
  counts: z.object({
    here: z.int(),
    skipped: z.int(),
    held: z.int(),
    missing: z.int(),
    withdrawn: z.int(),
  }),
  language: text,
  since: time,
  links: z.enum(['here', 'canonical']).nullable(),
  feedText: z.enum(['full', 'summary']).nullable(),
  foundAt: time.describe('When it last brought something'),
  lookedAt: time,
  nextAt: time.describe('When it is looked at again; null while it is paused'),
  pausedAt: time,
  createdAt: z.iso.datetime(),
})
const preview = z.object({
  kind: z.enum(sourceKinds),
  kinds: z.array(z.enum(sourceKinds)).describe('All ways to follow it'),
  url: z.string(),
  home: z.string(),
  name: z.string(),
  articles: z.array(
    z.object({
      title: z.string(),
      link: text,
      publishedAt: time,
      language: text,
      sections: z.array(z.string()),
      reason: text.describe('Why it would be skipped'),
    }),
  ),
})
const item = z.object({
  id: z.string(),
  externalId: text.describe('Of its article'),
  title: z.string(),
  link: text,
  state: z.enum(['here', 'skipped', 'withdrawn', 'kept']),
  reason: text,
  publishedAt: time,
  missingSince: time,
  withdrawnAt: time,
  heldAt: time,
})
const run = z.object({
  id: z.int(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  reason: z.enum(['clock', 'ring', 'person']),
  created: z.int(),
  updated: z.int(),
  skipped: z.int(),
  withdrawn: z.int(),
  restored: z.int(),
  failure: text,
})
const listOf = <T extends z.ZodType>(one: T) => z.object({ data: z.array(one), next: z.null() })

const shapeFor = (view: SourceView, actor: Actor) => ({
  ...toShape(view),
  pingUrl: mayActAs(actor.role, 'editor') ? view.pingUrl : null,
})

/** Sites whose articles arrive by themselves. */
export function sourceApi(service: SourceService): ApiRoute[] {
  const act = (
    path: string,
    summary: string,
    work: (id: number, actor: Actor) => Promise<SourceView>,
    role: 'editor' | 'admin' = 'editor',
  ): ApiRoute =>
    apiRoute({
      method: 'post',
      path: `/sources/{id}/${path}`,
      role,
      summary,
      params,
      answers: { 200: source },
      handle: async ({ params, actor }) => ({ body: shapeFor(await work(params.id, actor), actor) }),
    })
  return [
    apiRoute({
      method: 'get',
      path: '/sources',
      role: 'viewer',
      summary: 'Sites that are followed',
      answers: { 200: listOf(source) },
      handle: async ({ actor }) => ({
        body: { data: (await service.list()).map((one) => shapeFor(one, actor)), next: null },
      }),
    }),
    apiRoute({
      method: 'post',
      path: '/sources',
      role: 'admin',
      summary: 'Follow a site, by the address of its home or of its feed',
      body: sourceInput,
      answers: { 201: source },
      handle: async ({ body, actor }) => ({
        status: 201,
        body: shapeFor(await service.add(body, actor), actor),
      }),
    }),
    apiRoute({
      method: 'post',
      path: '/sources/preview',
      role: 'admin',
      summary: 'What is at an address, and five of its articles as they would be here',
      body: z.strictObject({ address: sourceAddress, kind: z.enum(sourceKinds).optional() }),
      answers: { 200: preview },
      handle: async ({ body: { address, kind } }) => ({
        body: toPreview(await service.preview(address, { kind })),
      }),
    }),
    apiRoute({
      method: 'get',
      path: '/sources/{id}',
      role: 'viewer',
      summary: 'One of them',
      params,
      answers: { 200: source },
      handle: async ({ params, actor }) => ({ body: shapeFor(await service.get(params.id), actor) }),
    }),
    apiRoute({
      method: 'patch',
      path: '/sources/{id}',
      role: 'admin',
      summary: 'Change its settings; what is not named stays, null is as elsewhere',
      params,
      body: sourceChange,
      answers: { 200: source },
      handle: async ({ params, body, actor }) => ({
        body: shapeFor(await service.change(params.id, body, actor), actor),
      }),
    }),
    apiRoute({
      method: 'delete',
      path: '/sources/{id}',
      role: 'admin',
      summary: 'Follow it no more; its articles stay',
      params,
      answers: { 204: 'Removed' },
      handle: async ({ params, actor }) => {
        await service.remove(params.id, actor)
        return { status: 204 }
      },
    }),
    apiRoute({
      method: 'get',
      path: '/sources/{id}/items',
      role: 'viewer',
      summary: 'What it has and is not here as it is there: the newest hundred',
      params,
      query: z.strictObject({ state: z.enum(['skipped', 'held', 'missing', 'withdrawn']) }),
      answers: { 200: listOf(item) },
      handle: async ({ params, query }) => ({
        body: { data: (await service.listItems(params.id, query.state)).map(toItemShape), next: null },
      }),
    }),
    apiRoute({
      method: 'get',
      path: '/sources/{id}/runs',
      role: 'viewer',
      summary: 'The latest hundred looks',
      params,
      answers: { 200: listOf(run) },
      handle: async ({ params }) => ({
        body: { data: (await service.listRuns(params.id)).map(toRun), next: null },
      }),
    }),
    act('sync', 'Look now', service.sync),
    act('pause', 'Look no more, until it is resumed', service.pause),
    act('resume', 'Look again', service.resume),
    act('feed', 'Follow the feed of a site whose API is closed', service.useFeed, 'admin'),
    apiRoute({
      method: 'post',
      path: '/sources/{id}/answer',
      role: 'editor',
      summary: 'Answer its question: withdraw what is gone, keep it, or say that it is the same site',
      params,
      body: sourceAnswer,
      answers: { 200: source },
      handle: async ({ params, body, actor }) => ({
        body: shapeFor(await service.answer(params.id, body.answer, actor), actor),
      }),
    }),
    apiRoute({
      method: 'post',
      path: '/sources/{id}/restore',
      role: 'editor',
      summary: 'Bring back what it withdrew in the last day, or what is named, and keep it',
      params,
      body: restoreInput,
      answers: { 200: z.object({ restored: z.int() }) },
      handle: async ({ params, body, actor }) => ({
        body: { restored: await service.restore(params.id, body.items, actor) },
      }),
    }),
  ]
}

const toRun = (one: Awaited<ReturnType<SourceService['listRuns']>>[number]) => ({
  ...one,
  startedAt: one.startedAt.toISOString(),
  endedAt: one.endedAt.toISOString(),
})
