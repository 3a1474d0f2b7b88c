import { z } from 'zod'
import { providerNames, type ProviderName } from '../../domain/deliverability/provider-event.ts'
import { get, post, type DeskCall, type DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'

const path = '/deliverability/events'
const nameForm = z.object({ provider: z.enum(providerNames) })
const keyForm = z.object({ key: z.string().max(2_000) })

/** What hosted relays report, and how to make them. */
export function providersDesk({ providers }: Pick<Services, 'providers'>): DeskRoute[] {
  const show = async ({ page }: DeskCall, more: object = {}) => {
    const inUse = await providers.list()
    const free = providerNames.filter((name) => !inUse.some((each) => each.name === name))
    page('desk/providers', { providers: inUse, free, ...more })
  }
  const act = (
    action: string,
    notice: string,
    work: (name: ProviderName, call: DeskCall) => Promise<unknown>,
  ): DeskRoute =>
    post(`${path}/:provider/${action}`, 'admin', async (call) => {
      await work(nameForm.parse(call.request.params).provider, call)
      call.redirect(path, notice)
    })
  return [
    get(path, 'admin', (call) => show(call)),
    post(path, 'admin', async ({ request, actor, redirect }) => {
      await providers.start(nameForm.parse(request.body).provider, actor)
      redirect(path, 'provider-started')
    }),
    {
      ...act('key', 'saved', (name, { request, actor }) =>
        providers.setKey(name, keyForm.parse(request.body).key, actor),
      ),
      showFaults: (call, faults) => show(call, { faults, faulty: call.request.params['provider'] }),
    },
    act('renew', 'provider-renewed', (name, { actor }) => providers.renew(name, actor)),
    act('test', 'provider-tested', (name, { session, actor }) => providers.test(name, session.email, actor)),
    act('stop', 'provider-stopped', (name, { actor }) => providers.stop(name, actor)),
  ]
}
