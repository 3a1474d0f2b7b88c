import { activationLifetimeMs } from '../../../domain/signups/activation.ts'
import {
  hashAddress,
  hashForLimits,
  toLowerAddress,
  type AddressHash,
} from '../../../domain/subscribers/address.ts'
import type { SuppressionReason } from '../../../domain/deliverability/suppression.ts'
import type { Newsletter } from '../../../domain/newsletter.ts'
import {
  cadenceOf,
  type EndedReason,
  type SubscriptionState,
} from '../../../domain/subscribers/subscription.ts'
import type { NewActivation } from '../../../store/signups/activations.ts'
import type { NewConsent } from '../../../store/subscribers/consents.ts'
import type { Stores } from '../../../store/stores.ts'
import type { Parts } from '../../parts.ts'
import type { Row } from './csv.ts'
import { hourMs } from '../../../domain/time.ts'

export const importOutcomes = ['active', 'pending', 'ended', 'known', 'left', 'suppressed'] as const
export type ImportOutcome = (typeof importOutcomes)[number]

/** What the rows of one import have in common. */
export interface Placing {
  importId: number
  /** How consent was given, in words; without it everyone gets an activation mail. */
  basis: string | null
  /** When the first of its activation mails goes, and how many rows before these have one. */
  firstMailAt: Date
  pendingBefore: number
  /** Who added a single person; else it is an import. */
  by?: string
}

/** Activation mails of an import, so that they wait behind nobody who signs up now. */
const msPerMail = hourMs / 1_200

/** A row with the HMACs of its address and of its person, the current key's first. */
interface Hashed {
  row: Row
  hash: AddressHash
  hashes: AddressHash[]
  limits: ReturnType<typeof hashForLimits>
}

/** The same, with what its address is to us. */
interface Judged extends Hashed {
  subscriberId: number | undefined
  /** As it will be once this is done. */
  outcome: ImportOutcome
  /** The newsletters to which nobody of this address has a subscription, in whatever state. */
  fresh: Newsletter[]
  /** Subscriptions that its status ends. */
  ending: number[]
  isToSuppress: boolean
}

interface Placed extends Judged {
  subscriberId: number
}

/** What is known of a batch of rows, from the tables or from what a dry run has promised. */
interface Known {
  ids: Map<string, number>
  suppressed: Map<string, SuppressionReason>
  /** Who said within 90 days that they had asked for nothing. */
  refused: Set<string>
  states: Map<string, Map<number, SubscriptionState>>
  /** `subscriber newsletter` of those who activated here by themselves. */
  confirmed: Set<string>
}

/** Places rows of a CSV, of which no two have one address, each as it deserves. */
export function createSubscriberPlacing({ keyring, now }: Pick<Parts, 'keyring' | 'now'>) {
  return {
    /** When the first activation mail may go: behind those of imports before. */
    async findTurn(stores: Stores): Promise<Date> {
      const last = await stores.activations.findLastImported()
      return new Date(Math.max(now().getTime(), (last?.getTime() ?? 0) + msPerMail))
    },

    /** What would become of these rows. It remembers in the tables whom it promised what. */
    foresee: async (tx: Stores, rows: Row[], placing: Placing): Promise<ImportOutcome[]> => {
      const hashed = rows.map(hashOf)
      const known = await findKnown(tx, hashed)
      const hmacs = hashed.map(({ hash }) => hash.hmac)
      for (const one of await tx.imports.listPromised(placing.importId, hmacs)) {
        const hmac = one.addressHmac.toString('hex')
        if (one.newsletterId === 0) known.suppressed.set(hmac, 'manual')
        else statesOf(known, hmac).set(one.newsletterId, one.state as SubscriptionState)
      }
      const judged = hashed.map((one) => judge(one, known, placing))
      await tx.imports.putPromised(
        placing.importId,
        judged.flatMap((one) => promisesOf(one, placing)),
      )
      return judged.map(({ outcome }) => outcome)
    },

    place: async (tx: Stores, rows: Row[], placing: Placing): Promise<ImportOutcome[]> => {
      const hashed = rows.map(hashOf)
      const known = await findKnown(tx, hashed)
      const judged = hashed.map((one) => judge(one, known, placing))
      await end(tx, judged, placing)
      const placed = await subscribe(tx, judged, placing)
      const isPending = ({ row }: Judged) => stateOf(row, placing) === 'pending'
      await tx.consents.insert(
        ...placed.filter((one) => !isPending(one)).map((one) => toConsent(one, placing)),
      )
      await ask(tx, placed.filter(isPending), placing)
      const done = new Set(placed.map((one) => one.row))
      // Whoever signed up by themselves meanwhile keeps what they chose.
      return judged.map(({ row, outcome, fresh }) =>
        fresh.length > 0 && (outcome === 'active' || outcome === 'pending') && !done.has(row)
          ? 'known'
          : outcome,
      )
    },
  }

  function hashOf(row: Row): Hashed {
    const hashes = hashAddress(keyring, row.address)
    return { row, hash: hashes[0], hashes, limits: hashForLimits(keyring, row.address) }
  }

  async function findKnown(tx: Stores, hashed: Hashed[]): Promise<Known> {
    // First, so that whoever leaves or is erased meanwhile does so before the next look, or after this batch.
    const ids = await tx.subscribers.lockByAddress(hashed.map(({ row }) => row.address.text))
    const suppressed = await tx.suppressions.listReasons(hashed.flatMap(({ hashes }) => hashes))
    const limits = hashed.flatMap((one) => one.limits)
    const refused = await tx.activationMails.listBlocked(limits, now())
    const known: Known = { ids, suppressed, refused, states: new Map(), confirmed: new Set() }
    const hmacs = new Map(
      hashed.flatMap(({ row, hash }) => {
        const id = ids.get(row.address.text)
        return id === undefined ? [] : [[id, hash.hmac.toString('hex')] as const]
      }),
    )
    for (const one of await tx.subscriptions.listOf([...hmacs.keys()]))
      statesOf(known, hmacs.get(one.subscriberId) ?? '').set(one.newsletterId, one.state)
    const told = hashed.flatMap(({ row }) =>
      row.status.state === 'ended' ? (ids.get(row.address.text) ?? []) : [],
    )
    for (const one of await tx.consents.listActivated(told))
      known.confirmed.add(`${one.subscriberId} ${one.newsletterId}`)
    return known
  }

  function judge(hashed: Hashed, known: Known, { basis }: Placing): Judged {
    const { row, hash, hashes, limits } = hashed
    const subscriberId = known.ids.get(row.address.text)
    const states = statesOf(known, hash.hmac.toString('hex'))
    const judged: Judged = {
      ...hashed,
      subscriberId,
      outcome: 'suppressed',
      fresh: [],
      ending: [],
      isToSuppress: false,
    }
    if (hashes.some(({ hmac }) => known.suppressed.has(hmac.toString('hex')))) {
      // A complaint outweighs what was known; a bounce adds nothing.
      return { ...judged, isToSuppress: row.status.suppression === 'complained' }
    }
    const isConfirmed = (id: number) =>
      states.get(id) === 'active' && known.confirmed.has(`${subscriberId ?? 0} ${id}`)
    const hasRefused = limits.some(({ hmac }) => known.refused.has(hmac.toString('hex')))
    const isEnded = row.status.state === 'ended'
    const fresh = hasRefused && !isEnded ? [] : row.newsletters.filter((one) => !states.has(one.id))
    if (!isEnded) {
      const past = row.newsletters.every((one) => (states.get(one.id) ?? 'ended') === 'ended')
        ? 'left'
        : 'known'
      const outcome = fresh.length > 0 ? stateOf(row, { basis }) : past
      return { ...judged, outcome, fresh }
    }
    const open = [...states].filter(([, state]) => state !== 'ended').map(([id]) => id)
    const { suppression, endedReason } = row.status
    // Of who confirmed here, another system's bounce or goodbye says nothing; a complaint does.
    if (suppression && (suppression !== 'bounced' || !open.some(isConfirmed)))
      return { ...judged, fresh: endedReason ? fresh : [], ending: open, isToSuppress: true }
    const named = new Set(row.newsletters.map(({ id }) => id))
    const ending = open.filter((id) => named.has(id) && !isConfirmed(id))
    const isKept = open.some((id) => named.has(id) && isConfirmed(id))
    const outcome = fresh.length + ending.length > 0 ? 'ended' : isKept ? 'known' : 'left'
    return { ...judged, outcome, fresh, ending }
  }

  /** What another system's status ends here, and whom we never write to again. */
  async function end(tx: Stores, judged: Judged[], { importId }: Placing) {
    const ending = judged.flatMap(({ row, subscriberId, ending: ids }) =>
      subscriberId === undefined
        ? []
        : ids.map((newsletterId) => ({ subscriberId, newsletterId, reason: reasonOf(row) })),
    )
    const ended = await tx.subscriptions.markEachEnded(ending)
    await tx.activations.deleteUndecidedImported([...new Set(ended.map((one) => one.subscriberId))])
    await tx.consents.insert(
      ...ended.map((one) => ({
        event: 'ended' as const,
        subscriberId: one.subscriberId,
        newsletterIds: [one.newsletterId],
        reason: one.reason,
        form: 'import',
      })),
    )
    await tx.suppressions.putAll(
      judged.flatMap(({ row: { status }, hashes, isToSuppress }) =>
        isToSuppress && status.suppression ? [{ hashes, reason: status.suppression }] : [],
      ),
      { detail: `import ${importId}` },
    )
  }

  /** Those that could be, with their subscriber and what is new to them. */
  async function subscribe(tx: Stores, judged: Judged[], placing: Placing): Promise<Placed[]> {
    const wanted = judged.filter(({ fresh }) => fresh.length > 0)
    const ids = await tx.subscribers.putAll(
      wanted.map(({ row, hash }) => ({ address: row.address.text, hash, language: row.language })),
    )
    const subscriberOf = ({ address }: Row) => {
      const id = ids.get(address.text)
      if (id === undefined) throw new Error('a subscriber vanished while it was imported')
      return id
    }
    const inserted = await tx.subscriptions.insertNew(
      wanted.flatMap(({ row, fresh }) =>
        fresh.map((one) => ({
          subscriberId: subscriberOf(row),
          newsletterId: one.id,
          state: stateOf(row, placing),
          endedReason: row.status.endedReason ?? null,
          cadence: cadenceOf(one, row.cadence ?? one.cadences[0]?.cadence ?? 'daily'),
          alerts: row.alerts,
          sections: row.sections,
          pausedUntil: row.pausedUntil ?? null,
        })),
      ),
    )
    const keys = new Set(inserted.map((key) => `${key.subscriberId} ${key.newsletterId}`))
    return wanted
      .map((one) => {
        const subscriberId = subscriberOf(one.row)
        return {
          ...one,
          subscriberId,
          fresh: one.fresh.filter(({ id }) => keys.has(`${subscriberId} ${id}`)),
        }
      })
      .filter(({ fresh }) => fresh.length > 0)
  }

  /** Activation mails, each at its time. */
  async function ask(tx: Stores, placed: Placed[], { firstMailAt, pendingBefore }: Placing) {
    if (placed.length === 0) return
    const { policyVersion } = await tx.publication.get()
    await tx.activations.insert(
      ...placed.map((one, index) =>
        toRequest(one, {
          policyVersion,
          decideAt: new Date(firstMailAt.getTime() + (pendingBefore + index) * msPerMail),
        }),
      ),
    )
  }

  function toRequest(
    { row, subscriberId, fresh, limits: [limit] }: Placed,
    { decideAt, policyVersion }: { decideAt: Date; policyVersion: string },
  ): NewActivation {
    return {
      kind: 'signup',
      subscriberId,
      address: row.address.text,
      limit,
      language: row.language,
      wanted: {
        newsletters: fresh.map((one) => one.slug),
        cadence: row.cadence ?? 'daily',
        alerts: row.alerts,
        sections: row.sections,
      },
      form: 'import',
      isMailable: true,
      createdAt: now(),
      decideAt,
      expiresAt: new Date(decideAt.getTime() + activationLifetimeMs),
      consent: {
        text: '',
        policyVersion,
        ipPrefix: undefined,
        userAgentSha256: undefined,
        givenAt: row.consent.givenAt,
        source: row.consent.source || undefined,
      },
    }
  }
}

function statesOf({ states }: Known, hmac: string): Map<number, SubscriptionState> {
  const known = states.get(hmac) ?? new Map<number, SubscriptionState>()
  states.set(hmac, known)
  return known
}

/** Somebody who has not confirmed elsewhere is asked, whatever the basis of the others. */
const stateOf = ({ status }: Row, { basis }: Pick<Placing, 'basis'>): SubscriptionState =>
  status.state === 'active' && basis === null ? 'pending' : status.state

const reasonOf = ({ status: { suppression, endedReason } }: Row): EndedReason =>
  suppression === 'bounced' || suppression === 'complained' ? suppression : (endedReason ?? 'unsubscribed')

function promisesOf({ row, hash, fresh, ending, isToSuppress }: Judged, placing: Placing) {
  const promise = (newsletterId: number, state: string) => ({ addressHmac: hash.hmac, newsletterId, state })
  return [
    ...fresh.map(({ id }) => promise(id, stateOf(row, placing))),
    ...ending.map((id) => promise(id, 'ended')),
    ...(isToSuppress ? [promise(0, 'suppressed')] : []),
  ]
}

/** Also of who comes in as ended: that they were known, since when and from where, but no beginning. */
const toConsent = ({ row, subscriberId, fresh }: Placed, { basis, by }: Placing): NewConsent => ({
  event: row.status.state === 'ended' ? 'ended' : 'imported',
  subscriberId,
  newsletterIds: fresh.map((one) => one.id),
  method: by ?? 'import',
  ...(row.status.endedReason !== undefined && { reason: row.status.endedReason }),
  ...(basis !== null && { basis: row.consent.basis || basis }),
  ...(row.consent.givenAt && { givenAt: row.consent.givenAt }),
  ...(row.consent.source && { source: row.consent.source }),
  form: by ? 'desk' : 'import',
  locale: row.language,
})

/** Rows of one person have this in common. */
export const personOf = (row: Row): string => toLowerAddress(row.address.text)
