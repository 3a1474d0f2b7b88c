import { isIP } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { suppressionReasons } from '../../domain/deliverability/suppression.ts'
import { show } from '../../domain/fields.ts'
import { subscriptionStates } from '../../domain/subscribers/subscription.ts'
import { clientAddressOf } from '../../http/client-address.ts'
import { signupCost, type SignupLimit } from '../../http/rate-limit.ts'
import { del, get, patch, post, pageQuery, rowId, toPageRequest, type ApiRoute } from '../../http/route.ts'
import { byDesk, signupInput } from '../../services/signups/input.ts'
import { subscriberShape, subscriberWithConsents } from '../../services/subscribers/shape.ts'
import { consentBasis, subscriberChange } from '../../services/subscribers/subscribers.ts'
import type { Services } from '../../services/services.ts'

const params = z.strictObject({ id: rowId })
const suppression = z.object({
  id: z.int(),
  reason: z.enum(suppressionReasons),
  detail: z.string().nullable(),
  createdAt: z.iso.datetime(),
})
type Needed = Pick<Services, 'subscribers' | 'suppressions' | 'signups'>

export function subscriberApi(services: Needed, signupLimit: SignupLimit): ApiRoute[] {
  const { subscribers } = services
  return [
    get('/subscribers', 'viewer', {
      summary: 'Subscribers, newest first; `q` finds by a part of the address',
      query: z.strictObject({
        ...pageQuery,
        q: z.string().trim().max(254).default(''),
        newsletter: z.string().max(100).optional(),
        state: z.enum(subscriptionStates).optional(),
      }),
      answers: { 200: z.object({ data: z.array(subscriberShape), next: z.string().nullable() }) },
      handle: async ({ query: { q: text, newsletter, state, ...page } }) => ({
        body: await subscribers.list({ text, newsletter, state }, toPageRequest(page)),
      }),
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
      params,
      answers: { 200: subscriberWithConsents },
      handle: async ({ params }) => ({ body: await subscribers.get(params.id) }),
    }),
    ...subscriberActionApi(services),
    signupFromBackend(services, signupLimit),
    ...suppressionApi(services),
  ]
}

function subscriberActionApi({ subscribers, signups }: Needed): ApiRoute[] {
  return [
    post('/subscribers', 'editor', {
      summary:
        'Add a reader: with the ground of consent (admins) active at once, else an activation mail decides',
      body: signupInput
        .omit({ website: true, stamp: true, form: true })
        .extend({ basis: consentBasis.optional() }),
      answers: {
        201: subscriberWithConsents,
        202: z.object({ status: z.literal('check-your-inbox') }),
      },
      handle: async ({ body: { basis, ...wish }, actor }) => {
        const language = wish.language ?? 'fr'
        const signup = await signups.read({ form: 'desk', ...wish }, language)
        if (basis !== undefined)
          return { status: 201, body: await subscribers.get(await subscribers.add(signup, basis, actor)) }
        await signups.signUp(signup, byDesk(language))
        return { status: 202, body: { status: 'check-your-inbox' } }
      },
    }),
    patch('/subscribers/{id}', 'editor', {
      summary: 'Change a language, end or pause subscriptions; what is absent stays',
      params,
      body: subscriberChange,
      answers: { 200: subscriberWithConsents },
      handle: async ({ params: { id }, body, actor }) => {
        await subscribers.change(id, body, actor)
        return { body: await subscribers.get(id) }
      },
    }),
    del('/subscribers/{id}', 'admin', {
      summary: 'Erase a person for good; imports do not bring them back',
      params,
      answers: { 204: 'Erased' },
      handle: ({ params: { id }, actor }) => subscribers.erase(id, actor),
    }),
    get('/subscribers/{id}/data', 'admin', {
      summary: 'Everything kept about a person, to be handed to them',
      params,
      answers: { 200: z.looseObject({ email: z.string().nullable() }) },
      handle: async ({ params: { id }, actor }) => ({ body: await subscribers.data(id, actor) }),
    }),
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
