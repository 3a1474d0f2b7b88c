import { z } from 'zod'
import { eventKinds, providerNames, type ProviderName } from '../../domain/deliverability/provider-event.ts'
import { show } from '../../domain/fields.ts'
import { notFound } from '../../errors.ts'
import { del, get, post, put, type ApiRoute } from '../../http/route.ts'
import type { ProviderService, ProviderView } from '../../services/deliverability/providers.ts'

const time = z.iso.datetime().nullable()
const provider = z.object({
  name: z.enum(providerNames),
  url: z.string().describe('What to enter at the provider; whoever has it may report to us'),
  proof: z.enum(['key', 'certificate', 'token']).describe('What proves an event beside the address'),
  isReady: z.boolean().describe('Whether its key is here, or its topic confirmed; until then all is refused'),
  topic: z.string().nullable().describe('Of Amazon SNS, once confirmed'),
  createdAt: z.iso.datetime(),
  testedAt: time,
  testSeenAt: time.describe('When an event about the test mail came'),
  lastEventAt: time,
  counts: z.array(
    z.object({
      kind: z.enum(eventKinds),
      n: z.int(),
      strange: z.int().describe('Of them, those about no mail of ours'),
      lastAt: z.iso.datetime(),
    }),
  ),
})
const params = z.strictObject({ provider: z.string().max(50) })

/** Hosted relays that report to us. */
export function providerApi(service: ProviderService): ApiRoute[] {
  return [
    get('/providers', 'admin', {
      summary: 'Relays whose events are read',
      answers: { 200: z.object({ data: z.array(provider), next: z.null() }) },
      handle: async () => ({ body: { data: (await service.list()).map(toShape), next: null } }),
    }),
    put('/providers/{provider}', 'admin', {
      summary: 'Read the events of a relay; with its key, which is never shown again',
      params,
      body: z.strictObject({ key: z.string().max(2_000).optional() }),
      answers: { 200: provider },
      handle: async ({ params: { provider: text }, body: { key }, actor }) => {
        const name = nameOf(text)
        const started = await service.start(name, actor)
        return { body: toShape(key === undefined ? started : await service.setKey(name, key, actor)) }
      },
    }),
    post('/providers/{provider}/renew', 'admin', {
      summary: 'A new address; the old one is refused at once',
      params,
      answers: { 200: provider },
      handle: async ({ params: { provider: name }, actor }) => ({
        body: toShape(await service.renew(nameOf(name), actor)),
      }),
    }),
    post('/providers/{provider}/test', 'admin', {
      summary: 'A mail to somebody of the desk: the first event about it sets testSeenAt',
      params,
      body: z.strictObject({ email: z.email().max(254) }),
      answers: { 202: provider },
      handle: async ({ params: { provider: name }, body: { email }, actor }) => ({
        body: toShape(await service.test(nameOf(name), email, actor)),
      }),
    }),
    del('/providers/{provider}', 'admin', {
      summary: 'Read its events no more',
      params,
      answers: { 204: 'Stopped' },
      handle: ({ params: { provider: name }, actor }) => service.stop(nameOf(name), actor),
    }),
  ]
}

/** @throws DomainError `no_provider` */
function nameOf(text: string): ProviderName {
  const name = providerNames.find((each) => each === text)
  if (name) return name
  const known = providerNames.join(', ')
  throw notFound('no_provider', `There is no such provider; these are known: ${known}.`)
}

const toShape = (view: ProviderView) => show(provider, view)
