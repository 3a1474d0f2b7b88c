import { z } from 'zod'
import { feedTexts, links } from '../../domain/publication.ts'
import { itemLists, sentenceOf, sourceAnswers, sourceKinds } from '../../domain/sources/source.ts'
import { get, idOf, postForm, type DeskCall, type DeskRoute } from '../../http/desk.ts'
import { sourceAddress } from '../../services/sources/input.ts'
import { conditionOf } from '../../services/sources/sync.ts'
import type { SourceView } from '../../services/sources/sources.ts'
import type { Services } from '../../services/services.ts'
import { dayMs } from '../../domain/time.ts'

const emptyIsNone = z.literal('').transform(() => undefined)
const language = z.union([emptyIsNone, z.string().max(35)]).optional()
const addressForm = z.object({ address: sourceAddress, kind: z.enum(sourceKinds).optional() })
const addForm = addressForm.extend({ language, from: z.enum(['all', 'month', 'today']) })
const settingsForm = z.object({
  language,
  links: z.union([emptyIsNone, z.enum(links)]).optional(),
  feedText: z.union([emptyIsNone, z.enum(feedTexts)]).optional(),
})
const answerForm = z.object({ answer: z.enum(sourceAnswers) })
const restoreForm = z.object({ item: z.string().max(100).optional() })

const daysBack = { all: undefined, month: 30, today: 0 }
const shownRuns = 30

/** Sites whose articles arrive by themselves: find, look at five of their articles, follow, and see how it goes. */
export function sourcesDesk({ sources, publication }: Services): DeskRoute[] {
  const said = (source: SourceView) => ({
    ...source,
    says: sentenceOf(conditionOf(source)),
    bell: source.rings === undefined ? 'unknown' : source.rings ? 'rings' : 'silent',
  })
  const showList = async ({ page }: DeskCall, more: object = {}) => {
    page('desk/sources', { rows: (await sources.list()).map(said), ...more })
  }
  const showOne = async (call: DeskCall, more: object = {}) => {
    const id = idOf(call.request)
    const source = said(await sources.get(id))
    const lists = await Promise.all(
      itemLists.map(async (kind) => ({ kind, items: await sources.listItems(id, kind) })),
    )
    const runs = (await sources.listRuns(id)).slice(0, shownRuns)
    const { languages } = await publication.get()
    call.page('desk/source', { source, lists, runs, languages, links, feedTexts, ...more })
  }
  const preview = async (call: DeskCall) => {
    const { address, kind } = addressForm.parse(call.request.body)
    const { found, kinds, items } = await sources.preview(address, { kind })
    const known = (await sources.list()).find(({ url }) => url === found.url)
    if (known) {
      call.redirect(`/sources/${known.id}`, 'source-known')
      return
    }
    const { languages } = await publication.get()
    call.page('desk/source-preview', { address, found, kinds, items, languages })
  }
  const act = (
    action: string,
    notice: string,
    work: (id: number, call: DeskCall) => Promise<unknown>,
    role: DeskRoute['role'] = 'editor',
  ): DeskRoute =>
    postForm(`/sources/:id/${action}`, role, showOne, async (call) => {
      await work(idOf(call.request), call)
      call.redirect(action === 'remove' ? '/sources' : `/sources/${idOf(call.request)}`, notice)
    })
  return [
    get('/sources', 'viewer', (call) => showList(call)),
    postForm('/sources/preview', 'admin', showList, preview),
    postForm('/sources', 'admin', showList, async ({ request, actor, redirect }) => {
      const { from, ...input } = addForm.parse(request.body)
      const days = daysBack[from]
      const since = days === undefined ? undefined : new Date(Date.now() - days * dayMs).toISOString()
      const { id } = await sources.add({ ...input, since }, actor)
      redirect(`/sources/${id}`, 'source-added')
    }),
    get('/sources/:id', 'viewer', (call) => showOne(call)),
    act(
      'settings',
      'saved',
      (id, { request, actor }) => {
        const { language = null, links = null, feedText = null } = settingsForm.parse(request.body)
        return sources.change(id, { language, links, feedText }, actor)
      },
      'admin',
    ),
    act('sync', 'source-wanted', (id, { actor }) => sources.sync(id, actor)),
    act('pause', 'source-paused', (id, { actor }) => sources.pause(id, actor)),
    act('resume', 'source-wanted', (id, { actor }) => sources.resume(id, actor)),
    act('feed', 'saved', (id, { actor }) => sources.useFeed(id, actor), 'admin'),
    act('remove', 'source-removed', (id, { actor }) => sources.remove(id, actor), 'admin'),
    act('answer', 'saved', (id, { request, actor }) =>
      sources.answer(id, answerForm.parse(request.body).answer, actor),
    ),
    act('restore', 'source-restored', (id, { request, actor }) => {
      const { item } = restoreForm.parse(request.body)
      return sources.restore(id, item === undefined ? undefined : [item], actor)
    }),
  ]
}
