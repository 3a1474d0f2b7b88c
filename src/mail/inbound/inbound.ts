import {
  openReference,
  sealOfAddress,
  sealsIn,
  type MailReference,
  type Seal,
} from '../../domain/delivery/mail-reference.ts'
import type { Keyring } from '../../domain/keyring.ts'
import { readComplaint } from './complaint.ts'
import { readDeliveryReport, type RecipientReport } from './delivery-report.ts'
import {
  addressIn,
  allText,
  findPart,
  headerText,
  longestPart,
  mainText,
  readMime,
  reportTypes,
  subjectOf,
  textOf,
  type Mime,
} from './mime.ts'
import { isReturned, isVacation, readPlainReport } from './plain-report.ts'

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
  const seal = sealOfAddress(envelope.to)
  if (seal[0] === 'unsubscribe') return readUnsubscribe(mail, envelope, seal)
  const complaint = readComplaint(mail, seal)
  if (complaint) return complaint.kind === 'other' ? ignored('not_a_failure') : complaint
  return readBounce(mail, envelope, seal)
}

/** Reports and autoresponders answer everything; only a person's mail program, asked to, means it. */
function readUnsubscribe(mail: Mime, envelope: InboundEnvelope, seal: Seal): InboundText {
  const isAutomatic =
    !/^no\b/i.test(mail.headers.get('auto-submitted') ?? 'no') || isVacation(subjectOf(mail), mail.headers)
  // Apple Mail calls itself automatic when a person asks it to unsubscribe.
  const isAsked = mail.headers.get('x-apple-unsubscribe')?.toLowerCase() === 'true'
  const isMeant = !isAutomatic || isAsked || [subjectOf(mail), mainText(mail)].some(isTheWord)
  return {
    kind: 'unsubscribe',
    seals: [seal],
    unless: envelope.from !== '' && isMeant ? undefined : 'automatic',
  }
}

const isTheWord = (text: string): boolean => /^\s{0,20}unsubscribe\s{0,20}$/i.test(text)

function readBounce(mail: Mime, envelope: InboundEnvelope, seal: Seal): InboundText {
  if (findPart(mail, ['message/disposition-notification'])) return ignored('not_a_report')
  const from = headerText(mail.headers.get('from') ?? '')
  const { text, fields } = findFields(mail, mainText(mail))
  if (fields !== undefined) {
    const isReport = isFromNobody(envelope.from) || isFromNobody(addressIn(from))
    return isReport ? bounce(mail, seal, readDeliveryReport(fields, text)) : ignored('not_a_report')
  }
  const plain = { subject: subjectOf(mail), from, headers: mail.headers, text }
  if (!isFromNobody(envelope.from) || !isReturned(plain)) return ignored('not_a_report')
  const report = readPlainReport(plain)
  return bounce(mail, seal, { envelopeId: '', failed: report ? [report] : [] })
}

const bounce = (
  mail: Mime,
  seal: Seal,
  { envelopeId, failed }: ReturnType<typeof readDeliveryReport>,
): InboundText => ({
  kind: 'bounce',
  reports: failed,
  seals: [seal, ['bounce', envelopeId], ...sealsIn(allText(mail), 'message-id')],
  unless: failed.length === 0 ? 'not_a_failure' : undefined,
})

/** A report comes without a sender, or from a daemon: many servers, and a fifth of what they write, forget the former. */
const isFromNobody = (from: string): boolean =>
  from === '' || /^(mailer-?daemon|postmaster|mail-?daemon|double-bounce|null)(@|$)/i.test(from)

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
