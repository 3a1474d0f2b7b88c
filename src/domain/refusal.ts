import type { SendOutcome } from './delivery.ts'

/**
 * Whom a refusal speaks of:
 * - `person`: this recipient, for good
 * - `moment`: come back later
 * - `server`: nothing goes through now, whoever it is for
 * - `sender`: perhaps this message, perhaps everything we send: one is believed, five in a row are not
 */
export type Blame = 'person' | 'moment' | 'server' | 'sender'

type Refusal = Extract<SendOutcome, { kind: 'refused' }>

/** Enhanced codes X.7.x are policy, except those that say "no such person" (RFC 7505, RFC 7372 family). */
const isPolicy = (refusal: Refusal): boolean =>
  /^[45]\.7\./.test(refusal.status ?? '') && !['5.7.17', '5.7.18'].includes(refusal.status ?? '')

/** The stage is judged before the code: a 550 at RCPT speaks of a person, a 550 at MAIL never does. */
export function blameOf(refusal: Refusal): Blame {
  const { code, stage } = refusal
  if (stage === 'rcpt' && (code === undefined ? refusal.status !== undefined : code >= 500)) {
    return isPolicy(refusal) ? 'moment' : 'person'
  }
  if (code !== undefined && code >= 500) return 'sender'
  if (code === undefined || code === 421 || stage === 'connect' || stage === 'mail') return 'server'
  return 'moment'
}
