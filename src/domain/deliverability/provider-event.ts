import type { Diagnosis } from '../delivery/diagnosis.ts'

/** The hosted relays whose events are read; `generic` is a small form of our own, for all others. */
export const providerNames = ['ses', 'mailgun', 'sendgrid', 'postmark', 'brevo', 'generic'] as const
export type ProviderName = (typeof providerNames)[number]

/**
 * What proves that an event is the provider's, beside the token in the address:
 * - `key`: a signature, checked by a key that an admin enters
 * - `certificate`: a signature, checked by a certificate of Amazon's, and the first topic that was confirmed
 * - `token`: nothing else
 */
export const proofOf = {
  ses: 'certificate',
  mailgun: 'key',
  sendgrid: 'key',
  postmark: 'token',
  brevo: 'token',
  generic: 'token',
} as const satisfies Record<ProviderName, 'key' | 'certificate' | 'token'>

/** A `delay` and `progress` (taken, delivered, opened, clicked) change nothing, like what we do not know (`other`). */
export const eventKinds = ['bounce', 'complaint', 'unsubscribe', 'delay', 'progress', 'other'] as const
export type EventKind = (typeof eventKinds)[number]

/** What one of a provider's events says, before it is known whether it is about a mail of ours. */
export interface ProviderEvent {
  /** The provider's own name for it, or one made of what it says. */
  id: string
  kind: EventKind
  recipient: string
  /** What may be our seal of a Message-ID, the surest first. */
  seals: string[]
  /** The relay's name for the message, from its answer to us. */
  relayId?: string | undefined
  diagnosis?: Diagnosis | undefined
}
