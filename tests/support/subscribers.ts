import { findAddress, hashAddress } from '../../src/domain/subscribers/address.ts'
import type { Cadence, Newsletter } from '../../src/domain/newsletter.ts'
import type { EndedReason, Subscriber } from '../../src/domain/subscribers/subscription.ts'
import { createKeyring } from '../../src/domain/keyring.ts'
import type { Database } from '../../src/store/database.ts'
import { testSecret } from './config.ts'

/** The keys of every test that does not rotate them. */
export const testKeyring = createKeyring([testSecret])

let made = 0

interface SubscriberChange {
  address?: string
  language?: string
  newsletter?: Newsletter
  state?: 'pending' | 'active'
  cadence?: Cadence
  alerts?: boolean
  /** Slugs. */
  sections?: string[]
  pausedUntil?: Date
  ended?: EndedReason
}

/** A subscriber in the store, French; with `newsletter`, actively subscribed to its daily digest. */
export async function aSubscriber(
  database: Database,
  change: SubscriberChange = {},
): Promise<Subscriber & { address: string }> {
  made += 1
  const address = change.address ?? `reader-${made}@reader.example`
  const [hash] = hashAddress(testKeyring, findAddress(address) ?? { text: address })
  const subscriber = await database.stores.subscribers.put({
    address,
    hash,
    language: change.language ?? 'fr',
  })
  if (change.newsletter)
    await subscribe(database, subscriber.id, { ...change, newsletter: change.newsletter })
  return { ...subscriber, address }
}

/** Subscribes someone to one more newsletter. */
export async function subscribe(
  { stores }: Pick<Database, 'stores'>,
  subscriberId: number,
  change: SubscriberChange & { newsletter: Newsletter },
): Promise<void> {
  const key = { subscriberId, newsletterId: change.newsletter.id }
  const setting = {
    cadence: change.cadence ?? 'daily',
    alerts: change.alerts ?? false,
    sections: change.sections ?? [],
  }
  if (change.state === 'pending') {
    const pending = { state: 'pending' as const, endedReason: null, pausedUntil: null }
    await stores.subscriptions.insertNew([{ ...key, ...setting, ...pending }])
  } else await stores.subscriptions.activate(key, setting, new Date())
  if (change.pausedUntil) await stores.subscriptions.updatePause(subscriberId, change.pausedUntil)
  if (change.ended) await stores.subscriptions.markEnded(subscriberId, change.ended, key.newsletterId)
}
