import type { Actor } from '../../domain/editor.ts'
import { proofOf, type ProviderName } from '../../domain/deliverability/provider-event.ts'
import { atField, invalid, notFound } from '../../errors.ts'
import type { StoredProvider } from '../../store/deliverability/providers.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { randomSecret } from '../secret.ts'

export type ProviderService = ReturnType<typeof createProviderService>

/** A provider in use, as an admin sees it. */
export type ProviderView = Awaited<ReturnType<ProviderService['start']>>

type ProviderParts = Pick<Parts, 'database' | 'config' | 'doorbell' | 'providers'>

/** The hosted relays whose events are read, as admins set them up. */
export function createProviderService({ database, config, doorbell, providers }: ProviderParts) {
  /** Its key is never shown again. */
  const view = async (provider: StoredProvider) => {
    const { name, token, key, topic, createdAt, testedAt, testSeenAt } = provider
    const counts = await database.stores.providers.listCounts(name)
    const last = Math.max(...counts.map(({ lastAt }) => lastAt.getTime()))
    const proof = proofOf[name]
    return {
      name,
      /** What the newsroom enters at the provider. */
      url: `${config.publicUrl}/inbound/${name}/${token}`,
      proof,
      /** Whether its events can be proven: its key is there, its topic confirmed. */
      isReady: proof === 'token' || (proof === 'key' ? key : topic) !== undefined,
      topic,
      createdAt,
      testedAt,
      testSeenAt,
      lastEventAt: counts.length === 0 ? undefined : new Date(last),
      counts,
    }
  }

  /** One change with its line in the log. */
  const write = (
    name: ProviderName,
    action: string,
    actor: Actor,
    work: (stores: Stores) => Promise<unknown>,
  ): Promise<void> =>
    database.transaction(async (stores) => {
      await work(stores)
      await stores.audit.insert(actor, action, `provider:${name}`)
    })

  /** The same of one that is in use. @throws DomainError `no_provider` */
  const change = async (...[name, action, actor, work]: Parameters<typeof write>) => {
    await write(name, action, actor, async (stores) => {
      await find(stores, name)
      await work(stores)
    })
    return view(await find(database.stores, name))
  }

  return {
    async list() {
      return Promise.all((await database.stores.providers.list()).map(view))
    },

    /** Begins to read its events; what is there stays as it is. */
    async start(name: ProviderName, actor: Actor) {
      if (!(await database.stores.providers.find(name))) {
        await write(name, 'provider.started', actor, (stores) =>
          stores.providers.insert(name, randomSecret()),
        )
      }
      return view(await find(database.stores, name))
    },

    /** @throws DomainError `no_provider`, `invalid_input` for what cannot be a key of theirs */
    async setKey(name: ProviderName, text: string, actor: Actor) {
      const key = providers[name].readKey?.(text.trim())
      if (key === undefined) {
        const message = providers[name].readKey
          ? 'must be the key that the provider shows for its webhooks'
          : 'must be left out: this provider has none'
        throw invalid('invalid_input', `The key ${message}.`, atField('key', message))
      }
      return change(name, 'provider.key', actor, (stores) => stores.providers.updateKey(name, key))
    },

    /** A new address; the old one is refused from now on. @throws DomainError `no_provider` */
    renew: (name: ProviderName, actor: Actor) =>
      change(name, 'provider.renewed', actor, (stores) => stores.providers.updateToken(name, randomSecret())),

    /**
     * A mail through the relay to somebody of the desk: the first event about it shows that the way works.
     * @throws DomainError `no_provider`, `not_of_the_desk`
     */
    async test(name: ProviderName, email: string, actor: Actor) {
      const tested = await change(name, 'provider.tested', actor, async (stores) => {
        const desk = await stores.editors.list()
        const editor = desk.find((each) => each.email.toLowerCase() === email.toLowerCase())
        if (!editor) throw notOfTheDesk()
        const outboxId = await stores.outbox.insert({
          kind: 'desk-notice',
          editorId: editor.id,
          language: editor.language,
          payload: {
            notice: 'provider_test',
            values: {},
            url: `${config.publicUrl}/desk/deliverability/events`,
          },
        })
        if (outboxId !== undefined) await stores.providers.updateTest(name, outboxId)
      })
      await doorbell.ring('deliver-mail', {})
      return tested
    },

    /** @throws DomainError `no_provider` */
    stop: (name: ProviderName, actor: Actor): Promise<void> =>
      write(name, 'provider.stopped', actor, async (stores) => {
        if (!(await stores.providers.delete(name))) throw noProvider()
      }),
  }
}

async function find(stores: Stores, name: ProviderName): Promise<StoredProvider> {
  const provider = await stores.providers.find(name)
  if (!provider) throw noProvider()
  return provider
}

const noProvider = () =>
  notFound('no_provider', 'The events of this provider are not read; begin with it first.')

const notOfTheDesk = () =>
  invalid(
    'not_of_the_desk',
    'A test goes to people of the desk alone; name one of them.',
    atField('email', 'must be the address of somebody of the desk'),
  )
