import {
  sealActivation,
  sealFreshPreferences,
  sealPreferences,
  sealUnsubscribe,
  type SubscriptionRef,
} from '../../domain/subscribers/subscription-tokens.ts'
import type { Parts } from '../parts.ts'

export type SubscriptionLinks = ReturnType<typeof createSubscriptionLinks>

/** The addresses that mails to subscribers carry, made again for every mail; nothing of them is stored. */
export function createSubscriptionLinks({ config, keyring, now }: Pick<Parts, 'config' | 'keyring' | 'now'>) {
  const { publicUrl } = config
  return {
    activationUrl: (requestId: string) => `${publicUrl}/activate/${sealActivation(keyring, requestId)}`,

    /** "I did not ask for this": the same token, and a page that never activates. */
    refuseUrl: (requestId: string) => `${publicUrl}/activate/${sealActivation(keyring, requestId)}?refuse=1`,

    /** Confirms a response; with `?refuse=1` it never does. */
    responseUrl: (id: number) => `${publicUrl}/respond/${keyring.seal('response', String(id))}`,

    unsubscribeUrl: (ref: SubscriptionRef) => `${publicUrl}/unsubscribe/${sealUnsubscribe(keyring, ref)}`,

    /** For digests, which people forward: the page shows the address masked. */
    preferencesUrl: (subscriberId: number) =>
      `${publicUrl}/preferences/${sealPreferences(keyring, subscriberId)}`,

    /** For the mail that someone asked for: opens download, change of address and erasure for 24 hours. */
    freshPreferencesUrl: (subscriberId: number) =>
      `${publicUrl}/preferences/${sealFreshPreferences(keyring, subscriberId, now())}`,
  }
}
