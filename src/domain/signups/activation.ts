import type { Choices } from '../subscribers/subscription.ts'
import { dayMs } from '../time.ts'

export type RequestKind = 'signup' | 'address-change' | 'preferences-link'

/** What became of a request, decided after its answer was given. */
export type Decision =
  | 'mailed'
  | 'already-subscribed'
  /** The same within 7 days: nothing more is said. */
  | 'told-already'
  | 'limited'
  | 'blocked'
  | 'suppressed'
  /** A link was asked for by an address that has nothing to prefer, or all that was chosen has ended. */
  | 'unknown'
  /** The honeypot or the timestamp says so. */
  | 'machine'

export type ActivationMethod = 'cookie-link' | 'button' | 'import'

/** A request of someone who may own the address. Nothing of it holds until its link is used. */
export interface Activation {
  id: string
  kind: RequestKind
  subscriberId: number | null
  /** Null once refused, purged or erased. */
  address: string | null
  limitHmac: Buffer
  language: string
  wanted: Choices
  form: string
  browserSha256: Buffer | null
  isMailable: boolean
  createdAt: Date
  expiresAt: Date
  decision: Decision | null
  activatedAt: Date | null
  refusedAt: Date | null
}

export const activationLifetimeDays = 7
export const activationLifetimeMs = activationLifetimeDays * dayMs
export const blockAfterRefusalMs = 90 * dayMs
export const undoLifetimeDays = 30
export const undoLifetimeMs = undoLifetimeDays * dayMs

/** What a link still does: the same for every device, any number of times. */
export type LinkState = 'open' | 'activated' | 'refused' | 'expired'

export function linkStateOf(
  activation: Pick<Activation, 'activatedAt' | 'refusedAt' | 'expiresAt'>,
  now: Date,
): LinkState {
  if (activation.refusedAt) return 'refused'
  if (activation.activatedAt) return 'activated'
  return activation.expiresAt <= now ? 'expired' : 'open'
}
