import { z } from 'zod'
import { dateIn, lastDates } from '../../domain/calendar.ts'
import { findAddress } from '../../domain/subscribers/address.ts'
import { interfaceLanguages } from '../../domain/language.ts'
import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import { nameOfActor, type Actor } from '../../domain/editor.ts'
import { show } from '../../domain/fields.ts'
import { quoteCsv } from './csv-cells.ts'
import { requirePause, type Subscriber, type Subscription } from '../../domain/subscribers/subscription.ts'
import { conflict, notFound } from '../../errors.ts'
import type { Stores } from '../../store/stores.ts'
import type { SubscriberFilter } from '../../store/subscribers/subscribers.ts'
import { changesBetween } from '../desk/audit.ts'
import type { SignupRequest } from '../signups/request.ts'
import { endSubscriptions } from './end-subscriptions.ts'
import type { Row } from './import/csv.ts'
import { requireAdminForBasis } from './import/jobs.ts'
import { createSubscriberPlacing, type ImportOutcome } from './import/rows.ts'
import { eraseSubscriber, personalDataOf } from './personal-data.ts'
import { subscriberShape, subscriberWithConsents } from './shape.ts'
import { findSuppression } from '../deliverability/suppressions.ts'
import type { Parts } from '../parts.ts'

export type SubscriberService = ReturnType<typeof createSubscriberService>

const exportPage = 1_000
/** Whoever looks for more than so many does not need to know how many more. */
export const mostCounted = 10_000

/** How and when somebody agreed, in words. */
export const consentBasis = z.string().trim().min(3).max(500)

export const subscriberChange = z.strictObject({
  language: z.enum(interfaceLanguages).optional(),
  subscriptions: z
    .array(
      z.strictObject({
        newsletter: z.string().max(100),
        state: z.literal('ended').optional(),
        pausedUntil: z
          .union([z.iso.datetime({ offset: true }), z.null()])
          .transform((value) => (value === null ? null : new Date(value)))
          .optional()
          .describe('A year at most; null resumes'),
      }),
    )
    .max(100)
    .optional(),
})
export type SubscriberChange = z.output<typeof subscriberChange>

/** Subscribers as the desk, the API and the command line see them. */
export function createSubscriberService(parts: Pick<Parts, 'database' | 'keyring' | 'findMailHost' | 'now'>) {
  const { database, keyring, findMailHost, now } = parts
  const { stores } = database
  const placing = createSubscriberPlacing(parts)

  const factsOf = async (subscriber: Subscriber, subscriptions: Subscription[]) => ({
    ...subscriber,
    email: subscriber.address,
    subscriptions,
    suppressed: (await findSuppression(keyring, stores, subscriber.address)) !== undefined,
  })

  return {
    hasPartIndex: () => stores.subscribers.hasPartIndex(),
    hasCase: () => stores.subscribers.hasCase(),

    /** Newest first. */
    async list(
      filter: SubscriberFilter,
      request: PageRequest,
    ): Promise<Page<z.output<typeof subscriberShape>>> {
      const before = request.after === undefined ? undefined : Number(request.after[0])
      const rows = await stores.subscribers.list({ ...filter, before, limit: request.limit + 1 })
      const page = toPage(rows, request.limit, (row) => [row.id])
      const subscriptions = await stores.subscriptions.listOf(page.data.map((row) => row.id))
      const facts = page.data.map((row) => {
        const own = subscriptions.filter((one) => one.subscriberId === row.id)
        return factsOf(row, own)
      })
      const data = (await Promise.all(facts)).map((one) => show(subscriberShape, one))
      return { data, next: page.next }
    },

    /** Counts on to one more than `mostCounted`. */
    count: (filter: SubscriberFilter): Promise<number> => stores.subscribers.count(filter, mostCounted + 1),

    /**
     * Active at once, on the ground of consent that an admin states. Nobody who left, refused or was suppressed comes back by it.
     * @throws DomainError `basis_needs_admin`, `subscriber_exists`, `subscriber_left`, `suppressed`
     */
    async add({ address, language, wanted }: SignupRequest, basis: string, actor: Actor): Promise<number> {
      requireAdminForBasis({ actor, consentBasis: basis })
      return database.transaction(async (tx) => {
        const newsletters = (await tx.newsletters.list()).filter(({ slug }) =>
          wanted.newsletters.includes(slug),
        )
        const row = { ...wanted, address, language, newsletters, ...plainRow }
        const by = nameOfActor(actor)
        const turn = { importId: 0, basis, firstMailAt: now(), pendingBefore: 0, by }
        const [outcome] = await placing.place(tx, [row], turn)
        const subscriber = await tx.subscribers.findByAddress(address.text)
        if (outcome !== 'active' || !subscriber) throw notAdded(outcome)
        const detail = { newsletters: wanted.newsletters.join(', ') }
        await tx.audit.insert(actor, 'subscriber.add', `subscriber:${subscriber.id}`, detail)
        return subscriber.id
      })
    },

    /**
     * Changes their language, ends subscriptions, pauses them and resumes them.
     * @throws DomainError `no_subscriber`, `no_newsletter`, `no_subscription`, `paused_until_past`, `paused_until_far`
     */
    async change(
      id: number,
      { language, subscriptions = [] }: SubscriberChange,
      actor: Actor,
    ): Promise<void> {
      await database.transaction(async (tx) => {
        await tx.subscribers.lock(id)
        const before = await getPresent(tx, id)
        if (language !== undefined) await tx.subscribers.updateLanguage(id, language)
        const detail = language === undefined ? {} : changesBetween(before, { language })
        for (const { newsletter: slug, state, pausedUntil } of subscriptions) {
          const newsletter = await tx.newsletters.getBySlug(slug)
          const key = { subscriberId: id, newsletterId: newsletter.id }
          if (!(await tx.subscriptions.find(key))) throw hasNoSubscription()
          if (state === 'ended')
            await endSubscriptions(tx, { ...key, reason: 'unsubscribed', recorded: 'desk' })
          else if (pausedUntil !== undefined) {
            if (pausedUntil) requirePause(pausedUntil, now())
            await tx.subscriptions.updatePause(id, pausedUntil ?? undefined, newsletter.id)
          }
          detail[slug] = state ?? pausedUntil?.toISOString().slice(0, 10) ?? 'active'
        }
        await tx.audit.insert(actor, 'subscriber.change', `subscriber:${id}`, detail)
      })
    },

    /** Everything kept about the person, to be handed to them. @throws DomainError `no_subscriber` */
    async data(id: number, actor: Actor) {
      const subscriber = await getPresent(stores, id)
      await stores.audit.insert(actor, 'subscriber.data', `subscriber:${id}`)
      return personalDataOf(stores, keyring, subscriber)
    },

    /** For good, as the person could themselves. @throws DomainError `no_subscriber` */
    async erase(id: number, actor: Actor): Promise<void> {
      await database.transaction(async (tx) => {
        await eraseSubscriber(tx, keyring, await getPresent(tx, id), actor)
      })
    },

    /** @throws DomainError `no_subscriber` */
    async get(id: number) {
      const facts = await factsOf(await stores.subscribers.get(id), await stores.subscriptions.list(id))
      return show(subscriberWithConsents, { ...facts, consents: await stores.consents.list(id) })
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

    /** Who came and went in each of the last twelve weeks: by newsletter, then by language. */
    async growth() {
      const { zone } = await stores.publication.get()
      const rows = await stores.subscriberOverview.listGrowth(zone)
      const today = dateIn(zone, now())
      const [monday = today] = lastDates(today, ((new Date(today).getUTCDay() + 6) % 7) + 1)
      const weeks = lastDates(monday, 12, 7)
      return (['newsletter', 'language'] as const).flatMap((of) =>
        [...new Set(rows.map((row) => row[of]))].sort().map((title) => ({
          title,
          isLanguage: of === 'language',
          weeks: weeks.map((date) => {
            const own = rows.filter((row) => row[of] === title && row.week === date)
            const sum = (counts: number[]) => counts.reduce((total, n) => total + n, 0)
            return { date, up: sum(own.map((row) => row.begun)), down: sum(own.map((row) => row.ended)) }
          }),
        })),
      )
    },

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

/** Who was erased is nobody to add to, to change or to ask about. */
async function getPresent(tx: Stores, id: number): Promise<Subscriber> {
  const subscriber = await tx.subscribers.get(id)
  if (subscriber.address === null) throw notFound('no_subscriber', 'This person was erased.')
  return subscriber
}

/** What a row of an import says beside what somebody typed. */
const plainRow = {
  isDefault: false,
  pausedUntil: undefined,
  status: { state: 'active', endedReason: undefined, suppression: undefined },
  said: [] as Row['said'],
  consent: { givenAt: undefined, source: '', basis: '' },
  isGuessedDate: false,
} as const

const hasNoSubscription = () =>
  notFound('no_subscription', 'This person has no subscription to one of these newsletters.')

function notAdded(outcome: ImportOutcome | undefined) {
  const at = { field: 'email' }
  switch (outcome) {
    case 'suppressed':
      return conflict('suppressed', 'This address is never written to; lift that first.', at)
    case 'left':
      return conflict(
        'subscriber_left',
        'This person has left, or said within 90 days that they had asked for nothing: they alone can come back, by signing up.',
        at,
      )
    default:
      return conflict(
        'subscriber_exists',
        'This person has these newsletters, or was asked to confirm them.',
        at,
      )
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
  status: 'state',
  state_reason: 'endedReason',
  consent_date: 'consentDate',
  paused_until: 'pausedUntil',
  suppressed: 'suppressed',
  consent_source: 'consentSource',
  consent_basis: 'consentBasis',
} as const
