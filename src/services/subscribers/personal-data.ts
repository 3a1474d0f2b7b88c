import type { Actor } from '../../domain/editor.ts'
import { findAddress, hashAddress } from '../../domain/subscribers/address.ts'
import type { Subscriber } from '../../domain/subscribers/subscription.ts'
import type { Keyring } from '../../domain/keyring.ts'
import type { Stores } from '../../store/stores.ts'
import { endSubscriptions } from './end-subscriptions.ts'

/** Everything kept about a person, as they are given it. */
export async function personalDataOf(
  stores: Stores,
  keyring: Keyring,
  { id, address, language, createdAt }: Subscriber,
) {
  const { subscriberOverview, suppressions } = stores
  const known = findAddress(address ?? '')
  return {
    email: address,
    language,
    createdAt: createdAt.toISOString(),
    subscriptions: (await stores.subscriptions.list(id)).map(
      ({ subscriberId: _s, newsletterId: _n, ...subscription }) => subscription,
    ),
    consents: (await stores.consents.list(id)).map(({ newsletterId: _n, ...consent }) => consent),
    deliveries: await stores.personalData.listDeliveries(id),
    olderDigests: await stores.personalData.listMovedDigests(id),
    requests: await subscriberOverview.listRequests(address ?? ''),
    mails: await subscriberOverview.listMails(id),
    bounces: await subscriberOverview.listBounces(id),
    responses: await stores.writtenResponses.listOf(address ?? ''),
    suppression: (known && (await suppressions.find(hashAddress(keyring, known)))) ?? null,
  }
}

/** Removes the person; what stays is a number, and an HMAC that keeps imports from bringing them back. */
export async function eraseSubscriber(
  tx: Stores,
  keyring: Keyring,
  { id, address }: Subscriber,
  actor: Actor | 'system',
): Promise<void> {
  const parsed = findAddress(address ?? '')
  await tx.subscribers.lock(id)
  await endSubscriptions(tx, { subscriberId: id, reason: 'erased' })
  await tx.consents.updateErased(id)
  if (parsed) {
    const hashes = hashAddress(keyring, parsed)
    await tx.suppressions.put(hashes, { reason: 'erased' })
    await tx.suppressions.updateErased(hashes)
  }
  await tx.activations.deleteOf(id, address ?? '')
  await tx.writtenResponses.deleteResponder(address ?? '')
  await tx.personalData.delete(id)
  await tx.audit.insert(actor, 'subscriber.erase', `subscriber:${id}`)
}
