import { timingSafeEqual } from 'node:crypto'
import { findAddress, toLowerAddress } from '../../domain/subscribers/address.ts'
import { openReference, type MailReference } from '../../domain/delivery/mail-reference.ts'
import type { EventKind, ProviderEvent, ProviderName } from '../../domain/deliverability/provider-event.ts'
import { unavailable } from '../../errors.ts'
import type { Posting } from '../../mail/providers/providers.ts'
import type { StoredProvider } from '../../store/deliverability/providers.ts'
import type { BounceService, Guard } from './bounces.ts'
import type { Parts } from '../parts.ts'
import { sha256 } from '../secret.ts'

/** How many of a kind came, and how many of them are about no mail of ours. */
type Counts = Map<EventKind, { n: number; strange: number }>

/** An event about a mail of ours, as far as its seal or the relay's name for the mail tells. */
interface FoundEvent {
  event: ProviderEvent
  reference: MailReference | undefined
}

type EventParts = Pick<
  Parts,
  'database' | 'keyring' | 'log' | 'providers' | 'fetchForProvider' | 'doorbell' | 'now'
> & { bounces: Pick<BounceService, 'recordBounce' | 'recordComplaint' | 'unsubscribe'> }

/** What hosted relays report of our mails. An address alone is never enough: an event is about a mail that we sent. */
export function createProviderEventService(parts: EventParts) {
  const { database, bounces, log, now } = parts
  const { stores } = database

  const fetchOutside = async (url: string): Promise<string> => {
    if (await stores.instanceGuard.isHeld()) throw unreachable('this database is held')
    try {
      return (await parts.fetchForProvider(url)).body.toString('utf8')
    } catch (error) {
      throw unreachable(error)
    }
  }

  const confirm = async (name: ProviderName, { topic, url }: { topic: string; url: string }) => {
    await fetchOutside(url)
    const isFirst = await database.transaction(async (tx) => {
      if (!(await tx.providers.updateTopic(name, topic))) return false
      await tx.audit.insert(`provider:${name}`, 'provider.confirmed', `provider:${name}`, { topic })
      return true
    })
    log.info({ provider: name, isFirst }, 'a provider’s subscription was confirmed')
  }

  /** Our seal first, then the relay's name for the message; whatever else an event says names no mail. */
  const findMails = async (events: ProviderEvent[]): Promise<FoundEvent[]> => {
    const found = events.map((event) => ({ event, reference: openSeals(parts, event.seals) }))
    const open = found.flatMap(({ event, reference }) => (!reference && event.relayId ? [event.relayId] : []))
    if (open.length === 0) return found
    const mails = await stores.providers.findMails([...new Set(open)])
    return found.map(({ event, reference }) => ({
      event,
      reference: reference ?? mails.get(event.relayId ?? ''),
    }))
  }

  /** @returns whether it is about a mail of ours to this person; heard before counts as such */
  const apply = async (name: ProviderName, { event, reference }: FoundEvent, token?: string) => {
    if (!reference) return false
    const state = { isOurs: false }
    const guard: Guard = async (tx, mail) => {
      state.isOurs = mail.address !== undefined && isSameAddress(mail.address, event.recipient)
      return state.isOurs && (await tx.providers.insertEvent(name, event.id, token))
    }
    if (event.kind === 'bounce' && event.diagnosis)
      await bounces.recordBounce(reference, event.diagnosis, guard)
    if (event.kind === 'complaint') await bounces.recordComplaint(reference, `reported-by: ${name}`, guard)
    if (event.kind === 'unsubscribe') await bounces.unsubscribe(reference, guard)
    return state.isOurs
  }

  const applyAll = async (name: ProviderName, events: ProviderEvent[], token?: string): Promise<Counts> => {
    const counts: Counts = new Map()
    const lasting = events.filter(({ kind }) => changing.has(kind)).map(({ id }) => id)
    const known = lasting.length === 0 ? new Set() : await stores.providers.listKnownEvents(name, lasting)
    const fresh = events.filter(({ id }) => !known.has(id))
    const found = await findMails(fresh.filter(({ kind }) => changing.has(kind)))
    // One after the other: many at once would take all connections from the desk.
    const strange = new Map(
      await Array.fromAsync(found, async (each) => [each.event, !(await apply(name, each, token))] as const),
    )
    for (const event of fresh) {
      const count = counts.get(event.kind) ?? { n: 0, strange: 0 }
      counts.set(event.kind, { n: count.n + 1, strange: count.strange + (strange.get(event) ? 1 : 0) })
    }
    return counts
  }

  /** That any event came of the mail that an admin sent to try the way. */
  const noteTest = async ({ name, testOutboxId, testSeenAt }: StoredProvider, events: ProviderEvent[]) => {
    if (testOutboxId === undefined || testSeenAt !== undefined) return
    const found = await findMails(events)
    const isSeen = found.some(
      ({ reference }) => reference?.kind === 'outbox' && reference.outboxId === testOutboxId,
    )
    if (isSeen) await stores.providers.updateTestSeen(name, testOutboxId)
  }

  return {
    /** The provider whose address this is; undefined for an unknown, wrong or renewed token. */
    async open(name: ProviderName, token: string): Promise<StoredProvider | undefined> {
      const provider = await stores.providers.find(name)
      // Hashes have one length, and a comparison of them tells nothing of what they were made of.
      return timingSafeEqual(sha256(token), sha256(provider?.token ?? '')) ? provider : undefined
    },

    /**
     * @returns how many came of each kind; undefined where the posting is not proven to be the provider's
     * @throws DomainError `provider_unreachable`: it is to come again
     */
    async receive(provider: StoredProvider, posting: Posting): Promise<Counts | undefined> {
      const { name } = provider
      const reading = await parts.providers[name].read(posting, provider, { at: now(), fetch: fetchOutside })
      if (!reading) return undefined
      if (reading.confirmation) await confirm(name, reading.confirmation)
      const events = reading.events.map((event) => ({ ...event, id: shortened(event.id) }))
      const { token } = reading
      const [signed] = events
      if (token !== undefined && signed) {
        const used = await stores.providers.findEventByToken(name, token)
        if (used !== undefined && used !== signed.id) return undefined
      }
      await noteTest(provider, events)
      const counts = await applyAll(name, events, token)
      if (token !== undefined && signed) await stores.providers.insertEvent(name, signed.id, token)
      if (counts.size > 0) {
        await stores.providers.addCounts(
          name,
          Array.from(counts, ([kind, count]) => ({ kind, ...count })),
        )
      }
      return counts
    },
  }
}

const changing = new Set<EventKind>(['bounce', 'complaint', 'unsubscribe'])

const longestId = 200
const shortened = (id: string): string => (id.length <= longestId ? id : sha256(id).toString('base64url'))

const openSeals = ({ keyring }: Pick<Parts, 'keyring'>, seals: string[]): MailReference | undefined =>
  seals
    .values()
    .map((seal) => openReference(keyring, 'message-id', seal))
    .find((reference) => reference !== undefined)

/** As we deliver to it: in whatever case, and whichever way its domain is written. */
const isSameAddress = (ours: string, theirs: string): boolean =>
  toLowerAddress(ours) === toLowerAddress(findAddress(theirs)?.text ?? theirs)

const unreachable = (cause: unknown) =>
  unavailable(
    'provider_unreachable',
    'The provider cannot be asked whether this is its own; send it again later.',
    { cause, retryAfterSeconds: 60 },
  )
