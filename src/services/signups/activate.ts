import { timingSafeEqual } from 'node:crypto'
import { isBarred, liftedBySignup } from '../../domain/deliverability/suppression.ts'
import {
  blockAfterRefusalMs,
  linkStateOf,
  type Activation,
  type ActivationMethod,
  type LinkState,
} from '../../domain/signups/activation.ts'
import { keptDays } from '../../domain/retention.ts'
import { findAddress, hashAddress } from '../../domain/subscribers/address.ts'
import { openActivation, pageAge, pageAgeMs, sealPage } from '../../domain/subscribers/subscription-tokens.ts'
import { noLink } from '../../domain/keyring.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { listWanted } from './decide.ts'
import { changeAddress } from '../subscribers/address-change.ts'
import { welcomeReader } from './welcome.ts'
import { sha256 } from '../secret.ts'
import { mayMail } from '../../domain/signups/mail-limits.ts'
import { dayMs } from '../../domain/time.ts'

/** What a link's page shows. */
export interface ActivationPage {
  id: string
  state: LinkState | 'left' | 'taken' | 'ended'
  kind: Activation['kind']
  language: string
  isOwnBrowser: boolean
  subscriberId: number | null
  newsletters: { name: string; slug: string; language: string; cadence: string }[]
}

/** What the links of activation mails do. */
export function createActivationService(
  parts: Pick<Parts, 'database' | 'doorbell' | 'keyring' | 'now' | 'log'>,
) {
  const { database, doorbell, keyring, now, log } = parts
  const { stores } = database

  const describe = async (
    request: Activation,
    state: ActivationPage['state'],
    browser?: string,
  ): Promise<ActivationPage> => {
    const wanted = await listWanted(stores, request)
    const hasEnded = request.kind === 'signup' && wanted.length === 0 && state !== 'refused'
    return {
      id: request.id,
      state: hasEnded ? 'ended' : state,
      kind: request.kind,
      language: request.language,
      isOwnBrowser: isOwn(request, browser),
      subscriberId: request.subscriberId,
      newsletters: wanted.map(({ newsletter: { name, slug, language }, setting: { cadence } }) => {
        return { name, slug, language, cadence }
      }),
    }
  }

  return {
    /** Changes nothing. A link of ours whose request is gone is an expired one. @throws DomainError `no_link` */
    async open(token: string, browser: string | undefined): Promise<ActivationPage> {
      const id = openActivation(keyring, token)
      if (id === undefined) throw noLink()
      const request = await stores.activations.find(id)
      if (!request) return gone(id)
      const state = linkStateOf(request, now())
      const hasLeft = state === 'activated' && !(await isStillSubscribed(stores, request))
      return describe(request, hasLeft ? 'left' : state, browser)
    },

    /** For the form of a page: proves that the page was shown, and for how long. */
    nonceOf: (page: Pick<ActivationPage, 'id'>): string => sealPage(keyring, page.id, now()),

    /**
     * Whether the form comes from a page that stood open for a second. Machines that press every button at once
     * are the reason.
     */
    isPressed(page: Pick<ActivationPage, 'id'>, nonce: string): boolean {
      const age = pageAgeMs(keyring, nonce, { name: page.id, now: now() })
      return age !== undefined && age >= pageAge.leastMs && age < pageAge.mostMs
    },

    /** Any number of times, on any device; once it holds, or is over, the link changes nothing more. */
    async activate(id: string, method: ActivationMethod): Promise<ActivationPage> {
      const page = await database.transaction(async (tx) => {
        const request = await tx.activations.lock(id)
        if (!request) return gone(id)
        const state = linkStateOf(request, now())
        if (state === 'activated' && !(await isStillSubscribed(tx, request))) return describe(request, 'left')
        if (state !== 'open') return describe(request, state)
        if (request.kind === 'address-change')
          return describe(request, await changeAddress(tx, request, { method, keyring, now: now() }))
        return describe(request, await subscribe(tx, request, method))
      })
      if (page.kind === 'address-change' || page.state === 'activated')
        await doorbell.ring('deliver-mail', {})
      return page
    },

    /** "I did not ask for this": ends the request, and further activation mail to this address for 90 days. */
    async refuse(id: string): Promise<ActivationPage> {
      return database.transaction(async (tx) => {
        const request = await tx.activations.lock(id)
        if (!request) return gone(id)
        const state = linkStateOf(request, now())
        if (state === 'activated' || state === 'refused') return describe(request, state)
        await tx.activations.markRefused(id, now())
        await tx.activationMails.putBlock(request.limitHmac, new Date(now().getTime() + blockAfterRefusalMs))
        await tx.consents.insert({
          event: 'refused',
          activationId: id,
          newsletterIds: (await listWanted(tx, request)).map(({ newsletter }) => newsletter.id),
        })
        if (request.subscriberId !== null) await forget(tx, [request.subscriberId])
        return describe({ ...request, subscriberId: null }, 'refused')
      })
    },

    /** One reminder, a day after the mail, within the same limits. Returns how many were written. */
    async remind(): Promise<number> {
      let written = 0
      for (;;) {
        const outcome = await database.transaction(async (tx) => {
          const request = await tx.activations.claimForReminder()
          if (!request) return 'none'
          const limit = { keyId: '', hmac: request.limitHmac }
          await tx.activationMails.lock(limit)
          if ((await listWanted(tx, request)).length === 0) return 'limited'
          if (!mayMail(await tx.activationMails.list([limit]), now())) return 'limited'
          await tx.outbox.insert({
            kind: 'reminder',
            activationId: request.id,
            language: request.language,
            expiresAt: request.expiresAt,
          })
          await tx.activationMails.insert(request.limitHmac)
          return 'written'
        })
        if (outcome === 'written') written += 1
        if (outcome === 'none') break
      }
      if (written > 0) await doorbell.ring('deliver-mail', {})
      return written
    },

    /** Unconfirmed requests go a while after they expired, with everything they brought; the audit log counts them. */
    async purge(): Promise<number> {
      const before = new Date(now().getTime() - keptDays.requests * dayMs)
      let purged = 0
      for (let batch = purgeBatch; batch === purgeBatch; purged += batch) {
        batch = await database.transaction(async (tx) => {
          const { requests, subscriberIds } = await tx.activations.deleteExpired(before, purgeBatch)
          await forget(tx, subscriberIds)
          return requests
        })
      }
      while ((await stores.activations.deleteActivated(before, purgeBatch)) === purgeBatch);
      while ((await stores.activationMails.deleteOld(now(), purgeBatch)) === purgeBatch);
      if (purged > 0) {
        await stores.audit.insert('system', 'activations.purge', '', { requests: purged })
        log.info({ requests: purged }, 'unconfirmed requests were purged')
      }
      return purged
    },
  }

  async function subscribe(tx: Stores, request: Activation, method: ActivationMethod) {
    const address = findAddress(request.address ?? '')
    if (!address) return 'expired'
    const hashes = hashAddress(keyring, address)
    if (isBarred(await tx.suppressions.find(hashes))) return 'left'
    const reader = { address: address.text, hash: hashes[0], language: request.language }
    const subscriber = await tx.subscribers.put(reader)
    await tx.subscribers.lock(subscriber.id)
    const activated: number[] = []
    for (const { newsletter, setting } of await listWanted(tx, request)) {
      const key = { subscriberId: subscriber.id, newsletterId: newsletter.id }
      const before = await tx.subscriptions.find(key)
      if (!(await tx.subscriptions.activate(key, setting, request.createdAt))) continue
      activated.push(newsletter.id)
      if (before?.state !== 'active') await welcomeReader(tx, newsletter, subscriber.id)
    }
    if (activated.length === 0) return 'left'
    await tx.suppressions.delete(hashes, liftedBySignup)
    await tx.activations.markActivated(request.id, method, subscriber.id, now())
    await tx.consents.insert({
      event: 'activated',
      newsletterIds: activated,
      subscriberId: subscriber.id,
      activationId: request.id,
      method,
      form: request.form,
      locale: request.language,
      policyVersion: (await tx.publication.get()).policyVersion,
      messageId: await tx.consents.findMessageId(request.id),
    })
    return 'activated'
  }
}

const purgeBatch = 500

const gone = (id: string): ActivationPage => ({
  id,
  state: 'expired',
  kind: 'signup',
  language: '',
  isOwnBrowser: false,
  subscriberId: null,
  newsletters: [],
})

function isOwn(request: Activation, browser: string | undefined): boolean {
  if (browser === undefined || !request.browserSha256) return false
  return timingSafeEqual(sha256(browser), request.browserSha256)
}

/** False once everything that the request activated has ended. */
async function isStillSubscribed(stores: Stores, request: Activation): Promise<boolean> {
  if (request.kind !== 'signup' || request.subscriberId === null) return true
  const subscriptions = await stores.subscriptions.list(request.subscriberId)
  return subscriptions.some(
    (one) => one.state === 'active' && request.wanted.newsletters.includes(one.newsletter),
  )
}

/** People of whom nothing is left but requests that nobody confirmed. */
async function forget(tx: Stores, subscriberIds: number[]): Promise<void> {
  await tx.subscriptions.deletePending(subscriberIds)
  await tx.subscribers.deleteUnconfirmed(subscriberIds)
}
