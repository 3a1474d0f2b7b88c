import { isBarred } from '../../domain/deliverability/suppression.ts'
import { mayMail, type Activation, type Decision } from '../../domain/signups/activation.ts'
import {
  hashAddress,
  hashForLimits,
  parseAddress,
  type AddressHash,
} from '../../domain/subscribers/address.ts'
import { cadenceOf, isSameChoice } from '../../domain/subscribers/subscription.ts'
import { freshLinkLifetimeMs } from '../../domain/subscribers/subscription-tokens.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { createFloodGate } from './flood.ts'

/** Requests decided at once by one process. */
const lanes = 4

/** Decides what each request deserves: a mail, or nothing. */
export function createSignupDecisionService(
  parts: Pick<Parts, 'database' | 'doorbell' | 'keyring' | 'log' | 'now' | 'reach'>,
) {
  const { database, doorbell, keyring, log, now, reach } = parts
  const gate = createFloodGate(database.stores.activations)

  /** Decides one request; false where none waits, or all must. */
  const decideNext = async (): Promise<boolean> => {
    const held = await gate.findHeld()
    if (held === '*') return false
    let claimed: Activation | undefined
    try {
      const decision = await database.transaction(async (stores) => {
        claimed = await stores.activations.claimUndecided(held)
        if (!claimed) return undefined
        reach('after-undecided')
        const decided = await decide(stores, claimed)
        reach('before-decision')
        return decided
      })
      if (claimed) reach('after-decision')
      if (claimed && decision === 'mailed') await gate.take(claimed)
    } catch (error) {
      if (!claimed) throw error
      log.error(
        { err: error, activationId: claimed.id },
        'a signup could not be decided; it is tried again later',
      )
      await database.stores.activations.updateDecideAt(claimed.id, 5)
    }
    return claimed !== undefined
  }

  const decide = async (stores: Stores, request: Activation) => {
    const { decision, subscriberId } = await judge(stores, request)
    await stores.activations.markDecided(request.id, decision, subscriberId)
    return decision
  }

  const judge = async (stores: Stores, request: Activation): Promise<Decided> => {
    if (request.address === null || !request.isMailable) return { decision: 'machine' }
    const address = parseAddress(request.address)
    const limits = hashForLimits(keyring, address)
    const person: Person = {
      stores,
      request,
      limits,
      hashes: hashAddress(keyring, address),
      address: address.text,
    }
    await stores.activationMails.lock({ keyId: '', hmac: request.limitHmac })
    const suppression = await stores.suppressions.find(person.hashes)
    if (isBarred(suppression)) return { decision: 'suppressed' }
    if (request.kind === 'preferences-link') return mailLink(person)
    if (await stores.activationMails.isBlocked(limits, now())) return { decision: 'blocked' }
    const sent = await stores.activationMails.list(limits)
    // After a hard bounce one try in 30 days: success lifts the suppression.
    if (suppression?.reason === 'bounced' && sent.length > 0) return { decision: 'suppressed' }
    if (request.kind === 'signup' && (await listWanted(stores, request)).length === 0)
      return { decision: 'unknown' }
    if (request.kind === 'signup' && (await isAlreadyTrue(person))) return tellAlready(person)
    if (!mayMail(sent, now())) return { decision: 'limited' }
    return mailActivation(person)
  }

  const isAlreadyTrue = async ({ stores, request, address }: Person): Promise<boolean> => {
    const subscriber = await stores.subscribers.findByAddress(address)
    if (!subscriber) return false
    const subscriptions = await stores.subscriptions.list(subscriber.id)
    const wanted = await listWanted(stores, request)
    return wanted.every(({ newsletter, setting }) =>
      subscriptions.some((one) => one.newsletterId === newsletter.id && isSameChoice(one, setting)),
    )
  }

  const tellAlready = async ({ stores, request, limits, address }: Person): Promise<Decided> => {
    const subscriberId = (await stores.subscribers.findByAddress(address))?.id
    const told = await stores.activations.listDecided(limits, 'already-subscribed', {
      kind: 'signup',
      days: 7,
    })
    if (told.length > 0 || subscriberId === undefined) return { decision: 'told-already' }
    await stores.outbox.insert({
      kind: 'already-subscribed',
      subscriberId,
      payload: { newsletters: request.wanted.newsletters },
    })
    return { decision: 'already-subscribed', subscriberId }
  }

  const mailActivation = async ({ stores, request, hashes, address }: Person): Promise<Decided> => {
    const subscriberId = request.subscriberId ?? (await writeDown({ stores, request, hashes, address }))
    await stores.outbox.insert({
      kind: request.kind === 'address-change' ? 'address-change' : 'activation',
      activationId: request.id,
      language: request.language,
      expiresAt: request.expiresAt,
    })
    await stores.activationMails.insert(request.limitHmac)
    return { decision: 'mailed', subscriberId }
  }

  /** Pending, beside whatever the person has: what is asked for an existing subscription waits for the click. */
  const writeDown = async (of: Omit<Person, 'limits'>): Promise<number> => {
    const { stores, request, address } = of
    const [hash] = of.hashes
    if (!hash) throw new Error('a keyring has a key')
    const { id } = await stores.subscribers.put({ address, hash, language: request.language })
    for (const { newsletter, setting } of await listWanted(stores, request)) {
      await stores.subscriptions.insertPending({ subscriberId: id, newsletterId: newsletter.id }, setting)
    }
    return id
  }

  const mailLink = async ({ stores, limits, address }: Person): Promise<Decided> => {
    const subscriber = await stores.subscribers.findByAddress(address)
    const subscriptions = subscriber ? await stores.subscriptions.list(subscriber.id) : []
    const isProven = subscriptions.some((subscription) => subscription.activatedAt !== null)
    if (!subscriber || !isProven) return { decision: 'unknown' }
    const mailed = await stores.activations.listDecided(limits, 'mailed', {
      kind: 'preferences-link',
      days: 1,
    })
    if (mailed.length >= linksPerDay) return { decision: 'limited' }
    await stores.outbox.insert({
      kind: 'preferences-link',
      subscriberId: subscriber.id,
      language: subscriber.language,
      expiresAt: new Date(now().getTime() + freshLinkLifetimeMs),
    })
    return { decision: 'mailed', subscriberId: subscriber.id }
  }

  return {
    /** Decides all that waits; mails go out by `deliver-mail`. */
    async decideAll(): Promise<number> {
      await gate.recountWhereHeld()
      let decided = 0
      let rungAt = performance.now()
      /** @returns whether there may be more */
      const lane = async (most: number): Promise<boolean> => {
        for (let n = 0; n < most; n++) {
          if (!(await decideNext())) return false
          decided += 1
          // While requests keep coming there is no end to wait for.
          if (performance.now() - rungAt < ringEveryMs) continue
          rungAt = performance.now()
          await doorbell.ring('deliver-mail', {})
        }
        return true
      }
      // Most of the time a single request waits: the other lanes start only when this one has found more than a few.
      if (await lane(lanes)) await Promise.all(Array.from({ length: lanes }, () => lane(Infinity)))
      if (decided > 0) await doorbell.ring('deliver-mail', {})
      const held = await gate.findHeld()
      if (held.length > 0)
        log.warn({ domains: held === '*' ? 'all' : held.length }, 'far more signups than usual; they wait')
      return decided
    },
  }
}

const ringEveryMs = 250
const linksPerDay = 3

interface Decided {
  decision: Decision
  subscriberId?: number
}

interface Person {
  stores: Stores
  request: Activation
  hashes: AddressHash[]
  limits: AddressHash[]
  address: string
}

/** What a request asks of each newsletter that has not ended, a cadence it lacks replaced by its first. */
export async function listWanted(stores: Stores, request: Pick<Activation, 'wanted'>) {
  const { newsletters: slugs, cadence, alerts, sections } = request.wanted
  const newsletters = (await stores.newsletters.list()).filter(
    (one) => one.state !== 'ended' && slugs.includes(one.slug),
  )
  return newsletters.map((newsletter) => ({
    newsletter,
    setting: { cadence: cadenceOf(newsletter, cadence), alerts, sections },
  }))
}
