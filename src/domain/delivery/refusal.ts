import { classifyBounce, diagnosisOf } from '../deliverability/bounce.ts'
import type { Refused, SmtpStage } from './delivery.ts'
import { findRelayRefusal } from './relay-refusal.ts'

/**
 * Whom a refusal speaks of:
 * - `person`: this recipient, for good
 * - `moment`: come back later
 * - `server`: nothing goes through now, whoever it is for
 * - `relay`: us, by its words or because nobody had been named: a quota, a sign-in, a sender that may not send
 * - `sender`: perhaps this message, perhaps everything we send: one is believed, five in a row are not
 */
export type Blame = 'person' | 'moment' | 'server' | 'relay' | 'sender'

/** The stage is judged before the code: a 550 at RCPT speaks of a person, a 550 at MAIL never does. */
export function blameOf(refusal: Refused): Blame {
  const { code, stage } = refusal
  // Our own transport refuses an address that this server cannot take.
  if (stage === 'rcpt' && code === undefined && refusal.status !== undefined) return 'person'
  if (
    code !== undefined &&
    ((stage === 'connect' && code >= 500) || findRelayRefusal(diagnosisOf(refusal)))
  ) {
    return 'relay'
  }
  if (stage === 'rcpt' && code !== undefined && code >= 500) return blameOfClass(refusal)
  if (code !== undefined && code >= 500) return 'sender'
  if (code === undefined || code === 421 || stage === 'connect' || stage === 'mail') return 'server'
  return 'moment'
}

/**
 * Whether a refusal is for good. A 5xx at MAIL, or one by a policy, is tried again later; so is a 5xx at RCPT that does not
 * name the mailbox as its cause, the first time.
 */
export function isFinal(
  blame: Blame,
  { stage, isPolicy, isAgain }: { stage: SmtpStage | undefined; isPolicy: boolean; isAgain: boolean },
): boolean {
  if (blame !== 'sender') return blame === 'person'
  return !isPolicy && (stage === 'data' || (stage === 'rcpt' && isAgain))
}

function blameOfClass(refusal: Refused): Blame {
  const bounceClass = classifyBounce(diagnosisOf(refusal))
  if (bounceClass === 'policy') return 'moment'
  return bounceClass === 'sender' || bounceClass === 'content' ? 'sender' : 'person'
}
