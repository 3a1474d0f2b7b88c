import type { Diagnosis } from '../../domain/delivery/diagnosis.ts'
import { phraseFinder } from '../../domain/deliverability/bounce-words.ts'
import type { SmtpStage } from '../../domain/delivery/delivery.ts'

/** What is kept of a server's answer. */
export const longestAnswer = 1_000

export interface Reply {
  code?: number | undefined
  status?: string | undefined
  /** Where it stands in the text; -1 where there is none. */
  at: number
}

/** The first reply of a server in a text: one with an enhanced code, else one that a line or a colon begins with. */
export function findReply(text: string): Reply {
  let bare: Reply | undefined
  for (const match of text.matchAll(/(?<![\d.\w/-])[45][0-5]\d(?![\d.]|\w)/g)) {
    const at = match.index
    const status = statusIn(text.slice(at + 3, at + 30))
    const reply = { code: Number(match[0]), status, at }
    if (status !== undefined) return reply
    const before = text.slice(Math.max(0, at - 3), at).trimEnd()
    if (before === '' || /[\n:("<]$/.test(before)) bare ??= reply
  }
  const status = statusIn(text)
  return bare ?? { status, at: status === undefined ? -1 : text.indexOf(status) }
}

export const statusIn = (text: string): string | undefined =>
  /(?<![\d.])[45]\.[0-7]\.\d{1,3}(?!\d|\.\d)/.exec(text)?.[0]

/** `(in reply to MAIL FROM command)` and `refused to talk to me:` by Postfix, `after RCPT TO:<…>:` by Exim, and qmail. */
const refusedAt =
  /\b(?:in reply to (end of data|data|rcpt to|mail from|ehlo|helo) command|after (?:pipelined )?(end of data|data|rcpt to|rcpt|mail from|mail|ehlo|helo|initial connection)(?: command)?(?=:)|refused to talk to me(?=:)|(does not like recipient|failed on data command|failed after i sent the message|but sender was rejected|but greeting failed|but my name was rejected))/gi
const stages: Record<string, SmtpStage> = {
  'rcpt to': 'rcpt',
  rcpt: 'rcpt',
  'mail from': 'mail',
  mail: 'mail',
  data: 'data',
  'end of data': 'data',
  'does not like recipient': 'rcpt',
  'but sender was rejected': 'mail',
  'failed on data command': 'data',
  'failed after i sent the message': 'data',
}

/**
 * Where the conversation was that the report is about. Its fields do not say, and its words do: a refusal of our
 * sender or of the message must not be taken for one of the recipient.
 */
export function stageOf(text: string): Diagnosis['stage'] {
  const found = Array.from(
    text.replace(/\s+/g, ' ').matchAll(refusedAt),
    ([, postfix, exim, qmail]) => postfix ?? exim ?? qmail ?? '',
  )
  const [stage, ...others] = new Set(found.map((at) => stages[at.toLowerCase()] ?? 'connect'))
  return stage === undefined || others.length > 0 ? 'report' : stage
}

/** What is kept of a mail that came in: cut, with nothing that a database refuses, and without addresses. */
export const forRecord = (text: string, longest: number): string =>
  withoutAddresses(withoutControls(text.slice(0, longest * 2)).trim()).slice(0, longest)

export const withoutControls = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ')

/** Servers quote addresses, and what is kept of a bounce outlives the person's erasure. Looks at each word once. */
const withoutAddresses = (text: string): string =>
  text.replace(/[^\s<>"'(),;:]+/g, (word) => (word.includes('@') ? '[address]' : word))

const otherReply = /(?<![\w.])[45][0-5]\d(?=[ -])/

/** A reply until its paragraph ends or another begins; the paragraph where only an enhanced code closes it. */
export function answerAt(text: string, at: number, code: number | undefined): string {
  const before = text.lastIndexOf('\n\n', at)
  const [paragraph = ''] = text.slice(Math.max(before < 0 ? 0 : before + 2, at - 400)).split('\n\n', 1)
  if (code === undefined) return paragraph
  const [first = '', ...lines] = text
    .slice(Math.max(text.lastIndexOf('\n', at) + 1, at - 100))
    .split('\n', 20)
  const end = lines.findIndex((line) => {
    const other = otherReply.exec(line)?.[0]
    return line.trim() === '' || (other !== undefined && other !== String(code))
  })
  return [first, ...lines.slice(0, end < 0 ? undefined : end)].join('\n')
}

/** A line after which our own mail follows. */
const startsCopy = phraseFinder(`
  copy of, original message, original mail, header of the original, message header, headers follow, unsent message,
  returned message, undelivered message, message follows, copie du message, message d origine, message original,
  ursprungliche nachricht, mensaje original, messaggio originale`)
const copyField =
  /^(received|return-path|dkim-signature|arc-seal|x-received|delivered-to|message-id)[ \t]{0,9}:/i

/** What a report says before it returns our mail. */
export function withoutCopy(text: string): string {
  const lines = text.replace(/\n[ \t]+(?=\n)/g, '\n').split('\n')
  const copy = lines.findIndex(
    (line) =>
      copyField.test(line) ||
      (line.length < 120 && /^\s*[-=_*#]{2}|follows?\s*(?:[.:]|$)/i.test(line) && startsCopy(line)),
  )
  return lines.slice(0, copy < 0 ? undefined : copy).join('\n')
}
