import { isBarred } from '../../domain/deliverability/suppression.ts'
import type { Newsletter } from '../../domain/newsletter.ts'
import type { Activation, Decision } from '../../domain/signups/activation.ts'
import { linksPerDay, mayMail } from '../../domain/signups/mail-limits.ts'
import {
  hashAddress,
  hashForLimits,
  parseAddress,
  type AddressHash,
} from '../../domain/subscribers/address.ts'
import { cadenceOf, isSameChoice, type Subscription } from '../../domain/subscribers/subscription.ts'
import { freshLinkLifetimeMs } from '../../domain/subscribers/subscription-tokens.ts'
import type { NewMail } from '../../store/delivery/outbox.ts'
import { onceAMinute } from '../../domain/once-a-minute.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { createFloodGate } from './flood.ts'

/** Requests decided by the same few statements, for a crowd comes all at once. */
const mostAtOnce = 100

/** Decides what each request deserves: a mail, or nothing. */
export function createSignupDecisionService(
  parts: Pick<Parts, 'database' | 'doorbell' | 'keyring' | 'log' | 'now' | 'reach'>,
) {
  const { database, doorbell, keyring, log, now, reach } = parts
  const gate = createFloodGate(database.stores.activations)
  const mayBeSaid = onceAMinute()

  /** @returns how many were decided; undefined where none waits, or all must */
  const decideSome = async (most: number): Promise<number | undefined> => {
    const held = await gate.findHeld()
    if (held === '*') return undefined
    let claimed: Activation[] = []
    try {
      const decided = await database.transaction(async (tx) => {
        claimed = await tx.activations.claimUndecided(held, most)
        if (claimed.length === 0) return undefined
        reach('after-undecided')
        const verdicts = await decide(tx, await gate.listFitting(claimed))
        reach('before-decision')
        return verdicts
      })
      if (decided) reach('after-decision')
      for (const { request, decision } of decided ?? []) if (decision === 'mailed') await gate.take(request)
      // Nothing fits any more, though it was not held a moment ago: it waits for the next ring.
      return decided?.length || undefined
    } catch (error) {
      const [first] = claimed
      if (!first) throw error
      if (claimed.length > 1) return decideEach(claimed.length)
      log.error(
        { err: error, activationId: first.id },
        'a signup could not be decided; it is tried again later',
      )
      await database.stores.activations.updateDecideAt(first.id, 5)
      return 0
    }
  }

  /** One of these ails: it alone is put off. */
  const decideEach = async (count: number): Promise<number> => {
    let decided = 0
    for (let n = 0; n < count; n++) decided += (await decideSome(1)) ?? 0
    return decided
  }

  const decide = async (tx: Stores, requests: Activation[]): Promise<Verdict[]> => {
    const people = requests.map(toPerson)
    const known = await findKnown(tx, people)
    const verdicts: Verdict[] = []
    const mailed = new Set<string>()
    for (const person of people) {
      // What comes behind a mail to the same person is judged in the next round, which knows of it.
      if (mailed.has(person.name)) continue
      const verdict = { ...person, ...(await judge(tx, person, known)) }
      verdicts.push(verdict)
      if (verdict.mail) mailed.add(person.name)
    }
    const asked = verdicts.filter(({ mail }) => mail?.activationId)
    await writeDown(tx, asked, known)
    await tx.outbox.insertAll(verdicts.flatMap(({ mail }) => mail ?? []))
    await tx.activationMails.insert(...asked.map(({ request }) => request.limitHmac))
    await tx.activations.markDecided(
      verdicts.map(({ request, decision, subscriberId }) => ({ id: request.id, decision, subscriberId })),
    )
    return verdicts
  }

  const toPerson = (request: Activation): Person => {
    const address = request.address !== null && request.isMailable ? parseAddress(request.address) : undefined
    const limits = address ? hashForLimits(keyring, address) : []
    return {
      request,
      address: address?.text,
      hashes: address ? hashAddress(keyring, address) : [],
      limits,
      name: hexOf(limits)[0] ?? request.id,
    }
  }

  /** What is known of some people; HMACs in hexadecimal. */
  const findKnown = async (tx: Stores, people: Person[]) => {
    await tx.activationMails.lock(...people.map(({ request }) => ({ hmac: request.limitHmac })))
    const limits = people.flatMap((person) => person.limits)
    const ids = await tx.subscribers.lockByAddress(people.flatMap(({ address }) => address ?? []))
    return {
      ids,
      subscriptions: Map.groupBy(await tx.subscriptions.listOf([...ids.values()]), (one) => one.subscriberId),
      suppressions: await tx.suppressions.listReasons(people.flatMap(({ hashes }) => hashes)),
      blocked: await tx.activationMails.listBlocked(limits, now()),
      sent: await tx.activationMails.listSent(limits),
      newsletters: await tx.newsletters.list(),
    }
  }

  type Known = Awaited<ReturnType<typeof findKnown>>

  const judge = async (tx: Stores, person: Person, known: Known): Promise<Judgement> => {
    const { request, hashes, limits, address } = person
    if (address === undefined) return { decision: 'machine' }
    const reasons = hexOf(hashes).flatMap((hmac) => known.suppressions.get(hmac) ?? [])
    if (reasons.some((reason) => isBarred({ reason }))) return { decision: 'suppressed' }
    const subscriberId = known.ids.get(address)
    const subscriptions = known.subscriptions.get(subscriberId ?? 0) ?? []
    if (request.kind === 'preferences-link') return mailLink(tx, person, { subscriberId, subscriptions })
    if (hexOf(limits).some((hmac) => known.blocked.has(hmac))) return { decision: 'blocked' }
    const sent = hexOf(limits).flatMap((hmac) => known.sent.get(hmac) ?? [])
    // After a hard bounce one try in 30 days: success lifts the suppression.
    if (reasons.includes('bounced') && sent.length > 0) return { decision: 'suppressed' }
    if (request.kind === 'signup') {
      const wanted = wantedOf(request, known.newsletters)
      if (wanted.length === 0) return { decision: 'unknown' }
      const isAlreadyTrue = wanted.every(({ newsletter, setting }) =>
        subscriptions.some((one) => one.newsletterId === newsletter.id && isSameChoice(one, setting)),
      )
      if (subscriberId !== undefined && isAlreadyTrue) return tellAlready(tx, person, subscriberId)
    }
    if (!mayMail(sent, now())) return { decision: 'limited' }
    return {
      decision: 'mailed',
      subscriberId: request.subscriberId ?? undefined,
      mail: {
        kind: request.kind === 'address-change' ? 'address-change' : 'activation',
        activationId: request.id,
        language: request.language,
        expiresAt: request.expiresAt,
      },
    }
  }

  const tellAlready = async (
    tx: Stores,
    { request, limits }: Person,
    subscriberId: number,
  ): Promise<Judgement> => {
    const told = await tx.activations.listDecided(limits, 'already-subscribed', { kind: 'signup', days: 7 })
    if (told.length > 0) return { decision: 'told-already' }
    const payload = { newsletters: request.wanted.newsletters }
    return {
      decision: 'already-subscribed',
      subscriberId,
      mail: { kind: 'already-subscribed', subscriberId, payload },
    }
  }

  const mailLink = async (
    tx: Stores,
    { limits }: Person,
    { subscriberId, subscriptions }: { subscriberId: number | undefined; subscriptions: Subscription[] },
  ): Promise<Judgement> => {
    const isProven = subscriptions.some((subscription) => subscription.activatedAt !== null)
    if (subscriberId === undefined || !isProven) return { decision: 'unknown' }
    const mailed = await tx.activations.listDecided(limits, 'mailed', { kind: 'preferences-link', days: 1 })
    if (mailed.length >= linksPerDay) return { decision: 'limited' }
    const expiresAt = new Date(now().getTime() + freshLinkLifetimeMs)
    return { decision: 'mailed', subscriberId, mail: { kind: 'preferences-link', subscriberId, expiresAt } }
  }

  /** Pending, beside whatever the person has: what is asked for an existing subscription waits for the click. */
  const writeDown = async (tx: Stores, asked: Verdict[], { newsletters }: Known): Promise<void> => {
    const unknown = asked.filter((one) => one.subscriberId === undefined)
    if (unknown.length === 0) return
    const ids = await tx.subscribers.putAll(
      unknown.flatMap(({ address = '', request: { language }, hashes: [hash] }) =>
        hash ? [{ address, hash, language }] : [],
      ),
    )
    for (const one of unknown) one.subscriberId = ids.get(one.address ?? '')
    await tx.subscriptions.insertNew(
      unknown.flatMap(({ request, subscriberId }) => {
        if (subscriberId === undefined) throw new Error('a subscriber vanished while it was put')
        return wantedOf(request, newsletters).map(({ newsletter: { id: newsletterId }, setting }) => ({
          subscriberId,
          newsletterId,
          ...setting,
          pausedUntil: null,
          state: 'pending' as const,
          endedReason: null,
        }))
      }),
    )
  }

  return {
    /** Decides all that waits; mails go out by `deliver-mail`. */
    async decideAll(): Promise<number> {
      await gate.recountWhereHeld()
      let all = 0
      let rungAt = performance.now()
      for (;;) {
        const decided = await decideSome(mostAtOnce)
        if (decided === undefined) break
        all += decided
        // While requests keep coming there is no end to wait for.
        if (performance.now() - rungAt < ringEveryMs) continue
        rungAt = performance.now()
        await doorbell.ring('deliver-mail', {})
      }
      if (all > 0) await doorbell.ring('deliver-mail', {})
      const held = await gate.findHeld()
      if (held.length > 0 && mayBeSaid('held'))
        log.warn({ domains: held === '*' ? 'all' : held.length }, 'far more signups than usual; they wait')
      return all
    },
  }
}

const ringEveryMs = 250

interface Judgement {
  decision: Decision
  subscriberId?: number | undefined
  mail?: NewMail
}

/** Somebody who asks; a machine has no address. */
interface Person {
  request: Activation
  address: string | undefined
  hashes: AddressHash[]
  limits: AddressHash[]
  /** The same for all that one person asks with. */
  name: string
}

type Verdict = Person & Judgement

const hexOf = (hashes: AddressHash[]): string[] => hashes.map(({ hmac }) => hmac.toString('hex'))

/** What a request asks of each newsletter that has not ended, a cadence it lacks replaced by its first. */
export const listWanted = async (stores: Stores, request: Pick<Activation, 'wanted'>) =>
  wantedOf(request, await stores.newsletters.list())

const wantedOf = ({ wanted }: Pick<Activation, 'wanted'>, newsletters: Newsletter[]) => {
  const { newsletters: slugs, cadence, alerts, sections } = wanted
  return newsletters
    .filter((one) => one.state !== 'ended' && slugs.includes(one.slug))
    .map((newsletter) => ({
      newsletter,
      setting: { cadence: cadenceOf(newsletter, cadence), alerts, sections },
    }))
}
