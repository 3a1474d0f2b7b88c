import { LRUCache } from 'lru-cache'
import type { z } from 'zod'
import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import type { DeliveryState } from '../../domain/delivery/delivery.ts'
import {
  noCounts,
  sentOf,
  type DeliveryCounts,
  type Digest,
  type DigestState,
} from '../../domain/digests/digest.ts'
import { show } from '../../domain/fields.ts'
import { explain, explanations } from '../../domain/subscribers/explain.ts'
import type { ConsentEntry } from '../../store/subscribers/consents.ts'
import type { DeliveryLine } from '../../store/digests/digest-progress.ts'
import type { Parts } from '../parts.ts'
import { deliveryShape } from './shape.ts'

export type DigestProgressService = ReturnType<typeof createDigestProgressService>

/** Where a digest stands. The audience is the sum of the counts, at every moment. */
export type Progress = ReturnType<typeof toProgress>

const finalStates: readonly DigestState[] = [
  'completed',
  'completed_with_uncertain',
  'cancelled',
  'missed',
  'skipped',
]

/** What became of a digest: in numbers, by person, and why. */
export function createDigestProgressService(parts: Pick<Parts, 'config' | 'database' | 'now'>) {
  const { config, database, now } = parts
  // Everyone who watches a digest shares one count: over a million rows it takes its time. A count belongs to the
  // state it was taken in, or a page that has just been paused would be told that it is sending.
  const counts = new LRUCache<`${number} ${DigestState}`, DeliveryCounts>({
    max: 1_000,
    async fetchMethod(key, _stale, { options }) {
      const startedAt = performance.now()
      const id = Number.parseInt(key)
      const counted = await database.stores.digestProgress.countByState([id])
      options.ttl = Math.max(500, 10 * (performance.now() - startedAt))
      return counted.get(id) ?? noCounts()
    },
  })
  const measure = async (digest: Digest): Promise<Progress> =>
    toProgress(digest, await counts.forceFetch(`${digest.id} ${digest.state}`), now())

  return {
    /**
     * The state as it is now; its counts may be half a second old, or ten times what counting takes.
     * @throws DomainError `no_digest`
     */
    get: async (id: number): Promise<Progress> => measure(await database.stores.digests.get(id)),

    /** The same of a digest that was read already. */
    measure,

    /** Who, in which state, and what the mail server said; by subscriber. @throws DomainError `no_digest` */
    async listDeliveries(
      id: number,
      state: DeliveryState | undefined,
      page: PageRequest,
    ): Promise<Page<DeliveryLineShape>> {
      await database.stores.digests.get(id)
      const lines = await database.stores.digestProgress.list(id, { ...page, state })
      return toPage(lines.map(toLineShape), page.limit, ({ subscriber }) => [subscriber])
    },

    /** Why a person did or did not get a digest. @throws DomainError `no_digest`, `no_subscriber` */
    async explain(subscriberId: number, digestId: number) {
      const { digests, digestProgress, subscribers } = database.stores
      const digest = await digests.get(digestId)
      await subscribers.get(subscriberId)
      const delivery = await digestProgress.find(digestId, subscriberId)
      const facts = await digestProgress.findFacts(subscriberId, digest.newsletterId)
      const reason = explain(digest, delivery, facts)
      return {
        subscriber: subscriberId,
        digest: digestId,
        got: reason === 'accepted',
        reason,
        sentence: explanations[reason].replace('{days}', String(config.retentionDays)),
        delivery: delivery ? toLineShape(delivery) : null,
        consent: toConsentShape(await database.stores.consents.list(subscriberId), digest.newsletterId),
      }
    },

    /** The same by address, as the desk asks it; undefined for an address that was never subscribed. */
    async findExplanation(email: string, digestId: number) {
      const subscriber = await database.stores.subscribers.findByAddress(email.trim())
      return subscriber && this.explain(subscriber.id, digestId)
    },
  }
}

/** The last proof for this newsletter. */
function toConsentShape(consents: ConsentEntry[], newsletterId: number) {
  const last = consents.findLast(
    (one) => one.newsletterId === newsletterId && (one.event === 'activated' || one.event === 'imported'),
  )
  if (!last) return null
  const { givenAt, at, method, basis, source } = last
  // As an import stated it, or as it was activated here.
  return { date: (givenAt ?? at).toISOString(), method, basis, source }
}

function toProgress(digest: Digest, counts: DeliveryCounts, now: Date) {
  const { accepted, rejected, uncertain, skipped, expired, ...open } = counts
  const done = accepted + rejected + uncertain + skipped + expired
  const moved = done - skipped
  const left = (digest.audience ?? 0) - done
  const elapsed = digest.startedAt ? (now.getTime() - digest.startedAt.getTime()) / 1_000 : 0
  const hasPace = digest.state === 'sending' && moved > 0 && elapsed > 0
  return {
    id: digest.id,
    state: digest.state,
    reason: digest.reason,
    relayAnswer: digest.relayAnswer,
    retryAt: digest.probeAt?.toISOString() ?? null,
    audience: digest.audience,
    counts,
    ...sentOf(counts),
    /** Nothing more will happen to these. */
    done,
    /** At the pace so far; null before there is one, and when nothing moves. */
    secondsLeft: hasPace && !digest.running ? Math.ceil((left * elapsed) / moved) : null,
    /** Whoever waits when a digest is cancelled is still to be skipped. */
    isFinal: finalStates.includes(digest.state) && Object.values(open).every((n) => n === 0),
  }
}

export type DeliveryLineShape = z.output<typeof deliveryShape>

const toLineShape = (line: DeliveryLine): DeliveryLineShape => show(deliveryShape, line)
