import { z } from 'zod'
import { deliveryStates, doubtDecisions } from '../../domain/delivery/delivery.ts'
import { digestStates, type Digest } from '../../domain/digests/digest.ts'
import { sendEvents } from '../../http/events.ts'
import { idempotencyKey, ifMatch, ifMatchVersion, requireKey } from '../../http/preconditions.ts'
import { get, patch, post, pageQuery, rowId, toPageRequest, type ApiRoute } from '../../http/route.ts'
import { mailPolicy } from '../../http/security-headers.ts'
import { changeInput, testInput } from '../../services/digests/input.ts'
import { deliveryShape, digestShape } from '../../services/digests/shape.ts'
import type { Services } from '../../services/services.ts'
import { oneDigestReport } from './report-shapes.ts'

const params = z.strictObject({ id: rowId })

/** Reading and changing digests. */
export function digestApi({ digests, digestProgress, reports }: Services, draining: AbortSignal): ApiRoute[] {
  return [
    get('/digests', 'viewer', {
      summary: 'Digests, newest first; drafts as of their `asOf`',
      query: z.strictObject({
        ...pageQuery,
        newsletter: z.string().max(100).optional(),
        state: z.enum(digestStates).optional(),
      }),
      answers: { 200: z.object({ data: z.array(digestShape), next: z.string().nullable() }) },
      handle: async ({ query: { newsletter, state, ...page } }) => ({
        body: await digests.list(
          { newsletter, states: state && [state] },
          toPageRequest(page, ['time', 'id']),
        ),
      }),
    }),
    get('/digests/{id}', 'viewer', {
      summary: 'One digest: state, counts and content hash; a draft as of its `asOf`, seconds ago',
      params,
      answers: { 200: digestShape },
      handle: async (call) => tagged(await digests.get(call.params.id)),
    }),
    get('/digests/{id}/report', 'viewer', {
      summary: 'What became of it, and who came and left until the next of its newsletter began',
      params,
      answers: { 200: oneDigestReport.nullable().describe('Null where it has not gone out') },
      handle: async (call) => ({ body: await reports.ofDigest(call.params.id) }),
    }),
    patch('/digests/{id}', 'editor', {
      summary: 'Change a draft (If-Match); approved ones become drafts again',
      params,
      headers: z.object({ 'If-Match': ifMatch }),
      body: changeInput,
      answers: { 200: digestShape },
      handle: async ({ params: { id }, body, request, actor }) =>
        tagged(await digests.change(id, body, ifMatchVersion(request), actor)),
    }),
    post('/digests/{id}/copy', 'editor', {
      summary: 'A draft of the same letter for another newsletter: nobody gets both',
      params,
      body: z.strictObject({ newsletter: z.string().max(100) }),
      answers: { 201: digestShape },
      handle: async ({ params: { id }, body, actor }) =>
        created(await digests.copy(id, body.newsletter, actor)),
    }),
    get('/digests/{id}/events', 'viewer', {
      summary: 'Progress as server-sent events',
      params,
      answers: { 200: 'text/event-stream: events `progress`, until the digest has ended' },
      handle: async ({ params: { id }, response }) => {
        await sendEvents(response, { read: () => digestProgress.get(id), draining })
        return undefined
      },
    }),
    get('/digests/{id}/deliveries', 'viewer', {
      summary: 'Who, in which state, and what the mail server said',
      params,
      query: z.strictObject({ ...pageQuery, state: z.enum(deliveryStates).optional() }),
      answers: { 200: z.object({ data: z.array(deliveryShape), next: z.string().nullable() }) },
      handle: async ({ params: { id }, query: { state, ...page } }) => ({
        body: await digestProgress.listDeliveries(id, state, toPageRequest(page)),
      }),
    }),
    get('/subscribers/{id}/explain', 'viewer', {
      summary: 'Why this person did or did not get a digest',
      params,
      query: z.strictObject({ digest: rowId }),
      answers: {
        200: z.object({
          subscriber: z.int(),
          digest: z.int(),
          got: z.boolean(),
          reason: z.string(),
          sentence: z.string(),
          delivery: deliveryShape.nullable(),
          consent: z
            .object({
              date: z.iso
                .datetime()
                .describe('When it was given, as an import stated it or as it was activated here'),
              method: z.string().nullable(),
              basis: z.string().nullable(),
              source: z.string().nullable(),
            })
            .nullable(),
        }),
      },
      handle: async ({ params: { id }, query }) => ({ body: await digestProgress.explain(id, query.digest) }),
    }),
  ]
}

const stateShape = z.object({
  id: z.int(),
  state: z.enum(digestStates),
  contentHash: z.string().nullable(),
  version: z.int(),
})

/** What will go out, and a copy of it for the desk. */
export function digestPreviewApi({ digestPreview }: Services): ApiRoute[] {
  return [
    get('/digests/{id}/preview', 'viewer', {
      summary: 'The bytes that will go: of one variant, or what most readers get',
      params,
      query: z.strictObject({
        variant: z.string().max(40).optional(),
        format: z.enum(['html', 'text', 'mime']).default('html'),
      }),
      answers: { 200: 'text/html, text/plain or message/rfc822' },
      handle: async ({ params: { id }, query, response }) => {
        const preview = await digestPreview.get(id, query)
        response
          .set('Content-Security-Policy', mailPolicy("frame-ancestors 'none'; sandbox"))
          .type(previewTypes[query.format])
          .send(preview.body)
        return undefined
      },
    }),
    post('/digests/{id}/test', 'editor', {
      summary: 'Send it to people of the desk, with a marked subject',
      params,
      body: testInput,
      answers: { 202: z.object({ sent: z.int() }) },
      handle: async ({ params: { id }, body, actor }) => {
        const own = actor.kind === 'editor' ? actor.id : undefined
        const to = body.to ?? (await digestPreview.listTestAddresses(own))
        return { body: { sent: await digestPreview.sendTest(id, to) } }
      },
    }),
  ]
}

const previewTypes = {
  html: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  mime: 'message/rfc822',
} as const

/** What sets a digest in motion, and stops it. */
export function digestActionApi({ digestTransitions, doubts }: Services): ApiRoute[] {
  const action = (name: 'pause' | 'cancel', summary: string): ApiRoute =>
    post(`/digests/{id}/${name}`, 'editor', {
      summary,
      params,
      body: z.strictObject({}),
      answers: { 200: stateShape },
      handle: async (call) => acted(await digestTransitions[name](call.params.id, call.actor)),
    })
  return [
    post('/digests/{id}/approve', 'editor', {
      summary: 'Freeze a draft and approve exactly that (If-Match)',
      params,
      headers: z.object({ 'If-Match': ifMatch }),
      body: z.strictObject({}),
      answers: { 200: stateShape },
      handle: async ({ params: { id }, request, actor }) =>
        acted(await digestTransitions.approve(id, ifMatchVersion(request), actor)),
    }),
    post('/digests/{id}/schedule', 'editor', {
      summary: 'Freeze a digest and send it at an instant',
      params,
      headers: z.object({ 'If-Match': ifMatch.optional() }),
      body: z.strictObject({ sendAt: z.iso.datetime({ offset: true }) }),
      answers: { 200: stateShape },
      handle: async ({ params: { id }, body, request, actor }) => {
        const version = ifMatchVersion(request) ?? 'any'
        return acted(await digestTransitions.schedule(id, { sendAt: new Date(body.sendAt), version }, actor))
      },
    }),
    post('/digests/{id}/send', 'editor', {
      summary: 'Freeze a digest and send it now, once (If-Match, Idempotency-Key)',
      params,
      headers: z.object({ 'If-Match': ifMatch, 'Idempotency-Key': idempotencyKey }),
      body: z.strictObject({
        spread: z
          .boolean()
          .optional()
          .describe('Over days, or to all at once. Default: as answered before, else to all at once'),
      }),
      answers: { 202: stateShape },
      handle: async ({ params: { id }, body, request, actor }) => {
        const asked = {
          actor,
          body,
          idempotencyKey: requireKey(request),
          version: () => ifMatchVersion(request),
        }
        return digestTransitions.send(id, { ...asked, spread: body.spread })
      },
    }),
    post('/digests/{id}/spread', 'editor', {
      summary: 'Whether it goes out over days; false while it does lets the rest go now',
      params,
      body: z.strictObject({ spread: z.boolean() }),
      answers: { 200: stateShape },
      handle: async ({ params: { id }, body, actor }) =>
        acted(await digestTransitions.spread(id, body.spread, actor)),
    }),
    action('pause', 'Stop at once; at most one more message per connection goes out'),
    post('/digests/{id}/resume', 'editor', {
      summary: 'Go on where it was paused',
      params,
      body: z.strictObject({
        extend: z.boolean().optional().describe('Send for 24 hours from now, also where its time is over'),
      }),
      answers: { 200: stateShape },
      handle: async ({ params: { id }, body, actor }) =>
        acted(await digestTransitions.resume(id, actor, body)),
    }),
    action('cancel', 'Stop for good: who has not got it will not'),
    post('/digests/{id}/uncertain', 'editor', {
      summary: 'Decide about deliveries in doubt: send once more, or leave them (Idempotency-Key)',
      params,
      headers: z.object({ 'Idempotency-Key': idempotencyKey }),
      body: z.strictObject({
        decision: z.enum(doubtDecisions).describe('After `resend` a reader may have it twice'),
        subscribers: z.array(rowId).min(1).max(1_000).optional().describe('Default: all in doubt'),
      }),
      answers: {
        200: z.object({
          id: z.int(),
          state: z.enum(digestStates),
          decided: z.int(),
          undecided: z.int(),
        }),
      },
      handle: async ({ params: { id }, body, request, actor }) => {
        return doubts.decide(id, { actor, idempotencyKey: requireKey(request), ...body })
      },
    }),
  ]
}

/** A draft that a call has made. */
export const created = (digest: { id: number; version: number }) => ({
  headers: { ETag: `"${digest.version}"`, Location: `/api/v1/digests/${digest.id}` },
  body: digest,
})

const tagged = (digest: { version: number }) => ({ headers: { ETag: `"${digest.version}"` }, body: digest })

const acted = ({ id, state, contentHash, version }: Digest) =>
  tagged({ id, state, contentHash, version } as { version: number })
