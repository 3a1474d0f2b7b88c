import {
  openReference,
  type MailReference,
  type ReferencePurpose,
} from '../../domain/delivery/mail-reference.ts'
import type { Keyring } from '../../domain/keyring.ts'
import { readDeliveryReport, readFields, type RecipientReport } from './delivery-report.ts'
import { headerText, readHeaders, readMime, textOf, type Mime, type MimePart } from './mime.ts'
import { isReturned, isVacation, readPlainReport } from './plain-report.ts'
import { forRecord } from './report-text.ts'

export type { RecipientReport } from './delivery-report.ts'

/** What a mail says that came back. */
type Returned =
  | { kind: 'bounce'; reports: RecipientReport[] }
  | { kind: 'complaint'; proof: string }
  | { kind: 'unsubscribe' }

/** What came back, under a seal of ours; everything else is `ignored`, with the reason for the log. */
export type InboundMail = (Returned & { reference: MailReference }) | Ignored

interface Ignored {
  kind: 'ignored'
  why: 'unreadable' | 'unsealed' | 'automatic' | 'not_a_report' | 'not_a_failure'
}

export interface InboundEnvelope {
  /** Empty for reports. */
  from: string
  to: string
}

/** What a mail says, before it is known whether it is about one of ours. */
export type InboundText = (Returned & Sealed) | Ignored

interface Sealed {
  /** What may be a seal of ours, the surest first. */
  seals: Seal[]
  /** What it is ignored for where a seal of ours is on it after all. */
  unless?: Ignored['why'] | undefined
}

type Seal = [purpose: ReferencePurpose, sealed: string]

const ignored = (why: Ignored['why']): Ignored => ({ kind: 'ignored', why })

/** Reads one mail to our return paths. Never throws: the sender of a malformed mail has nothing to learn from us. */
export async function readInbound(
  raw: Buffer,
  envelope: InboundEnvelope,
  keyring: Keyring,
  read: (raw: Buffer, envelope: InboundEnvelope) => InboundText | Promise<InboundText> = readInboundText,
): Promise<InboundMail> {
  const text = await read(raw, envelope)
  if (text.kind === 'ignored') return text
  const { seals, unless, ...returned } = text
  for (const [purpose, sealed] of seals) {
    const reference = openReference(keyring, purpose, sealed)
    if (reference) return unless ? ignored(unless) : { ...returned, reference }
  }
  return ignored('unsealed')
}

/** The part of reading that needs no key, and all that a hostile mail can make slow. */
export function readInboundText(raw: Buffer, envelope: InboundEnvelope): InboundText {
  try {
    return readMail(readMime(raw), envelope)
  } catch {
    return ignored('unreadable')
  }
}

function readMail(mail: Mime, envelope: InboundEnvelope): InboundText {
  const [, box = 'b', sealed = ''] = /^([bu])\+([a-z2-7.]{1,64})@/i.exec(envelope.to) ?? []
  if (box.toLowerCase() === 'u') return readUnsubscribe(mail, envelope, sealed)
  const feedback = findPart(mail, ['message/feedback-report'])
  if (feedback) return readComplaint(mail, feedback, sealed)
  if (isOlderComplaint(mail)) {
    return { kind: 'complaint', seals: sealsOfComplaint(mail, sealed, []), proof: proofOf(mail.headers) }
  }
  return readBounce(mail, envelope, sealed)
}

/** Reports and autoresponders answer everything; only a person's mail program, asked to, means it. */
function readUnsubscribe(mail: Mime, envelope: InboundEnvelope, sealed: string): InboundText {
  const isAutomatic =
    !/^no\b/i.test(mail.headers.get('auto-submitted') ?? 'no') || isVacation(subjectOf(mail), mail.headers)
  // Apple Mail calls itself automatic when a person asks it to unsubscribe.
  const isAsked = mail.headers.get('x-apple-unsubscribe')?.toLowerCase() === 'true'
  const isMeant = !isAutomatic || isAsked || [subjectOf(mail), mainText(mail)].some(isTheWord)
  return {
    kind: 'unsubscribe',
    seals: [['unsubscribe', sealed]],
    unless: envelope.from !== '' && isMeant ? undefined : 'automatic',
  }
}

const isTheWord = (text: string): boolean => /^\s{0,20}unsubscribe\s{0,20}$/i.test(text)

function readBounce(mail: Mime, envelope: InboundEnvelope, sealed: string): InboundText {
  if (findPart(mail, ['message/disposition-notification'])) return ignored('not_a_report')
  const from = headerText(mail.headers.get('from') ?? '')
  const { text, fields } = findFields(mail, mainText(mail))
  if (fields !== undefined) {
    const isReport = isFromNobody(envelope.from) || isFromNobody(addressIn(from))
    return isReport ? bounce(mail, sealed, readDeliveryReport(fields, text)) : ignored('not_a_report')
  }
  const plain = { subject: subjectOf(mail), from, headers: mail.headers, text }
  if (!isFromNobody(envelope.from) || !isReturned(plain)) return ignored('not_a_report')
  const report = readPlainReport(plain)
  return bounce(mail, sealed, { envelopeId: '', failed: report ? [report] : [] })
}

const bounce = (
  mail: Mime,
  sealed: string,
  { envelopeId, failed }: ReturnType<typeof readDeliveryReport>,
): InboundText => ({
  kind: 'bounce',
  reports: failed,
  seals: [
    ['bounce', sealed],
    ['bounce', envelopeId],
    ...sealsIn(returnedText(mail), 'message-id', messageIds),
  ],
  unless: failed.length === 0 ? 'not_a_failure' : undefined,
})

/** A report comes without a sender, or from a daemon: many servers, and a fifth of what they write, forget the former. */
const isFromNobody = (from: string): boolean =>
  from === '' || /^(mailer-?daemon|postmaster|mail-?daemon|double-bounce|null)(@|$)/i.test(from)

const addressIn = (from: string): string =>
  from
    .slice(from.lastIndexOf('<') + 1)
    .replace(/>.*/s, '')
    .trim()

const reportTypes = ['message/delivery-status', 'message/global-delivery-status']
const inlineFields = /^[ \t]{0,9}(?:reporting-mta|final-recipient|original-recipient)[ \t]{0,9}:/im

/** The fields of a delivery report: a part of their own, or, of gateways that flattened the mail, at the text's end. */
function findFields(mail: Mime, text: string): { text: string; fields?: string } {
  const reports = mail.parts.filter(({ type }) => reportTypes.includes(type))
  const all = reports.map((part) => textOf(part, longestPart))
  // Some say in such a part what they say to people.
  const [fields] = [...all.filter((each) => inlineFields.test(each)), ...all]
  if (fields !== undefined) return { text, fields }
  const from = inlineFields.exec(text)
  if (!from || !/^[ \t]{0,9}action[ \t]{0,9}:/im.test(text)) return { text }
  return { text: text.slice(0, from.index), fields: text.slice(from.index) }
}

/** A comment may follow (RFC 5965, 3.1). */
const complaints = /^(abuse|fraud|virus|other)\s{0,9}(\(|$)/i
const departures = /^opt-out(-list)?\s{0,9}(\(|$)/i

function readComplaint(mail: Mime, feedback: MimePart, sealed: string): InboundText {
  const fields = new Map(readFields(textOf(feedback, longestPart)).reverse())
  const type = fields.get('feedback-type') ?? ''
  const claims = ['original-envelope-id', 'original-mail-from'].map((name) => fields.get(name) ?? '')
  const seals = sealsOfComplaint(mail, sealed, claims)
  if (departures.test(type)) return { kind: 'unsubscribe', seals }
  if (complaints.test(type)) return { kind: 'complaint', seals, proof: proofOf(fields) }
  return ignored('not_a_failure')
}

/** Microsoft's form before it wrote feedback reports: nothing but our mail, returned. */
function isOlderComplaint(mail: Mime): boolean {
  const returned = mail.parts.filter(({ type }) => type === 'message/rfc822')
  const [only] = returned
  if (!only || returned.length > 1 || findPart(mail, reportTypes)) return false
  const isOfStaff = /^staff@hotmail\./i.test(addressIn(headerText(mail.headers.get('from') ?? '')))
  return isOfStaff || readHeaders(textOf(only, longestPart)).has('x-hmxmroriginalrecipient')
}

const sealsOfComplaint = (mail: Mime, sealed: string, [envelopeId = '', mailFrom = '']: string[]): Seal[] => {
  const returned = `${mailFrom}\n${returnedText(mail)}`
  return [
    ['bounce', sealed],
    ['bounce', envelopeId],
    ...sealsIn(returned, 'bounce', /\bb\+([a-z2-7]{1,50}\.[a-z2-7]{13})@/gi),
    ...sealsIn(returned, 'message-id', messageIds),
    ...sealsIn(returned, 'unsubscribe', /\bu\+([a-z2-7]{1,50}\.[a-z2-7]{13})@/gi),
  ]
}

const proofOf = (fields: ReadonlyMap<string, string>): string =>
  Array.from(fields, ([name, value]) => `${name}: ${forRecord(value, 1_000)}`)
    .join('\n')
    .slice(0, 4_000)

const messageIds = /^message-id:\s{0,9}<?([a-z2-7]{1,50}\.[a-z2-7]{13})@/gim
const mostSeals = 20

const sealsIn = (text: string, purpose: ReferencePurpose, form: RegExp): Seal[] =>
  Array.from(text.matchAll(form).take(mostSeals), ([, sealed = '']): Seal => [purpose, sealed])

const findPart = (mail: Mime, types: string[]): MimePart | undefined =>
  mail.parts.find((part) => types.includes(part.type))

const subjectOf = (mail: Mime): string => headerText(mail.headers.get('subject') ?? '')

const longestPart = 64_000
const longestText = 16_000

/** What a mail says to people: its first text that says anything. */
function mainText(mail: Mime): string {
  for (const part of mail.parts) {
    const text = part.type.startsWith('text/') ? textOf(part, longestText) : ''
    if (text.trim() !== '') return text
  }
  return ''
}

/** What a mail returns of ours, unfolded: parts of their own, and the end of the text in a report without parts. */
const returnedText = (mail: Mime): string =>
  mail.parts
    .map((part) => textOf(part, longestPart))
    .join('\n')
    .slice(0, 4 * longestPart)
    .replace(/\n[ \t]+/g, ' ')
