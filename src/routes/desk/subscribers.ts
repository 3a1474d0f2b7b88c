import { z } from 'zod'
import { nameOf } from '../../domain/articles/article.ts'
import { get, idOf, post, type DeskCall, type DeskRoute } from '../../http/desk.ts'
import { drawGrowth } from '../../http/charts.ts'
import { toPageRequest } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'

const listQuery = z.object({
  q: z.string().max(254).default('').catch(''),
  cursor: z.string().max(2_000).optional(),
})
const noteForm = z.object({ detail: z.string().trim().max(500) })

const pageSize = 50

/** Who receives, how many came and went, and why one person gets what they get. */
export function subscribersDesk({
  subscribers,
  suppressions,
  newsletters,
  selections,
}: Services): DeskRoute[] {
  const showPerson = async ({ request, session, page }: DeskCall, more: object = {}) => {
    const sections = await selections.list('section')
    page('desk/subscriber', {
      person: await subscribers.explain(idOf(request)),
      names: await newsletters.names(),
      sections: Object.fromEntries(sections.map((one) => [one.slug, nameOf(one, session.language)])),
      ...more,
    })
  }
  return [
    get('/subscribers', 'viewer', async ({ request, page }) => {
      const { q, cursor } = listQuery.parse(request.query)
      const { rows, now } = await subscribers.growth()
      const list = await subscribers.list(q, toPageRequest({ limit: pageSize, cursor }))
      page('desk/subscribers', {
        q,
        rows: list.data,
        next: list.next,
        names: await newsletters.names(),
        charts: drawGrowth(rows, now),
      })
    }),
    get('/subscribers/:id', 'viewer', (call) => showPerson(call)),
    {
      ...post('/subscribers/:id/suppress', 'editor', async ({ request, actor, redirect }) => {
        const id = idOf(request)
        const { email } = await subscribers.get(id)
        await suppressions.add(email ?? '', noteForm.parse(request.body).detail, actor)
        redirect(`/subscribers/${id}`, 'saved')
      }),
      showFaults: (call, faults) => showPerson(call, { typed: call.request.body as object, faults }),
    },
    post('/subscribers/:id/lift', 'admin', async ({ request, actor, redirect }) => {
      const id = idOf(request)
      const { email } = await subscribers.get(id)
      await suppressions.remove(email ?? '', actor)
      redirect(`/subscribers/${id}`, 'saved')
    }),
  ]
}
