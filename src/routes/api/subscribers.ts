import { isIP } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { suppressionReasons } from '../../domain/deliverability/suppression.ts'
import { show } from '../../domain/fields.ts'
import { clientAddressOf } from '../../http/client-address.ts'
import { signupCost, type SignupLimit } from '../../http/rate-limit.ts'
import { del, get, post, pageQuery, rowId, toPageRequest, type ApiRoute } from '../../http/route.ts'
import { signupInput } from '../../services/signups/input.ts'
import type { Services } from '../../services/services.ts'

const subscriber = z.object({
  id: z.int(),
  email: z.string().nullable().describe('null once erased'),
  language: z.string(),
  subscriptions: z.array(
    z.object({
      newsletter: z.string(),
      state: z.enum(['pending', 'active', 'ended']),
      cadence: z.enum(['daily', 'weekly', 'alert']),
      alerts: z.boolean(),
      sections: z.array(z.string()),
      pausedUntil: z.iso.datetime().nullable(),
    }),
  ),
  suppressed: z.boolean(),
})
const suppression = z.object({
  id: z.int(),
  reason: z.enum(suppressionReasons),
  detail: z.string().nullable(),
  createdAt: z.iso.datetime(),
})
const consent = z.object({
  at: z.iso.datetime(),
  givenAt: z.iso.datetime().nullable().describe('When consent was given, where an import states it'),
  event: z.string(),
  newsletter: z.string().nullable(),
  method: z.string().nullable(),
  basis: z.string().nullable(),
  source: z.string().nullable(),
  reason: z.string().nullable(),
})

type Needed = Pick<Services, 'subscribers' | 'suppressions' | 'signups'>

export function subscriberApi(services: Needed, signupLimit: SignupLimit): ApiRoute[] {
  const { subscribers } = services
  return [
    get('/subscribers', 'viewer', {
      summary: 'Subscribers, newest first; `q` finds by a part of the address',
      query: z.strictObject({ ...pageQuery, q: z.string().max(254).default('') }),
      answers: { 200: z.object({ data: z.array(subscriber), next: z.string().nullable() }) },
      handle: async ({ query }) => ({ body: await subscribers.list(query.q, toPageRequest(query)) }),
    }),
    get('/subscribers/export', 'admin', {
      summary: 'Every subscription as CSV',
      answers: { 200: 'text/csv' },
      handle: async ({ response, actor }) => {
        response.type('text/csv').attachment('subscribers.csv')
        await pipeline(Readable.from(subscribers.export(actor)), response)
        return undefined
      },
    }),
    get('/subscribers/{id}', 'viewer', {
      summary: 'One subscriber, with the record of their consent',
      params: z.strictObject({ id: rowId }),
      answers: { 200: subscriber.extend({ consents: z.array(consent) }) },
      handle: async ({ params }) => ({ body: await subscribers.get(params.id) }),
    }),
    signupFromBackend(services, signupLimit),
    ...suppressionApi(services),
  ]
}

/** A newsroom's own backend signs a reader up: the reader's address and IP, and the rules of the public form. */
const signupFromBackend = ({ signups }: Pick<Services, 'signups'>, signupLimit: SignupLimit): ApiRoute =>
  post('/subscriptions', 'editor', {
    summary: 'Sign a reader up; the answer is the same for every address, and an activation mail decides',
    body: signupInput.omit({ website: true, stamp: true }).extend({
      ip: z
        .string()
        .refine((text) => isIP(text) !== 0, { error: 'must be the IP address of the reader' })
        .meta({
          anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }],
          description: 'Of the reader, for limits and the consent record',
        }),
      userAgent: z.string().max(500).optional(),
    }),
    answers: { 202: z.object({ status: z.literal('check-your-inbox') }) },
    handle: async ({ body: { ip, userAgent, ...wish } }) => {
      const client = clientAddressOf(ip)
      await signupLimit.consume(client, signupCost(false))
      const language = wish.language ?? 'fr'
      const signup = await signups.read({ form: 'api', ...wish }, language)
      await signups.signUp(signup, { ipPrefix: client.prefix, userAgent, browser: undefined, language })
      return { status: 202, body: { status: 'check-your-inbox' } }
    },
  })

function suppressionApi({ suppressions }: Pick<Services, 'suppressions'>): ApiRoute[] {
  const toShape = (one: Awaited<ReturnType<typeof suppressions.add>>) => show(suppression, one)
  const email = z.string().max(1_000)
  return [
    get('/suppressions', 'viewer', {
      summary: 'Addresses we never write to again, without the addresses; newest first',
      query: z.strictObject(pageQuery),
      answers: { 200: z.object({ data: z.array(suppression), next: z.string().nullable() }) },
      handle: async ({ query }) => {
        const page = await suppressions.list(toPageRequest(query))
        return { body: { data: page.data.map(toShape), next: page.next } }
      },
    }),
    post('/suppressions', 'editor', {
      summary: 'Never write to this address again; ends what it receives',
      body: z.strictObject({ email, detail: z.string().trim().max(500).optional() }),
      answers: { 201: suppression },
      handle: async ({ body, actor }) => ({
        body: toShape(await suppressions.add(body.email, body.detail, actor)),
      }),
    }),
    del('/suppressions', 'admin', {
      summary: 'Lift a suppression; subscriptions that ended stay ended',
      body: z.strictObject({ email }),
      answers: { 204: 'Lifted' },
      handle: ({ body, actor }) => suppressions.remove(body.email, actor),
    }),
  ]
}
