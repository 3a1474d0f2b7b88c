import { maskAddress } from '../../domain/subscribers/address.ts'
import type { Selection } from '../../domain/articles/article.ts'
import { isOffered, type Newsletter } from '../../domain/newsletter.ts'
import {
  openPreferences,
  pageAge,
  pageAgeMs,
  sealPage,
  type PreferencesRef,
} from '../../domain/subscribers/subscription-tokens.ts'
import {
  cadenceOf,
  isSameChoice,
  requirePause,
  type Subscriber,
  type Subscription,
} from '../../domain/subscribers/subscription.ts'
import { forbidden, notFound } from '../../errors.ts'
import type { Setting } from '../../store/subscribers/subscriptions.ts'
import type { Stores } from '../../store/stores.ts'
import { isSuppressed } from '../deliverability/suppressions.ts'
import type { Parts } from '../parts.ts'
import { welcomeReader } from '../signups/welcome.ts'
import { endSubscriptions } from './end-subscriptions.ts'
import { eraseSubscriber, personalDataOf } from './personal-data.ts'
import type { PreferencesInput } from './preferences-input.ts'

export interface PreferencesPage extends Pick<PreferencesRef, 'subscriberId'> {
  subscriber: Subscriber
  /** Within 24 hours of a link that was mailed to the address which the person still has. */
  isFresh: boolean
  /** Masked, unless the link was mailed for this. */
  shownAddress: string
  newsletters: {
    newsletter: Newsletter
    subscription: Subscription | undefined
    /** Old mails are forwarded: none of their links brings back who left. */
    isLeft: boolean
  }[]
  sections: Selection[]
  /** The days until which what is received rests, `''` where something does not: one, unless they differ; in order. */
  pauses: string[]
}

/** The preference centre. Any link shows and changes what is received; who someone is needs a freshly mailed one. */
export function createPreferencesService(parts: Pick<Parts, 'database' | 'keyring' | 'now'>) {
  const { database, keyring, now } = parts
  const { stores } = database

  const open = async (token: string): Promise<PreferencesPage> => {
    const ref = openPreferences(keyring, token, now())
    const subscriber = ref && (await stores.subscribers.find(ref.subscriberId))
    if (!ref || !subscriber?.address) {
      const sentence = 'This link is not one of ours, or the person behind it was erased. Ask for a new link.'
      throw notFound('no_link', sentence)
    }
    const { subscriberId, mailedAt } = ref
    const isFresh = mailedAt !== undefined && !(await stores.activations.hasMoved(subscriberId, mailedAt))
    const subscriptions = await stores.subscriptions.list(subscriberId)
    const newsletters = await stores.newsletters.list()
    const active = subscriptions.filter(({ state }) => state === 'active')
    const pauses = active.map(({ pausedUntil: until }) => (until && until > now() ? dayOf(until) : ''))
    return {
      subscriberId,
      isFresh,
      subscriber,
      shownAddress: isFresh ? subscriber.address : maskAddress(subscriber.address),
      newsletters: newsletters.flatMap((newsletter) => {
        const subscription = subscriptions.find((one) => one.newsletterId === newsletter.id)
        if (newsletter.state === 'ended' || !(subscription ?? isOffered(newsletter))) return []
        // A pending one is like none: one that was left is never pending again, and a link that came by mail proves the
        // address as its activation would.
        return { newsletter, subscription, isLeft: active.length === 0 || subscription?.state === 'ended' }
      }),
      sections: await stores.selections.list('section'),
      pauses: [...new Set(pauses)].sort(),
    }
  }

  return {
    /** Changes nothing. @throws DomainError `no_link` */
    open,

    nonceOf: (page: PreferencesPage): string => sealPage(keyring, sealedNameOf(page), now()),

    /** @throws DomainError `form_expired` where the form is not of this page, or older than a day */
    requireNonce(page: PreferencesPage, nonce: string): void {
      const age = pageAgeMs(keyring, nonce, { name: sealedNameOf(page), now: now() })
      if (age !== undefined && age < pageAge.mostMs) return
      throw forbidden('form_expired', 'This form is too old. Open your link again and send it anew.')
    },

    /**
     * Newsletters, sections, cadence, alerts, language and pause, as the form says; the record keeps what changed.
     * @throws DomainError `link_not_fresh` where it would bring back what the person has left; `paused_until_past`,
     * `paused_until_far`
     */
    async save(page: PreferencesPage, input: PreferencesInput): Promise<void> {
      // One that came with an import may be longer.
      const isPauseShown = page.pauses.at(-1) === dayOf(input.pausedUntil)
      if (input.pausedUntil && !isPauseShown) requirePause(input.pausedUntil, now())
      await database.transaction(async (tx) => {
        const { id } = page.subscriber
        await tx.subscribers.lock(id)
        await tx.subscribers.updateLanguage(id, input.language)
        // Nothing may be added for an address that we never write to.
        const mayAdd = !(await isSuppressed(keyring, tx, page.subscriber.address))
        for (const { newsletter, subscription, isLeft } of page.newsletters) {
          const wanted = input.newsletters.find((one) => one.slug === newsletter.slug)
          const isActive = subscription?.state === 'active'
          if (wanted && isLeft) requireFresh(page)
          if (wanted && (mayAdd || isActive))
            await receive(tx, { page, newsletter, subscription, now: now() }, wanted)
          else if (!wanted)
            await endSubscriptions(tx, {
              subscriberId: id,
              newsletterId: newsletter.id,
              reason: 'unsubscribed',
            })
        }
        // A pause of one newsletter, shown and sent back, is not one of all.
        if (page.pauses.length < 2 || !isPauseShown) await tx.subscriptions.updatePause(id, input.pausedUntil)
      })
    },

    /** Everything kept about the person, for them. @throws DomainError `link_not_fresh` */
    async download(page: PreferencesPage) {
      requireFresh(page)
      return personalDataOf(stores, keyring, page.subscriber)
    },

    /** @throws DomainError `link_not_fresh` */
    async erase(page: PreferencesPage): Promise<void> {
      requireFresh(page)
      await database.transaction((tx) => eraseSubscriber(tx, keyring, page.subscriber, 'system'))
    },

    requireFresh,
  }
}

const dayOf = (date: Date | undefined): string => date?.toISOString().slice(0, 10) ?? ''

const sealedNameOf = (page: PreferencesPage): string =>
  `preferences-${page.subscriberId}${page.isFresh ? '-fresh' : ''}`

function requireFresh(page: PreferencesPage): void {
  if (page.isFresh) return
  const sentence =
    'This needs a link that was mailed to you within the last 24 hours. Ask for one on this page.'
  throw forbidden('link_not_fresh', sentence)
}

interface Held {
  page: PreferencesPage
  newsletter: Newsletter
  subscription: Subscription | undefined
  now: Date
}

/** The address is proved already: a newsletter added here needs no second mail. */
async function receive(
  tx: Stores,
  { page, newsletter, subscription, now }: Held,
  wanted: Setting,
): Promise<void> {
  const setting = { ...wanted, cadence: cadenceOf(newsletter, wanted.cadence) }
  if (subscription && isSameChoice(subscription, setting)) return
  const key = { subscriberId: page.subscriberId, newsletterId: newsletter.id }
  const isNew = subscription?.state !== 'active'
  // What is active keeps its pause; who has left since the page was looked at has left.
  const isReceived = isNew
    ? await tx.subscriptions.activate(key, setting, new Date(now.getTime() + 60_000))
    : await tx.subscriptions.updateSetting(key, setting)
  if (!isReceived) return
  if (isNew) await welcomeReader(tx, newsletter, page.subscriberId)
  await tx.consents.insert({
    event: isNew ? 'activated' : 'changed',
    subscriberId: page.subscriberId,
    newsletterIds: [newsletter.id],
    method: 'preferences',
    form: 'preferences',
    locale: page.subscriber.language,
  })
}
