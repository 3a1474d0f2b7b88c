import { simpleParser, type Attachment, type ParsedMail } from 'mailparser'
import type { Diagnosis } from '../domain/bounce.ts'
import type { SmtpStage } from '../domain/delivery.ts'
import { openReference, type MailReference, type ReferencePurpose } from '../domain/mail-reference.ts'
import type { Keyring } from '../domain/token.ts'

/** One recipient that a delivery report speaks of. */
export interface RecipientReport {
  /** Original and final recipient, in lower case; empty where the report hides them. */
  addresses: string[]
  diagnosis: Diagnosis
}

/** What came back, under a seal of ours; everything else is `ignored`, with the reason for the log. */
export type InboundMail =
  | { kind: 'bounce'; reference: MailReference; reports: RecipientReport[] }
  | { kind: 'complaint'; reference: MailReference; proof: string }
  | { kind: 'unsubscribe'; reference: MailReference }
  | { kind: 'ignored'; why: 'unreadable' | 'unsealed' | 'automatic' | 'not_a_report' | 'not_a_failure' }

export interface InboundEnvelope {
  /** Empty for reports. */
  from: string
  to: string
}

const ignored = (why: Extract<InboundMail, { kind: 'ignored' }>['why']): InboundMail => ({
  kind: 'ignored',
  why,
})

/** Reads one mail to our return paths. Never throws: the sender of a malformed mail has nothing to learn from us. */
export async function readInbound(
  raw: Buffer,
  envelope: InboundEnvelope,
  keyring: Keyring,
): Promise<InboundMail> {
  const mail = await simpleParser(raw, { keepDeliveryStatus: true, skipHtmlToText: true }).catch(
    () => undefined,
  )
  if (!mail) return ignored('unreadable')
  const [, box, sealed = ''] = /^([bu])\+([^@]+)@/i.exec(envelope.to) ?? []
  if (box?.toLowerCase() === 'u')
    return readUnsubscribe(mail, envelope, openReference(keyring, 'unsubscribe', sealed))

  const feedback = findPart(mail, ['message/feedback-report'])
  if (feedback) return readComplaint(mail, feedback, { sealed, keyring })
  const status = findPart(mail, ['message/delivery-status', 'message/global-delivery-status'])
  if (!status) return ignored('not_a_report')
  return readBounce(mail, status, { sealed, keyring })
}

interface Seals {
  /** What the recipient's local part carries. */
  sealed: string
  keyring: Keyring
}

function readUnsubscribe(
  mail: ParsedMail,
  envelope: InboundEnvelope,
  reference: MailReference | undefined,
): InboundMail {
  if (!reference) return ignored('unsealed')
  // Reports and autoresponders answer everything; only a person's mail program, asked to, means it.
  const submitted = textHeader(mail, 'auto-submitted') || 'no'
  if (envelope.from === '' || !/^no\b/i.test(submitted)) return ignored('automatic')
  return { kind: 'unsubscribe', reference }
}

function readBounce(mail: ParsedMail, status: Attachment, { sealed, keyring }: Seals): InboundMail {
  const [message = {}, ...recipients] = readFields(status.content)
  const reference =
    openReference(keyring, 'bounce', sealed) ??
    openReference(keyring, 'bounce', message['original-envelope-id'] ?? '') ??
    findSealed(returnedHeaders(mail), [['message-id', messageIds]], keyring)
  if (!reference) return ignored('unsealed')
  const stage = readStage(mail.text ?? '')
  const reports = recipients
    .filter((fields) => fields['action']?.toLowerCase() === 'failed')
    .map((fields) => readRecipient(fields, stage))
  return reports.length > 0 ? { kind: 'bounce', reference, reports } : ignored('not_a_failure')
}

/** `(in reply to MAIL FROM command)` and `refused to talk to me:` by Postfix, `after RCPT TO:<…>:` by Exim. */
const refusedAt =
  /\b(?:in reply to (end of data|data|rcpt to|mail from|ehlo|helo) command|after (?:pipelined )?(end of data|data|rcpt to|mail from|ehlo|helo|initial connection)(?=:)|refused to talk to me(?=:))/gi
const stages: Record<string, SmtpStage> = {
  'rcpt to': 'rcpt',
  'mail from': 'mail',
  data: 'data',
  'end of data': 'data',
}

/**
 * Where the conversation was that the report is about. Its fields do not say, and its words do: a refusal of our
 * sender or of the message must not be taken for one of the recipient.
 */
function readStage(text: string): Diagnosis['stage'] {
  const found = Array.from(
    text.replace(/\s+/g, ' ').matchAll(refusedAt),
    ([, postfix, exim]) => postfix ?? exim ?? '',
  )
  const [stage, ...others] = new Set(found.map((at) => stages[at.toLowerCase()] ?? 'connect'))
  return stage === undefined || others.length > 0 ? 'report' : stage
}

function readRecipient(fields: Fields, stage: Diagnosis['stage']): RecipientReport {
  const text = fields['diagnostic-code']?.replace(/^[\w-]+;\s*/, '') ?? ''
  const code = /^([245]\d\d)\b/.exec(text)?.[1]
  const quoted = /\b([245]\.\d{1,3}\.\d{1,3})\b/.exec(text)?.[1]
  const reported = /\b([245]\.\d{1,3}\.\d{1,3})\b/.exec(fields['status'] ?? '')?.[1]
  // A relay that knows no better says 5.0.0 and quotes the server that does.
  const status = reported === undefined || /\.0\.0$/.test(reported) ? (quoted ?? reported) : reported
  return {
    addresses: ['original-recipient', 'final-recipient'].flatMap((name) => {
      const address = fields[name]
        ?.replace(/^[\w-]+;\s*/, '')
        .trim()
        .toLowerCase()
      return address ? [address.replace(/^<(.*)>$/, '$1')] : []
    }),
    diagnosis: {
      stage,
      code: code === undefined ? undefined : Number(code),
      status,
      text: withoutAddresses(text).slice(0, 500),
    },
  }
}

function readComplaint(mail: ParsedMail, feedback: Attachment, { sealed, keyring }: Seals): InboundMail {
  const [fields = {}] = readFields(feedback.content)
  if (!/^(abuse|fraud|virus|other)$/i.test(fields['feedback-type'] ?? '')) return ignored('not_a_failure')
  const returned = `${fields['original-mail-from'] ?? ''}\n${returnedHeaders(mail)}`
  const reference =
    openReference(keyring, 'bounce', sealed) ??
    openReference(keyring, 'bounce', fields['original-envelope-id'] ?? '') ??
    findSealed(
      returned,
      [
        ['bounce', /\bb\+([a-z2-7]+\.[a-z2-7]{13})@/gi],
        ['message-id', messageIds],
        ['unsubscribe', /\bu\+([a-z2-7]+\.[a-z2-7]{13})@/gi],
      ],
      keyring,
    )
  if (!reference) return ignored('unsealed')
  const proof = Object.entries(fields).map(([name, value]) => `${name}: ${withoutAddresses(value)}`)
  return { kind: 'complaint', reference, proof: proof.join('\n').slice(0, 4_000) }
}

const messageIds = /^message-id:\s*<([a-z2-7]+\.[a-z2-7]{13})@/gim

function findSealed(
  text: string,
  forms: [ReferencePurpose, RegExp][],
  keyring: Keyring,
): MailReference | undefined {
  for (const [purpose, form] of forms) {
    for (const [, sealed = ''] of text.matchAll(form)) {
      const reference = openReference(keyring, purpose, sealed)
      if (reference) return reference
    }
  }
  return undefined
}

const findPart = (mail: ParsedMail, types: string[]): Attachment | undefined =>
  mail.attachments.find((part) => types.includes(part.contentType))

const returnedTypes = ['text/rfc822-headers', 'message/rfc822', 'message/global-headers', 'message/global']
const longestReturned = 64_000

/** The header of our message as the report returns it, unfolded. */
const returnedHeaders = (mail: ParsedMail): string =>
  mail.attachments
    .filter((part) => returnedTypes.includes(part.contentType))
    .map((part) =>
      part.content
        .subarray(0, longestReturned)
        .toString('latin1')
        .replace(/\r?\n[ \t]+/g, ' '),
    )
    .join('\n')

type Fields = Record<string, string>

const mostBlocks = 100

/** RFC 3464: blocks of header fields between empty lines; the first speaks of the message, each other of a recipient. */
const readFields = (content: Buffer): Fields[] =>
  content
    .subarray(0, longestReturned)
    .toString('utf8')
    .replace(/\r\n/g, '\n')
    .replace(/\n[ \t]+/g, ' ')
    .split(/\n{2,}/)
    .filter((block) => block.trim() !== '')
    .slice(0, mostBlocks)
    .map((block) => {
      const fields: Fields = Object.create(null) as Fields
      for (const line of block.split('\n')) {
        const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(line) ?? []
        if (name !== undefined && value !== undefined) fields[name.toLowerCase()] ??= value.trim()
      }
      return fields
    })

const textHeader = (mail: ParsedMail, name: string): string => {
  const value = mail.headers.get(name)
  return typeof value === 'string' ? value : ''
}

/** Servers quote addresses, and what is kept of a bounce outlives the person's erasure. */
const withoutAddresses = (text: string): string =>
  text.replace(/[^\s<>"'(),;:]+@[^\s<>"'(),;:]+/g, '[address]')
