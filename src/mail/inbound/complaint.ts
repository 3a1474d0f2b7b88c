import { sealsIn, type Seal } from '../../domain/delivery/mail-reference.ts'
import { readFields } from './delivery-report.ts'
import {
  addressIn,
  allText,
  findPart,
  headerText,
  longestPart,
  readHeaders,
  reportTypes,
  textOf,
  type Mime,
} from './mime.ts'
import { forRecord } from './report-text.ts'

type Complaint =
  | { kind: 'complaint'; seals: Seal[]; proof: string }
  | { kind: 'unsubscribe'; seals: Seal[] }
  /** Of another type. */
  | { kind: 'other' }

/** A comment may follow (RFC 5965, 3.1). */
const complaints = /^(abuse|fraud|virus|other)\s{0,9}(\(|$)/i
const departures = /^opt-out(-list)?\s{0,9}(\(|$)/i

/**
 * What a reader's mail provider reports: a feedback report (RFC 5965), or Microsoft's form before it wrote those.
 * Undefined for any other mail.
 */
export function readComplaint(mail: Mime, seal: Seal): Complaint | undefined {
  const feedback = findPart(mail, ['message/feedback-report'])
  if (!feedback) {
    if (!isOlderComplaint(mail)) return undefined
    return { kind: 'complaint', seals: sealsOfComplaint(mail, seal, []), proof: proofOf(mail.headers) }
  }
  const fields = new Map(readFields(textOf(feedback, longestPart)).reverse())
  const type = fields.get('feedback-type') ?? ''
  const claims = ['original-envelope-id', 'original-mail-from'].map((name) => fields.get(name) ?? '')
  const seals = sealsOfComplaint(mail, seal, claims)
  if (departures.test(type)) return { kind: 'unsubscribe', seals }
  if (complaints.test(type)) return { kind: 'complaint', seals, proof: proofOf(fields) }
  return { kind: 'other' }
}

/** Microsoft's form before it wrote feedback reports: nothing but our mail, returned. */
function isOlderComplaint(mail: Mime): boolean {
  const returned = mail.parts.filter(({ type }) => type === 'message/rfc822')
  const [only] = returned
  if (!only || returned.length > 1 || findPart(mail, reportTypes)) return false
  const isOfStaff = /^staff@hotmail\./i.test(addressIn(headerText(mail.headers.get('from') ?? '')))
  return isOfStaff || readHeaders(textOf(only, longestPart)).has('x-hmxmroriginalrecipient')
}

const sealsOfComplaint = (mail: Mime, seal: Seal, [envelopeId = '', mailFrom = '']: string[]): Seal[] => {
  const returned = `${mailFrom}\n${allText(mail)}`
  const ofText = (['bounce', 'message-id', 'unsubscribe'] as const).flatMap((purpose) =>
    sealsIn(returned, purpose),
  )
  return [seal, ['bounce', envelopeId], ...ofText]
}

const proofOf = (fields: ReadonlyMap<string, string>): string =>
  Array.from(fields, ([name, value]) => `${name}: ${forRecord(value, 1_000)}`)
    .join('\n')
    .slice(0, 4_000)
