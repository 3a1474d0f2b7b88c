import { undoLifetimeMs } from '../../domain/signups/activation.ts'
import type { Newsletter } from '../../domain/newsletter.ts'
import { openUnsubscribe, type SubscriptionRef } from '../../domain/subscribers/subscription-tokens.ts'
import {
  lessOften,
  type LeaveReason,
  type Subscriber,
  type Subscription,
} from '../../domain/subscribers/subscription.ts'
import { noLink } from '../../domain/keyring.ts'
import { isSuppressed } from '../deliverability/suppressions.ts'
import type { Parts } from '../parts.ts'
import { endSubscriptions } from './end-subscriptions.ts'
import { dayMs } from '../../domain/time.ts'

/** What an unsubscribe link's page shows. */
export interface UnsubscribePage {
  ref: SubscriptionRef
  /** Undefined where the person or the newsletter is gone: there is nothing left to leave. */
  subscriber: Subscriber | undefined
  newsletter: Newsletter | undefined
  subscription: Subscription | undefined
  /** A cadence below the present one, where the newsletter has it. */
  lessOften: string | undefined
  mayUndo: boolean
}

export const pauseDays = [7, 30, 90]

/** What ends, rests or thins out a subscription. Everything is committed before it returns, and may be repeated. */
export function createSubscriptionService(parts: Pick<Parts, 'database' | 'keyring' | 'now'>) {
  const { database, keyring, now } = parts
  const { stores } = database

  return {
    /** Changes nothing. @throws DomainError `no_link` for what we did not seal */
    async open(token: string): Promise<UnsubscribePage> {
      const ref = openUnsubscribe(keyring, token)
      if (!ref) throw noLink()
      const subscriber = await stores.subscribers.find(ref.subscriberId)
      const [newsletter] = await stores.newsletters.listByIds([ref.newsletterId])
      const subscription = await stores.subscriptions.find(ref)
      return {
        ref,
        subscriber,
        newsletter,
        subscription,
        lessOften: newsletter && subscription && lessOften(newsletter, subscription.cadence),
        // Whoever was erased has no address that anything could come to again.
        mayUndo: !!subscriber?.address && newsletter?.state !== 'ended' && isUndoable(subscription, now()),
      }
    },

    /** Leaves one newsletter. */
    async leave({ subscriberId, newsletterId }: SubscriptionRef): Promise<void> {
      await database.transaction((tx) =>
        endSubscriptions(tx, { subscriberId, newsletterId, reason: 'unsubscribed' }),
      )
    },

    /** @returns the newsletters left */
    leaveAll: (subscriberId: number): Promise<number[]> =>
      database.transaction((tx) => endSubscriptions(tx, { subscriberId, reason: 'unsubscribed' })),

    /** Back to what it was, within 30 days of leaving. False where there is nothing to undo. */
    async undo(ref: SubscriptionRef): Promise<boolean> {
      return database.transaction(async (tx) => {
        const { subscriberId, newsletterId } = ref
        const subscriber = await tx.subscribers.find(subscriberId)
        if (await isSuppressed(keyring, tx, subscriber?.address)) return false
        if ((await tx.newsletters.get(newsletterId)).state === 'ended') return false
        const since = new Date(now().getTime() - undoLifetimeMs)
        const isRestored = await tx.subscriptions.markRestored({ subscriberId, newsletterId }, since)
        if (isRestored) {
          await tx.consents.insert({
            event: 'restored',
            subscriberId,
            newsletterIds: [newsletterId],
            reason: 'undo',
          })
        }
        return isRestored
      })
    },

    /** One cadence less, where the newsletter has it. False where nothing changed. */
    async thinOut(ref: SubscriptionRef): Promise<boolean> {
      return database.transaction(async (tx) => {
        const [newsletter] = await tx.newsletters.listByIds([ref.newsletterId])
        const subscription = await tx.subscriptions.find(ref)
        const cadence = newsletter && subscription && lessOften(newsletter, subscription.cadence)
        if (!subscription || !cadence) return false
        const isChanged = await tx.subscriptions.updateSetting(ref, { ...subscription, cadence })
        if (!isChanged) return false
        const { subscriberId, newsletterId } = ref
        await tx.consents.insert({
          event: 'changed',
          subscriberId,
          newsletterIds: [newsletterId],
          reason: 'cadence',
        })
        return true
      })
    },

    /** @param days one of those the page offers; anything else is the shortest */
    async pause(ref: SubscriptionRef, days: number): Promise<Date> {
      const until = new Date(now().getTime() + (pauseDays.includes(days) ? days : 7) * dayMs)
      await stores.subscriptions.updatePause(ref.subscriberId, until, ref.newsletterId)
      return until
    },

    async noteReason(ref: SubscriptionRef, reason: LeaveReason): Promise<void> {
      await stores.subscriptions.updateLeaveReason(ref, reason)
    },
  }
}

function isUndoable(subscription: Subscription | undefined, now: Date): boolean {
  if (subscription?.endedReason !== 'unsubscribed' || !subscription.endedAt || !subscription.activatedAt)
    return false
  return now.getTime() - subscription.endedAt.getTime() < undoLifetimeMs
}
