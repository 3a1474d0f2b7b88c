import { z } from 'zod'
import { mayActAs, type Actor } from '../../domain/editor.ts'
import { itemLists, sourceKinds } from '../../domain/sources/source.ts'
import { del, get, patch, post, rowId, type ApiRoute } from '../../http/route.ts'
import {
  restoreInput,
  sourceAddress,
  sourceAnswer,
  sourceChange,
  sourceInput,
} from '../../services/sources/input.ts'
import {
  itemShape,
  previewShape,
  runShape,
  sourceShape,
  toItemShape,
  toPreview,
  toRunShape,
  toShape,
} from '../../services/sources/shape.ts'
import type { SourceView } from '../../services/sources/sources.ts'
import type { Services } from '../../services/services.ts'

const params = z.strictObject({ id: rowId })
const listOf = <T extends z.ZodType>(one: T) => z.object({ data: z.array(one), next: z.null() })

const shapeFor = (view: SourceView, actor: Actor) => ({
  ...toShape(view),
  pingUrl: mayActAs(actor.role, 'editor') ? view.pingUrl : null,
})

/** Sites whose articles arrive by themselves. */
export function sourceApi({ sources }: Services): ApiRoute[] {
  const act = (
    path: string,
    summary: string,
    work: (id: number, actor: Actor) => Promise<SourceView>,
    role: 'editor' | 'admin' = 'editor',
  ): ApiRoute =>
    post(`/sources/{id}/${path}`, role, {
      summary,
      params,
      answers: { 200: sourceShape },
      handle: async ({ params, actor }) => ({ body: shapeFor(await work(params.id, actor), actor) }),
    })
  return [
    get('/sources', 'viewer', {
      summary: 'Sites that are followed',
      answers: { 200: listOf(sourceShape) },
      handle: async ({ actor }) => ({
        body: { data: (await sources.list()).map((one) => shapeFor(one, actor)), next: null },
      }),
    }),
    post('/sources', 'admin', {
      summary: 'Follow a site, by the address of its home or of its feed',
      body: sourceInput,
      answers: { 201: sourceShape },
      handle: async ({ body, actor }) => ({ body: shapeFor(await sources.add(body, actor), actor) }),
    }),
    post('/sources/preview', 'admin', {
      summary: 'What is at an address, and five of its articles as they would be here',
      body: z.strictObject({ address: sourceAddress, kind: z.enum(sourceKinds).optional() }),
      answers: { 200: previewShape },
      handle: async ({ body: { address, kind } }) => ({
        body: toPreview(await sources.preview(address, { kind })),
      }),
    }),
    get('/sources/{id}', 'viewer', {
      summary: 'One of them',
      params,
      answers: { 200: sourceShape },
      handle: async ({ params, actor }) => ({ body: shapeFor(await sources.get(params.id), actor) }),
    }),
    patch('/sources/{id}', 'admin', {
      summary: 'Change its settings; what is not named stays, null is as elsewhere',
      params,
      body: sourceChange,
      answers: { 200: sourceShape },
      handle: async ({ params, body, actor }) => ({
        body: shapeFor(await sources.change(params.id, body, actor), actor),
      }),
    }),
    del('/sources/{id}', 'admin', {
      summary: 'Follow it no more; its articles stay',
      params,
      answers: { 204: 'Removed' },
      handle: ({ params, actor }) => sources.remove(params.id, actor),
    }),
    get('/sources/{id}/items', 'viewer', {
      summary: 'What it has and is not here as it is there: the newest hundred',
      params,
      query: z.strictObject({ state: z.enum(itemLists) }),
      answers: { 200: listOf(itemShape) },
      handle: async ({ params, query }) => ({
        body: { data: (await sources.listItems(params.id, query.state)).map(toItemShape), next: null },
      }),
    }),
    get('/sources/{id}/runs', 'viewer', {
      summary: 'The latest hundred looks',
      params,
      answers: { 200: listOf(runShape) },
      handle: async ({ params }) => ({
        body: { data: (await sources.listRuns(params.id)).map(toRunShape), next: null },
      }),
    }),
    act('sync', 'Look now', sources.sync),
    act('pause', 'Look no more, until it is resumed', sources.pause),
    act('resume', 'Look again', sources.resume),
    act('feed', 'Follow the feed of a site whose API is closed', sources.useFeed, 'admin'),
    post('/sources/{id}/answer', 'editor', {
      summary: 'Answer its question: withdraw what is gone, keep it, or say that it is the same site',
      params,
      body: sourceAnswer,
      answers: { 200: sourceShape },
      handle: async ({ params, body, actor }) => ({
        body: shapeFor(await sources.answer(params.id, body.answer, actor), actor),
      }),
    }),
    post('/sources/{id}/restore', 'editor', {
      summary: 'Bring back what it withdrew in the last day, or what is named, and keep it',
      params,
      body: restoreInput,
      answers: { 200: z.object({ restored: z.int() }) },
      handle: async ({ params, body, actor }) => ({
        body: { restored: await sources.restore(params.id, body.items, actor) },
      }),
    }),
  ]
}
