import { createHash } from 'node:crypto'
import type { ProviderName } from '../../domain/deliverability/provider-event.ts'
import { dateHeaderValue, mailboxHeader, quotedPrintable, softBreak, textHeader } from './encoding.ts'
import { eventHeaders, eventSeal } from './event-headers.ts'

/** What differs between two recipients of one variant. */
export interface Recipient {
  /** One plain address, as stored. */
  to: string
  /** With its angle brackets; the same on every attempt. */
  messageId: string
  date: Date
  unsubscribeUrl: string
  preferencesUrl: string
  /** `mailto:…`, where this installation reads mail. */
  unsubscribeMailto?: string | undefined
}

/** The places a recipient's own values go to. */
type Gap = 'date' | 'to' | 'messageId' | 'eventSeal' | 'listUnsubscribe' | 'unsubscribeUrl' | 'preferencesUrl'

/**
 * A finished message with gaps: everything that does not depend on the recipient is encoded once, so that one
 * delivery costs joining buffers and signing.
 */
export interface Skeleton {
  segments: readonly (Buffer | Gap)[]
}

/** Marks a gap inside a text before it is encoded, with noncharacters, which `plainText` leaves in no text. */
export const gapMark = (gap: 'unsubscribeUrl' | 'preferencesUrl'): string => `\ufdd0${gap}\ufdd1`
const marks = /\ufdd0(\w+)\ufdd1/

export interface Mailbox {
  name: string
  address: string
}

/** What every message has. All texts are plain. */
interface Message {
  from: Mailbox
  replyTo: Mailbox | undefined
  subject: string
  /** Names of the digest, or the kind of a personal mail, for complaint statistics; the sender's own name last. */
  feedbackId: string
  /** Whose events we read. */
  providers: readonly ProviderName[]
  html: string
  text: string
}

/** A digest's message but for its recipient. Nothing in its `feedbackId` is of one recipient. */
export interface DigestMessage extends Message {
  list: {
    /** `slug.lists.domain` (RFC 2919). */
    id: string
    name: string
    helpUrl: string
    archiveUrl: string
  }
  /** Whether a POST to the unsubscribe link ends a subscription: what is no one-click must not claim to be (RFC 8058). */
  isOneClick: boolean
}

/** @throws Error when html or text holds a mark that is not a gap */
export function buildSkeleton(message: DigestMessage): Skeleton {
  const { list } = message
  return {
    segments: mergeText([
      'Date: ',
      { gap: 'date' },
      `\r\n${mailboxHeader('From', message.from)}To: `,
      { gap: 'to' },
      '\r\n',
      message.replyTo ? mailboxHeader('Reply-To', message.replyTo) : '',
      textHeader('Subject', message.subject),
      'Message-ID: ',
      { gap: 'messageId' },
      '\r\nMIME-Version: 1.0\r\n',
      mailboxHeader('List-Id', { name: list.name, address: list.id }),
      // RFC 8058: one-click needs both headers, one line each, and a signature that covers them.
      'List-Unsubscribe: ',
      { gap: 'listUnsubscribe' },
      message.isOneClick ? '\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n' : '\r\n',
      `List-Help: <${list.helpUrl}>\r\n`,
      `List-Archive: <${list.archiveUrl}>\r\n`,
      'List-Post: NO\r\nPrecedence: bulk\r\n',
      `Feedback-ID: ${message.feedbackId}\r\n`,
      ...eventHeaders<Piece>(message.providers, { gap: 'eventSeal' }),
      ...bodyPieces(message.text, message.html),
    ]),
  }
}

/** Fills the gaps of one recipient. @throws Error when a value would break its line */
export function personalise(skeleton: Skeleton, recipient: Recipient): Buffer[] {
  const values: Record<Gap, string> = {
    date: dateHeaderValue(recipient.date),
    to: headerToken(recipient.to),
    messageId: headerToken(recipient.messageId),
    eventSeal: headerToken(eventSeal(recipient.messageId)),
    listUnsubscribe: [recipient.unsubscribeUrl, recipient.unsubscribeMailto]
      .filter((url) => url !== undefined)
      .map((url) => `<${headerToken(url)}>`)
      .join(', '),
    unsubscribeUrl: encodeUrl(recipient.unsubscribeUrl),
    preferencesUrl: encodeUrl(recipient.preferencesUrl),
  }
  return skeleton.segments.map((segment) =>
    typeof segment === 'string' ? Buffer.from(values[segment], 'utf8') : segment,
  )
}

export interface PersonalMessage extends Message {
  to: string
  messageId: string
  date: Date
  /** Where a POST ends the subscription that it welcomes to. */
  unsubscribeUrl: string | undefined
}

/** A mail to one person that a machine wrote on request: nothing to answer by machine. */
export const buildPersonalMessage = (message: PersonalMessage): Buffer[] =>
  mergeText([
    `Date: ${dateHeaderValue(message.date)}\r\n`,
    mailboxHeader('From', message.from),
    `To: ${headerToken(message.to)}\r\n`,
    message.replyTo ? mailboxHeader('Reply-To', message.replyTo) : '',
    textHeader('Subject', message.subject),
    `Message-ID: ${headerToken(message.messageId)}\r\n`,
    message.unsubscribeUrl === undefined
      ? ''
      : `List-Unsubscribe: <${headerToken(message.unsubscribeUrl)}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n`,
    'MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n',
    `Feedback-ID: ${message.feedbackId}\r\n`,
    ...eventHeaders<Piece>(message.providers, eventSeal(message.messageId)),
    ...bodyPieces(message.text, message.html),
  ]) as Buffer[]

/** `cut` begins a new segment: the signer keeps the canonical form of body segments that stay the same. */
type Piece = string | { gap: Gap } | { cut: true }

/** `multipart/alternative`, the text first: a reader shows the last part that it can. */
function bodyPieces(text: string, html: string): Piece[] {
  // `=_` never occurs in quoted-printable, so this cannot occur in either part.
  const boundary = `=_${createHash('sha256').update(text).update(html).digest('hex').slice(0, 32)}`
  const part = (type: string, content: string): Piece[] => [
    `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`,
    ...encodeWithGaps(content),
    '\r\n',
  ]
  return [
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n`,
    { cut: true },
    ...part('text/plain', text),
    ...part('text/html', html),
    `--${boundary}--\r\n`,
  ]
}

/** A gap stands on lines of its own between two soft breaks, so that its length moves nothing else. */
function encodeWithGaps(content: string): Piece[] {
  return content.split(marks).flatMap((part, index): Piece[] => {
    if (index % 2 === 0) return [quotedPrintable(part)]
    if (part !== 'unsubscribeUrl' && part !== 'preferencesUrl') throw new Error('a mark that is not a gap')
    return [softBreak, { gap: part }, softBreak]
  })
}

function mergeText(pieces: Piece[]): (Buffer | Gap)[] {
  const segments: (Buffer | Gap)[] = []
  let text = ''
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece
    else {
      segments.push(Buffer.from(text, 'utf8'))
      if ('gap' in piece) segments.push(piece.gap)
      text = ''
    }
  }
  segments.push(Buffer.from(text, 'utf8'))
  return segments
}

/** A value that goes into a header as it is. */
function headerToken(value: string): string {
  if (/[\s<>\p{C}]/u.test(value.replace(/^<([^<>]*)>$/, '$1')) || value.length > 900) {
    throw new Error('a value for a header holds what would break its line')
  }
  return value
}

const url = /^https?:\/\/[\w.~:/?#[\]@!$'()*+,;=%-]+$/

/** URLs in the body stand inside an attribute and on a line of their own. */
function encodeUrl(value: string): string {
  if (!url.test(value)) throw new Error('a personal link is not a plain URL')
  return quotedPrintable(value)
}
