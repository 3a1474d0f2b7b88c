import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { nameOf } from '../../domain/articles/article.ts'
import { interfaceLanguages } from '../../domain/language.ts'
import { pauseDays } from '../../services/subscribers/subscriptions.ts'
import {
  get,
  idOf,
  post,
  postForm,
  wordsOf,
  type DeskCall,
  type DeskRoute,
  type FormAtFault,
} from '../../http/desk.ts'
import { listOf } from '../../http/form-fields.ts'
import { drawChart } from '../../http/charts.ts'
import { toPageRequest } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'
import { byDesk, signupInput } from '../../services/signups/input.ts'
import { consentBasis, mostCounted } from '../../services/subscribers/subscribers.ts'
import { dayMs } from '../../domain/time.ts'

const states = ['pending', 'active', 'ended'] as const
const listQuery = z.object({
  q: z.string().trim().max(254).default('').catch(''),
  newsletter: z.string().max(100).default('').catch(''),
  state: z.enum(states).optional().catch(undefined),
  cursor: z.string().max(2_000).optional(),
})
const noteForm = z.object({ detail: z.string().trim().max(500) })
const newForm = signupInput
  .pick({ email: true, newsletters: true, language: true })
  .extend({ basis: z.union([z.literal('').transform(() => undefined), consentBasis]).optional() })
  .strip()
const languageForm = z.object({ language: z.enum(interfaceLanguages) })
const subscriptionForm = z.object({
  newsletter: z.string().max(100),
  /** Days of a pause, 0 to resume. */
  act: z.union([z.literal('end'), z.coerce.number().pipe(z.literal([0, ...pauseDays]))]),
})
const sureForm = z.object({ sure: z.literal('yes') })

const pageSize = 50

/** Who receives, how many came and went, and why one person gets what they get; what is done for one of them. */
export function subscribersDesk(services: Services): DeskRoute[] {
  const { audit, clock, subscribers, suppressions, signups, newsletters, selections } = services
  const showList = async ({ request, page }: DeskCall, more: object = {}) => {
    const { q, newsletter, state, cursor } = listQuery.parse(request.query)
    const filter = { text: q, newsletter: newsletter || undefined, state }
    const growth = await subscribers.growth()
    const list = await subscribers.list(filter, toPageRequest({ limit: pageSize, cursor }))
    page('desk/subscribers', {
      q,
      newsletter,
      state,
      states,
      mostCounted,
      rows: list.data,
      next: list.next,
      count: await subscribers.count(filter),
      names: await newsletters.names(),
      offered: (await newsletters.list()).filter((one) => one.state !== 'ended'),
      growth: growth.map(({ weeks, ...of }) => ({ ...of, ...drawChart(weeks) })),
      ...more,
    })
  }
  const showNew = (call: DeskCall, { typed, faults }: FormAtFault) =>
    showList(call, { typed: { ...typed, newsletters: listOf(typed['newsletters']) }, faults })
  const showPerson = async ({ request, session, page }: DeskCall, more: object = {}) => {
    const sections = await selections.list('section')
    const person = await subscribers.explain(idOf(request))
    page('desk/subscriber', {
      person,
      ways: wordsOf('desk.subscribers.ways', [
        ...person.consents.flatMap(({ method, reason }) => [method, reason]),
        ...person.requests.map(({ form }) => form),
      ]),
      actors: (await audit.describe()).names,
      names: await newsletters.names(),
      sections: Object.fromEntries(sections.map((one) => [one.slug, nameOf(one, session.language)])),
      pauseDays,
      ...more,
    })
  }
  return [
    get('/subscribers', 'viewer', (call) => showList(call)),
    get('/growth', 'viewer', ({ redirect }) => {
      redirect('/subscribers#growth')
    }),
    postForm('/subscribers', 'editor', showNew, async ({ request, actor, session, redirect }) => {
      const { email, newsletters: wanted, language, basis } = newForm.parse(request.body)
      const spoken = language ?? session.language
      const signup = await signups.read({ form: 'desk', email, newsletters: wanted, language }, spoken)
      if (basis !== undefined)
        redirect(`/subscribers/${await subscribers.add(signup, basis, actor)}`, 'subscriber-added')
      else {
        await signups.signUp(signup, byDesk(spoken))
        redirect('/subscribers', 'subscriber-asked')
      }
    }),
    get('/subscribers/export', 'admin', async ({ response, actor }) => {
      response.attachment('depeche.csv').type('text/csv')
      await pipeline(Readable.from(subscribers.export(actor)), response)
    }),
    get('/subscribers/:id', 'viewer', (call) => showPerson(call)),
    get('/subscribers/:id/data', 'admin', async ({ request, response, actor }) => {
      response.attachment('depeche.json').json(await subscribers.data(idOf(request), actor))
    }),
    post('/subscribers/:id/language', 'editor', async ({ request, actor, redirect }) => {
      await subscribers.change(idOf(request), languageForm.parse(request.body), actor)
      redirect(`/subscribers/${idOf(request)}`, 'saved')
    }),
    post('/subscribers/:id/subscription', 'editor', async ({ request, actor, redirect }) => {
      const { newsletter, act } = subscriptionForm.parse(request.body)
      const change =
        act === 'end'
          ? { state: 'ended' as const }
          : { pausedUntil: act === 0 ? null : new Date(clock.now().getTime() + act * dayMs) }
      await subscribers.change(idOf(request), { subscriptions: [{ newsletter, ...change }] }, actor)
      redirect(`/subscribers/${idOf(request)}`, 'saved')
    }),
    postForm('/subscribers/:id/erase', 'admin', showPerson, async (call) => {
      sureForm.parse(call.request.body)
      await subscribers.erase(idOf(call.request), call.actor)
      call.redirect('/subscribers', 'subscriber-erased')
    }),
    postForm('/subscribers/:id/suppress', 'editor', showPerson, async (call) => {
      const id = idOf(call.request)
      const { email } = await subscribers.get(id)
      await suppressions.add(email ?? '', noteForm.parse(call.request.body).detail, call.actor)
      call.redirect(`/subscribers/${id}`, 'saved')
    }),
    post('/subscribers/:id/lift', 'admin', async ({ request, actor, redirect }) => {
      const id = idOf(request)
      const { email } = await subscribers.get(id)
      await suppressions.remove(email ?? '', actor)
      redirect(`/subscribers/${id}`, 'saved')
    }),
  ]
}
