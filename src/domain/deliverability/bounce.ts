import { meaningsOf, type Meaning } from './bounce-words.ts'
import type { Refused } from '../delivery/delivery.ts'
import type { Diagnosis } from '../delivery/diagnosis.ts'
import { findRelayRefusal } from '../delivery/relay-refusal.ts'

/** Why mail came back. What each does to a person and to sending is in docs/operations-mail.md. */
export type BounceClass =
  'dead' | 'doubtful' | 'full' | 'transient' | 'policy' | 'content' | 'sender' | 'complaint'

/** Complaints per accepted mail. Google and Yahoo ask to stay below it. */
export const complaintLimit = 0.001

const dead = new Set(['5.1.1', '5.1.3', '5.1.6', '5.1.10', '5.7.17', '5.7.18'])
const doubtful = new Set(['5.1.0', '5.1.2', '5.1.4', '5.2.0', '5.2.1', '5.4.4', '5.7.13'])
const content = /^5\.(2\.3|3\.4|6\.\d+)$/
const sender = new Set(['5.1.7', '5.1.8'])
const temporaryAfterAll = new Set(['5.2.121', '5.2.122', '5.4.7'])

/**
 * The stage is judged before the code: until a recipient was named, a refusal is about us. Then a code with a meaning
 * of its own beats the words, but for one that accuses the person where the words accuse us or tell of a hindrance.
 */
export function classifyBounce(diagnosis: Diagnosis, source: 'smtp' | 'dsn' = 'smtp'): BounceClass {
  const { stage, code, status = '' } = diagnosis
  // What a report tells of was said to another server: our own relay took the mail.
  if (source === 'smtp' && stage !== 'report' && findRelayRefusal(diagnosis)) return 'sender'
  if (stage === 'connect') return (code ?? 0) >= 500 ? 'policy' : 'transient'
  const said = meaningsOf(diagnosis.text)
  if (stage === 'mail') {
    if ((code ?? 0) < 500) return 'transient'
    return status.startsWith('5.7.') || isSuspected(said) ? 'policy' : 'sender'
  }
  if (isGreylisting(diagnosis)) return 'transient'
  // A reply that asks to come again speaks of nobody for good, whatever status stands beside it.
  const isTemporary = status.startsWith('4.') || (code ?? (status === '' ? 400 : 500)) < 500
  if (!isTemporary) return classifyPermanent({ ...diagnosis, status }, said)
  if (/^[45]\.(2\.2|3\.1)$/.test(status)) return 'full'
  if (/^[45]\.7\./.test(status) || isSuspected(said)) return 'policy'
  return said.has('full') ? 'full' : 'transient'
}

const isSuspected = (said: Set<Meaning>): boolean =>
  said.has('reputation') || said.has('authentication') || said.has('suspicion')

type Permanent = Diagnosis & { status: string }

function classifyPermanent(diagnosis: Permanent, said: Set<Meaning>): BounceClass {
  const { status } = diagnosis
  if (content.test(status) && !(status === '5.2.3' && said.has('full'))) return 'content'
  if (sender.has(status)) return 'sender'
  if (status === '5.7.13') return 'doubtful'
  const isSecurity = status.startsWith('5.7.') && !dead.has(status)
  if (isSecurity && status !== '5.7.0' && status !== '5.7.1') return 'policy'
  return (
    classifyHindrance(status, said) ??
    classifyAddress(diagnosis, said) ??
    (isSecurity ? 'policy' : status.startsWith('5.5.') ? 'sender' : classifyByWords(diagnosis, said))
  )
}

/** What speaks of nobody who lives at the address, or of nobody's fault, whatever the code. */
function classifyHindrance(status: string, said: Set<Meaning>): BounceClass | undefined {
  if (said.has('receiving too much') || said.has('loop') || temporaryAfterAll.has(status)) return 'transient'
  if (said.has('reputation') || said.has('rate') || said.has('authentication')) return 'policy'
  if (said.has('relay')) return 'policy'
  if (said.has('our address')) return status.startsWith('5.7.') ? 'policy' : 'sender'
  if (status === '5.2.2' || said.has('full')) return 'full'
  if (said.has('expired')) return 'transient'
  if (said.has('too large')) return 'content'
  if (said.has('no domain') && !said.has('later')) return status === '5.1.10' ? 'dead' : 'doubtful'
  return said.has('no domain') || said.has('lookup failed') ? 'transient' : undefined
}

/** What speaks of the person, by its code or, where that is one of those that servers use for anything, by its words. */
function classifyAddress({ stage, status }: Permanent, said: Set<Meaning>): BounceClass | undefined {
  if (dead.has(status)) return 'dead'
  const isNamed = said.has('nobody') || said.has('closed')
  if (doubtful.has(status)) return isSuspected(said) && !isNamed ? 'policy' : 'doubtful'
  // Microsoft 365 refuses so whoever is in no directory of its customer's.
  if (status === '5.4.1' && said.has('this person') && said.has('denial')) return 'dead'
  if (status === '5.7.0' || /^5\.5\.[1-9]/.test(status)) return undefined
  // Once the message was seen, a filter may have refused it, whatever it calls the person.
  if (stage === 'data' && said.has('denial')) return undefined
  return said.has('nobody') ? 'dead' : said.has('closed') ? 'doubtful' : undefined
}

/** A permanent refusal whose status says nothing of its own, in words that name neither a person nor our fault. */
function classifyByWords({ stage, code, status, text }: Permanent, said: Set<Meaning>): BounceClass {
  if (said.has('suspicion')) return 'policy'
  if (stage === 'data') return code === 552 ? 'full' : 'policy'
  if (code !== undefined && code >= 500 && code <= 504) return 'sender'
  if (code === 554 || said.has('denial')) return 'policy'
  if (said.has('later') || /^5\.[34]\./.test(status)) return 'transient'
  // A failure for good that nobody explains is the address's, if it goes on; a number is that of a program that failed.
  const isUnexplained = code === undefined && said.size === 0 && !/^\d+$/.test(text)
  return stage === 'rcpt' || said.has('this person') || status.startsWith('5.1.') || isUnexplained
    ? 'doubtful'
    : 'policy'
}

const greylisted = /gr[ae]y[- ]?list/i
const putOff =
  /(try|come|call|retry)( it| your message)?( again| back)?( later| in \d| after \d)|(try|come|call) (again|back)|(essayer|réessayer) plus tard/i
/** What a server that puts off everyone for a moment would not say. */
const ofOurs =
  /complain|volume|authent|denied|suspicious|reverse|hostname|\bptr\b|too many|throttl|server busy/i

/**
 * A server that lets nobody it does not know in at once: it asks to come back in minutes, and then takes the mail.
 * Many say so with a status of policy, in a text without the word.
 */
export function isGreylisting({ code, status = '', text }: Diagnosis): boolean {
  if ((code ?? (status.startsWith('5.') ? 500 : 400)) >= 500) return false
  if (greylisted.test(text)) return true
  return (
    /^[45]\.7\.(0|1|5\d\d)$/.test(status) &&
    putOff.test(text) &&
    !ofOurs.test(text) &&
    !isSuspected(meaningsOf(text))
  )
}

/** The diagnosis of a refusal that the transport saw. */
export const diagnosisOf = ({ stage, code, status, answer: text }: Refused): Diagnosis => ({
  stage,
  code,
  status,
  text,
})
