import type { SendOutcome, SmtpStage } from './delivery.ts'
import { findRelayRefusal } from './relay-refusal.ts'

/** Why mail came back. What each does to a person and to sending is in docs/operations.md. */
export type BounceClass =
  'dead' | 'doubtful' | 'full' | 'transient' | 'policy' | 'content' | 'sender' | 'complaint'

/** Complaints per accepted mail. Google and Yahoo ask to stay below it. */
export const complaintLimit = 0.001

/** What a server or a report said. A report speaks of a message that was taken first and came back later. */
export interface Diagnosis {
  stage: SmtpStage | 'report'
  code?: number | undefined
  /** RFC 3463. */
  status?: string | undefined
  text: string
}

const dead = new Set(['5.1.1', '5.1.3', '5.1.6', '5.1.10', '5.7.17', '5.7.18'])
const doubtful = new Set(['5.1.0', '5.1.2', '5.1.4', '5.2.0', '5.2.1', '5.4.4', '5.7.13'])
const content = new Set(['5.2.3', '5.3.4'])
const sender = new Set(['5.1.7', '5.1.8'])

const unknownPerson =
  /user unknown|does( not|n.t) have an? \S+ account|unknown (user|recipient|mailbox|address)|no such (user|recipient|mailbox|person|address)|(user|mailbox|recipient|account|address)[^.]{0,40}(not found|does ?n.t exist|does not exist|unknown|unavailable|disabled)|invalid (recipient|mailbox)/i
const reputation =
  /spam|block(ed|list)|black ?list|deny ?list|reputation|dmarc|\bspf\b|\bdkim\b|policy|rbl|spamhaus|unsolicited|rate limit/i
const greylisted = /gr[ae]y[- ]?list/i
const putOff =
  /(try|come|call|retry)( it| your message)?( again| back)?( later| in \d| after \d)|(try|come|call) (again|back)|(essayer|réessayer) plus tard/i
/** What a server that puts off everyone for a moment would not say. */
const ofOurs =
  /complain|volume|authent|denied|suspicious|reverse|hostname|\bptr\b|too many|throttl|server busy/i
const fullMailbox = /(mailbox|quota|storage|inbox)[^.]{0,40}(full|exceeded|over)|over ?quota|full mailbox/i
const tooLarge = /too (large|big)|message size|size limit|exceeds[^.]{0,30}size/i

/**
 * The stage is judged before the code: until a recipient was named, a refusal is about us. An enhanced status is
 * believed before the plain code, and the text only where neither says enough.
 */
export function classifyBounce(diagnosis: Diagnosis): BounceClass {
  const { stage, code, status = '', text } = diagnosis
  if (findRelayRefusal(diagnosis)) return 'sender'
  if (stage === 'connect') return (code ?? 0) >= 500 ? 'policy' : 'transient'
  if (stage === 'mail')
    return (code ?? 0) >= 500 ? (isPolicy(status, text) ? 'policy' : 'sender') : 'transient'
  if (dead.has(status)) return 'dead'
  if (doubtful.has(status)) return reputation.test(text) && status !== '5.7.13' ? 'policy' : 'doubtful'
  if (/^[45]\.2\.2$/.test(status) || status === '4.3.1') return 'full'
  if (content.has(status) || status.startsWith('5.6.')) return 'content'
  if (sender.has(status) || status.startsWith('5.5.')) return 'sender'
  if (isGreylisting(diagnosis)) return 'transient'
  if (/^[45]\.7\./.test(status)) return 'policy'
  if (status.startsWith('4.') || (code !== undefined && code < 500)) {
    return reputation.test(text) ? 'policy' : fullMailbox.test(text) ? 'full' : 'transient'
  }
  if (status === '' && code === undefined) return 'transient'
  return classifyByText({ stage, code, status, text })
}

/**
 * A server that lets nobody it does not know in at once: it asks to come back in minutes, and then takes the mail.
 * Many say so with a status of policy, in a text without the word.
 */
export function isGreylisting({ code, status = '', text }: Diagnosis): boolean {
  if ((code ?? 400) >= 500 || status.startsWith('5.')) return false
  if (greylisted.test(text)) return true
  return (
    /^4\.7\.(0|1|5\d\d)$/.test(status) && putOff.test(text) && !reputation.test(text) && !ofOurs.test(text)
  )
}

const isPolicy = (status: string, text: string): boolean => status.startsWith('5.7.') || reputation.test(text)

/** A permanent refusal whose status says nothing of its own. */
function classifyByText({ stage, code, text }: Diagnosis): BounceClass {
  if (reputation.test(text)) return 'policy'
  if (fullMailbox.test(text)) return 'full'
  if (tooLarge.test(text)) return 'content'
  if (stage === 'data') return code === 552 ? 'full' : 'policy'
  if (code === 554) return unknownPerson.test(text) ? 'dead' : 'policy'
  if (unknownPerson.test(text)) return 'dead'
  return 'doubtful'
}

/** The diagnosis of a refusal that the transport saw. */
export const diagnosisOf = (refusal: Extract<SendOutcome, { kind: 'refused' }>): Diagnosis => ({
  stage: refusal.stage,
  code: refusal.code,
  status: refusal.status,
  text: refusal.answer,
})

/** Half points: a mailbox that is full ten days, or unreachable ten times, has been left. */
const pointsOf: Record<BounceClass, number> = {
  dead: 5,
  doubtful: 1,
  full: 0.5,
  transient: 0.5,
  policy: 0,
  content: 0,
  sender: 0,
  complaint: 0,
}
const suppressionScore = 5
const dayMs = 24 * 3600 * 1000
const windowDays = 60

export interface ScoredBounce {
  at: Date
  class: BounceClass
  points: number
}

export interface Score {
  /** Of this bounce alone; 0 where the day has its point already. */
  points: number
  score: number
  isSuppressed: boolean
}

/**
 * What one more bounce means for a person.
 * @param past of the last 60 days
 * @param cleanAt when they last took a mail in a week without a bounce: nothing before counts any more
 */
export function scoreBounce(
  next: { class: BounceClass; at: Date },
  past: ScoredBounce[],
  cleanAt?: Date,
): Score {
  const counted = past.filter(
    (each) =>
      each.points > 0 &&
      next.at.getTime() - each.at.getTime() < windowDays * dayMs &&
      (cleanAt === undefined || each.at > cleanAt),
  )
  const isCountedToday = counted.some((each) => dayOf(each.at) === dayOf(next.at))
  const isFinal = next.class === 'dead' || next.class === 'complaint'
  const points = isCountedToday && !isFinal ? 0 : pointsOf[next.class]
  const score = counted.reduce((sum, each) => sum + each.points, points)
  const isDoubtfulAgain =
    next.class === 'doubtful' &&
    counted.some((each) => each.class === 'doubtful' && dayOf(each.at) !== dayOf(next.at))
  return { points, score, isSuppressed: isFinal || isDoubtfulAgain || score >= suppressionScore }
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10)
