import type { EndedReason } from '../../domain/subscribers/subscription.ts'
import type { Stores } from '../../store/stores.ts'

export interface Ending {
  subscriberId: number
  /** Undefined for all of them. */
  newsletterId?: number | undefined
  reason: EndedReason
  /** What the consent record says, where it says more than `reason`. */
  recorded?: string
}

/**
 * The only way a subscription ends: its consent record gets the event in the same transaction.
 * @returns the newsletters; those that had ended before are not among them
 */
export async function endSubscriptions(
  tx: Stores,
  { subscriberId, newsletterId, reason, recorded = reason }: Ending,
): Promise<number[]> {
  const newsletterIds = await tx.subscriptions.markEnded(subscriberId, reason, newsletterId)
  await tx.consents.insert({ event: 'ended', subscriberId, newsletterIds, reason: recorded })
  return newsletterIds
}
