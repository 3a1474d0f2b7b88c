import { findAddress } from '../../domain/subscribers/address.ts'
import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import type { Actor } from '../../domain/editor.ts'
import { quoteCsv } from './import/csv-cells.ts'
import type { Subscriber, Subscription } from '../../domain/subscribers/subscription.ts'
import { notFound } from '../../errors.ts'
import { findSuppression } from '../deliverability/suppressions.ts'
import type { Parts } from '../parts.ts'

export type SubscriberService = ReturnType<typeof createSubscriberService>

const exportPage = 1_000

/** Subscribers as the desk, the API and the command line see them. */
export function createSubscriberService(parts: Pick<Parts, 'database' | 'keyring' | 'findMailHost' | 'now'>) {
  const { keyring, findMailHost, now } = parts
  const { stores } = parts.database

  const toShape = async (subscriber: Subscriber, subscriptions: Subscription[]) => ({
    id: subscriber.id,
    email: subscriber.address,
    language: subscriber.language,
    subscriptions: subscriptions.map(({ newsletter, state, cadence, alerts, sections, pausedUntil }) => {
      return { newsletter, state, cadence, alerts, sections, pausedUntil: pausedUntil?.toISOString() ?? null }
    }),
    suppressed: (await findSuppression(keyring, stores, subscriber.address)) !== undefined,
  })

  return {
    hasPartIndex: () => stores.subscribers.hasPartIndex(),
    hasCase: () => stores.subscribers.hasCase(),

    /** Newest first; `q` finds by a part of the address. */
    async list(q: string, request: PageRequest): Promise<Page<Awaited<ReturnType<typeof toShape>>>> {
      const before = request.after === undefined ? undefined : Number(request.after[0])
      const rows = await stores.subscribers.list({ text: q.trim(), before, limit: request.limit + 1 })
      const page = toPage(rows, request.limit, (row) => [row.id])
      const subscriptions = await stores.subscriptions.listOf(page.data.map((row) => row.id))
      const data = await Promise.all(
        page.data.map((row) =>
          toShape(
            row,
            subscriptions.filter((one) => one.subscriberId === row.id),
          ),
        ),
      )
      return { data, next: page.next }
    },

    /** @throws DomainError `no_subscriber` */
    async get(id: number) {
      const shape = await toShape(await stores.subscribers.get(id), await stores.subscriptions.list(id))
      const consents = await stores.consents.list(id)
      return {
        ...shape,
        consents: consents.map(({ at, givenAt, event, newsletter, method, basis, source, reason }) => ({
          at: at.toISOString(),
          givenAt: givenAt?.toISOString() ?? null,
          event,
          newsletter,
          method,
          basis,
          source,
          reason,
        })),
      }
    },

    /** @throws DomainError `no_subscriber` */
    async getIdByAddress(email: string): Promise<number> {
      const address = findAddress(email)
      const subscriber = address && (await stores.subscribers.findByAddress(address.text))
      if (!subscriber) {
        throw notFound('no_subscriber', 'There is no subscriber with this address.')
      }
      return subscriber.id
    },

    /** Everything that tells why this person gets what they get. @throws DomainError `no_subscriber` */
    async explain(id: number) {
      const subscriber = await stores.subscribers.get(id)
      const subscriptions = await stores.subscriptions.list(id)
      const suppression = await findSuppression(keyring, stores, subscriber.address)
      const { subscriberOverview } = stores
      const domain = findAddress(subscriber.address ?? '')?.domain
      return {
        subscriber,
        subscriptions,
        suppression,
        /** Undefined once erased. */
        mailHost: domain === undefined ? undefined : { domain, host: await findMailHost(domain) },
        requests:
          subscriber.address === null ? [] : await subscriberOverview.listRequests(subscriber.address),
        consents: await stores.consents.list(id),
        mails: await subscriberOverview.listMails(id),
        deliveries: (await stores.personalData.listDeliveries(id)).slice(0, 20),
        bounces: await subscriberOverview.listBounces(id),
      }
    },

    growth: async () => ({ rows: await stores.subscriberOverview.listGrowth(), now: now() }),

    /** CSV, a line per subscription; what a spreadsheet would run is quoted. */
    async *export(actor: Actor): AsyncGenerator<string> {
      await stores.audit.insert(actor, 'subscribers.export')
      yield `${Object.keys(exportColumns).join(',')}\n`
      let after = { subscriberId: 0, newsletterId: 0 }
      for (;;) {
        const rows = await stores.subscriberOverview.listForExport(after, exportPage)
        const last = rows.at(-1)
        if (!last) return
        after = { subscriberId: last.id, newsletterId: last.newsletterId }
        yield rows
          .map(
            (row) =>
              `${Object.values(exportColumns)
                .map((column) => quoteCsv(row[column]))
                .join(',')}\n`,
          )
          .join('')
      }
    },
  }
}

/** By their names in the file. */
const exportColumns = {
  email: 'email',
  language: 'language',
  newsletters: 'newsletters',
  sections: 'sections',
  cadence: 'cadence',
  alerts: 'alerts',
  state: 'state',
  state_reason: 'endedReason',
  consent_date: 'consentDate',
  paused_until: 'pausedUntil',
  suppressed: 'suppressed',
  consent_source: 'consentSource',
  consent_basis: 'consentBasis',
} as const
