import { mayDo, type Digest } from '../../domain/digests/digest.ts'
import type { Newsletter } from '../../domain/newsletter.ts'
import {
  daysOf,
  firstPortion,
  isOffered,
  nextPortionAt,
  type SpreadDay,
} from '../../domain/digests/spread.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'

/** A digest that goes out over days, or may. */
export interface Spread {
  /** Of the sender, and what servers took from it lately. */
  domain: string
  sentLately: number
  isOffered: boolean
  isRunning: boolean
  chosen: boolean | null
  /** Whose day has not come. */
  waiting: number
  /** Why the last day was for no more than the one before. */
  held: string | null
  /** The days to come; before it is sent, all of them, as if it went at its time or now. */
  days: SpreadDay[]
}

interface Reach {
  digest: Digest
  newsletter: Newsletter
  readers: number
}

const readOffer = async ({ mail }: Pick<Parts, 'mail'>, { spreads }: Stores, reach: Reach) => {
  const domain = mail.senderDomain(reach.newsletter)
  const sentLately = await spreads.countSentLately(domain, mail.senderDomain())
  return { domain, sentLately, isOffered: isOffered(reach.digest, { ...reach, sentLately }) }
}

/** @returns null where it has nothing to do with it, or no longer */
export async function readSpread(
  parts: Pick<Parts, 'mail' | 'now'>,
  stores: Stores,
  reach: Reach,
): Promise<Spread | null> {
  const { spread, running, audience, sendAt } = reach.digest
  if (!mayDo(reach.digest, 'spread') || (audience !== null && !running)) return null
  // Most digests are for few: nothing is counted for them.
  if (!running && !spread && !isOffered(reach.digest, { ...reach, sentLately: 0 })) return null
  const offer = await readOffer(parts, stores, reach)
  if (!running && !spread && !offer.isOffered) return null
  const startAt = new Date(Math.max(parts.now().getTime(), sendAt?.getTime() ?? 0))
  return {
    ...offer,
    isOffered: offer.isOffered && !running,
    isRunning: running !== null,
    chosen: spread,
    waiting: running?.waiting ?? 0,
    held: running?.held ?? null,
    days: running
      ? daysOf(running.waiting, running.portion * 2, running.nextAt)
      : daysOf(reach.readers, firstPortion, startAt),
  }
}

/**
 * Keeps all but the newest readers of a digest that was just prepared for later days, where an editor wanted that;
 * where nobody was there to be asked, because it went by the clock, where it would have been offered.
 */
export async function beginSpread(
  parts: Pick<Parts, 'mail'>,
  stores: Stores,
  reach: Reach & { now: Date },
): Promise<void> {
  const { digest, now, readers } = reach
  const isByClock = digest.sendAt !== null && digest.startedAt !== null && digest.startedAt >= digest.sendAt
  const isWanted = digest.spread ?? (isByClock && (await readOffer(parts, stores, reach)).isOffered)
  if (!isWanted || readers <= firstPortion) return
  const nextAt = nextPortionAt(now, now)
  const portion = await stores.spreads.planDays(digest.id, { from: 'pending', size: firstPortion, nextAt })
  const begun = { plannedAt: undefined, nextAt, portion: firstPortion, held: undefined }
  await stores.spreads.update(digest.id, { ...begun, ...portion })
}
