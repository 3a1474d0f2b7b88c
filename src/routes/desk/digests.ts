import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { deliveryStates, doubtDecisions } from '../../domain/delivery/delivery.ts'
import { digestKinds, digestReasons, digestStates, type DigestState } from '../../domain/digests/digest.ts'
import { daysOf, firstPortion } from '../../domain/digests/spread.ts'
import { cadences, isResting } from '../../domain/newsletter.ts'
import {
  framed,
  get,
  idOf,
  post,
  postForm,
  type DeskCall,
  type DeskRoute,
  type FormAtFault,
} from '../../http/desk.ts'
import { sendEvents } from '../../http/events.ts'
import { rowId, toPageRequest } from '../../http/route.ts'
import { articleSteps, type ArticleStep } from '../../services/digests/article-steps.ts'
import { oneLine } from '../../services/newsletters/input.ts'
import type { Services } from '../../services/services.ts'
import { addToText, withPictures } from './pictures.ts'

const listQuery = z.object({
  state: z.enum(digestStates).optional().catch(undefined),
  cursor: z.string().max(2_000).optional(),
})
const seenForm = z.object({ version: z.coerce.number().int() })
const storyForm = seenForm.extend({
  article: z.string().max(200),
  do: z.enum(articleSteps),
})
const textsForm = seenForm.extend({
  subject: oneLine.max(300),
  preheader: oneLine.max(300),
  intro: z.string().trim().max(5_000),
})
const orderForm = seenForm.extend({ order: z.string().max(30_000) })
const scheduleForm = seenForm.extend({ sendAt: z.iso.datetime({ local: true, precision: -1 }) })
const sendForm = seenForm.extend({
  key: z.string().min(8).max(200),
  spread: z.enum(['yes', 'no']).optional(),
})
const spreadForm = z.object({ spread: z.enum(['yes', 'no']) })
const testForm = z.object({ to: z.email().max(254).optional() })
const resumeForm = z.object({ extend: z.literal('yes').optional() })
const doubtForm = z.object({
  decision: z.enum(doubtDecisions),
  subscriber: rowId.optional(),
  key: z.string().min(8).max(200),
})
const copyForm = z.object({ newsletter: z.string().max(100) })
const composeForm = z.object({
  kind: z.enum(digestKinds).optional(),
  newsletter: z.string().max(100),
  cadence: z.enum(cadences).optional(),
  articles: z.string().trim().max(200).optional(),
})
const pageQuery = z.object({
  deliveries: z.enum(deliveryStates).optional().catch(undefined),
  cursor: z.string().max(2_000).optional(),
  explain: z.string().trim().max(320).optional(),
  find: z.string().trim().max(200).optional(),
  moved: z.string().max(200).optional(),
  by: z.enum(articleSteps).optional().catch(undefined),
})

/** Where a story stands that was just moved, and the button that has the focus: the one that was pressed, while it can be. */
function placeOf(articles: { externalId: string }[], moved: string | undefined, step: ArticleStep) {
  const index = articles.findIndex(({ externalId }) => externalId === moved)
  const opposites: Partial<Record<ArticleStep, ArticleStep>> = {
    pin: 'unpin',
    unpin: 'pin',
    admit: 'exclude',
  }
  if (index === 0) Object.assign(opposites, { up: 'down', top: 'down' })
  if (index === articles.length - 1) Object.assign(opposites, { down: 'up' })
  return { index, button: opposites[step] ?? step, moved }
}

/** A notice stays in the page's address when it is loaded anew, which the page does whenever the state changes. */
const statesOfNotice = new Map<string | undefined, readonly DigestState[]>([
  ['digest-sent', ['preparing', 'sending']],
  ['digest-resume', ['scheduled', 'preparing', 'sending']],
  ['digest-pause', ['paused']],
  ['digest-scheduled', ['scheduled']],
])

const listSize = 30
const deliveriesSize = 50

const digestViewer =
  (digestPage: Services['digestPage']) =>
  async ({ request, actor, page, notice }: DeskCall, more: object = {}): Promise<void> => {
    const { deliveries, cursor, explain, find, moved, by = 'up' } = pageQuery.parse(request.query)
    const view = await digestPage.get(idOf(request), {
      actor,
      deliveries: { state: deliveries, page: toPageRequest({ limit: deliveriesSize, cursor }) },
      explain,
      find,
    })
    const isOver = statesOfNotice.get(notice)?.includes(view.digest.state) === false
    const place = placeOf(view.digest.articles, moved, by)
    // What "Send now" would do; the days of the digest itself begin at its time.
    const daysFromNow = daysOf(view.digest.audience, firstPortion, new Date())
    const shown = {
      digestReasons,
      deliveryStates,
      deliveriesState: deliveries,
      key: randomUUID(),
      place,
      daysFromNow,
    }
    page('desk/digest', { ...view, ...shown, notice: isOver ? undefined : notice, ...more })
  }

/** The list, and the page of one digest. */
export function digestsDesk(
  { digests, digestPage, digestProgress, media, newsletters, today }: Services,
  draining: AbortSignal,
): DeskRoute[] {
  const showDigest = digestViewer(digestPage)
  /** The page as it is now, saying that nothing was done: a colleague or the newsroom was quicker. */
  const showChanged = (call: DeskCall, more: object = {}) => {
    call.response.status(409)
    return showDigest(call, { notice: 'digest-changed', ...more })
  }
  const showToday = async ({ page }: DeskCall, more: object) => {
    page('desk/today', { today: await today.get(), names: await newsletters.names(), ...more })
  }
  return [
    get('/digests', 'viewer', async ({ request, page }) => {
      const { state, cursor } = listQuery.parse(request.query)
      const filter = { states: state && [state] }
      const list = await digests.list(filter, toPageRequest({ limit: listSize, cursor }, ['time', 'id']))
      const all = await newsletters.list()
      const shown = { newsletters: all.filter((one) => !isResting(one)), names: await newsletters.names() }
      const counts = await digests.countStates()
      const states = digestStates.flatMap((name) => {
        const n = counts.get(name)
        return n === undefined ? [] : [{ name, n }]
      })
      page('desk/digests', { list, state, states, ...shown })
    }),
    get('/digests/:id', 'viewer', (call) => showDigest(call)),
    get('/digests/:id/events', 'viewer', ({ request, response }) =>
      sendEvents(response, { read: () => digestProgress.get(idOf(request)), draining }),
    ),
    postForm('/digests', 'editor', showToday, async ({ request, actor, redirect }) => {
      const { newsletter, articles, ...wish } = composeForm.parse(request.body)
      const input = { ...wish, ...(articles && { articles: [articles] }) }
      redirect(`/digests/${(await digests.compose(newsletter, input, actor)).id}`)
    }),
    post('/digests/:id/copy', 'editor', async ({ request, actor, redirect }) => {
      const { newsletter } = copyForm.parse(request.body)
      redirect(`/digests/${(await digests.copy(idOf(request), newsletter, actor)).id}`)
    }),
    withPictures(
      postForm('/digests/:id/texts', 'editor', showDigest, async (call) => {
        const { request, actor, redirect } = call
        const { version, ...texts } = textsForm.parse(request.body)
        const isSaved = await digestPage.saveTexts(idOf(request), texts, { version, actor })
        if (isSaved) redirect(`/digests/${idOf(request)}`, 'saved')
        else await showChanged(call, { typed: texts, notice: undefined })
      }),
      (call) => addToText(call, 'intro', media),
    ),
    post('/digests/:id/stories', 'editor', async (call) => {
      const { request, actor, redirect } = call
      const { article, do: step, version } = storyForm.parse(request.body)
      const path = `/digests/${idOf(request)}`
      const moved = await digestPage.applyStep(idOf(request), { article, step }, { version, actor })
      if (moved === 'changed') await showChanged(call)
      else if (moved === 'not_shown') redirect(path, 'digest-story-known')
      else redirect(`${path}?moved=${encodeURIComponent(article)}&by=${step}`)
    }),
    post('/digests/:id/order', 'editor', async (call) => {
      const { request, actor, redirect } = call
      const { order, version } = orderForm.parse(request.body)
      const ids = order.split(',').filter(Boolean)
      const isSaved = await digestPage.saveOrder(idOf(request), ids, { version, actor })
      if (isSaved) redirect(`/digests/${idOf(request)}#stories`)
      else await showChanged(call)
    }),
  ]
}

/** What sets a digest in motion, and stops it. */
export function digestActionsDesk(services: Services): DeskRoute[] {
  const { digestTransitions, digestPreview, digestPage, doubts } = services
  const act = (
    action: string,
    notice: string,
    work: (id: number, call: DeskCall) => Promise<unknown>,
  ): DeskRoute =>
    post(`/digests/:id/${action}`, 'editor', async (call) => {
      await work(idOf(call.request), call)
      call.redirect(`/digests/${idOf(call.request)}`, notice)
    })
  const showUnscheduled = (call: DeskCall, { typed, faults }: FormAtFault) =>
    digestViewer(digestPage)(call, { scheduleAt: typed['sendAt'], faults })
  return [
    act('approve', 'digest-approved', (id, { request, actor }) =>
      digestTransitions.approve(id, seenForm.parse(request.body).version, actor),
    ),
    postForm('/digests/:id/schedule', 'editor', showUnscheduled, async ({ request, actor, redirect }) => {
      const { sendAt, version } = scheduleForm.parse(request.body)
      const isScheduled = await digestPage.schedule(idOf(request), sendAt, { version, actor })
      redirect(`/digests/${idOf(request)}`, isScheduled ? 'digest-scheduled' : 'digest-changed')
    }),
    act('send', 'digest-sent', (id, { request, actor }) => {
      const { version, key, spread } = sendForm.parse(request.body)
      const asked = { actor, version: () => version, idempotencyKey: key, body: { spread } }
      return digestTransitions.send(id, {
        ...asked,
        spread: spread === undefined ? undefined : spread === 'yes',
      })
    }),
    act('spread', 'saved', (id, { request, actor }) =>
      digestTransitions.spread(id, spreadForm.parse(request.body).spread === 'yes', actor),
    ),
    act('test', 'digest-tested', (id, { request, session }) =>
      digestPreview.sendTest(id, [testForm.parse(request.body).to ?? session.email]),
    ),
    act('pause', 'digest-pause', (id, { actor }) => digestTransitions.pause(id, actor)),
    act('resume', 'digest-resume', (id, { request, actor }) => {
      const { extend } = resumeForm.parse(request.body)
      return digestTransitions.resume(id, actor, { extend: extend === 'yes' })
    }),
    act('cancel', 'digest-cancel', (id, { actor }) => digestTransitions.cancel(id, actor)),
    post('/digests/:id/uncertain', 'editor', async ({ request, actor, redirect }) => {
      const { decision, subscriber, key } = doubtForm.parse(request.body)
      const subscribers = subscriber === undefined ? undefined : [subscriber]
      await doubts.decide(idOf(request), { actor, decision, subscribers, idempotencyKey: key })
      redirect(`/digests/${idOf(request)}`, `digest-${decision}`)
    }),
    get('/digests/:id/preview', 'viewer', async ({ request, response }) => {
      const { variant, format } = previewQuery.parse(request.query)
      const preview = await digestPreview.get(idOf(request), { variant, format })
      framed(response)
        .type(format === 'html' ? 'html' : 'text/plain; charset=utf-8')
        .send(preview.body)
    }),
  ]
}

const previewQuery = z.object({
  variant: z.string().max(40).optional(),
  format: z.enum(['html', 'text', 'mime']).default('html'),
})
