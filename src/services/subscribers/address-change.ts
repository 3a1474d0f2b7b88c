import { liftedBySignup } from '../../domain/deliverability/suppression.ts'
import type { Keyring } from '../../domain/keyring.ts'
import type { Activation, ActivationMethod } from '../../domain/signups/activation.ts'
import { findAddress, hashAddress } from '../../domain/subscribers/address.ts'
import type { Stores } from '../../store/stores.ts'

/** A new address takes the place of the old one, which is told; what barred the new one is over, as after a signup. */
export async function changeAddress(
  tx: Stores,
  request: Activation,
  { method, keyring, now }: { method: ActivationMethod; keyring: Keyring; now: Date },
): Promise<'activated' | 'expired' | 'taken'> {
  const address = findAddress(request.address ?? '')
  const before = request.subscriberId === null ? undefined : await tx.subscribers.find(request.subscriberId)
  if (!address || !before?.address) return 'expired'
  const hashes = hashAddress(keyring, address)
  if (!(await tx.subscribers.updateAddress(before.id, address.text, hashes[0]))) return 'taken'
  await tx.suppressions.delete(hashes, liftedBySignup)
  await tx.activations.markActivated(request.id, method, before.id, now)
  await tx.activations.deleteOpenMoves(before.id)
  await tx.outbox.insert({
    kind: 'address-changed',
    subscriberId: before.id,
    address: before.address,
    language: before.language,
  })
  const subscriptions = await tx.subscriptions.list(before.id)
  const newsletterIds = subscriptions.filter((one) => one.state === 'active').map((one) => one.newsletterId)
  await tx.consents.insert({
    event: 'changed',
    newsletterIds,
    subscriberId: before.id,
    method,
    reason: 'address',
  })
  return 'activated'
}
