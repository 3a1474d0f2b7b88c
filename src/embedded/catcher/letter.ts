import { simpleParser, type AddressObject, type ParsedMail } from 'mailparser'
import type { Mailbox, Summary } from './mailbox.ts'

/** A caught mail as programs get it: `GET /api/messages`. */
export type Letter = Awaited<ReturnType<typeof readLetter>>

export async function readLetter(mailbox: Mailbox, summary: Summary) {
  const mail = await simpleParser(await mailbox.read(summary.id), {
    // The parts as they came, none made from the other.
    skipHtmlToText: true,
    skipTextToHtml: true,
  })
  return {
    id: summary.id,
    receivedAt: summary.receivedAt,
    /** What SMTP said, which is where it really went. */
    envelope: summary.envelope,
    from: peopleOf(mail.from)[0] ?? null,
    to: peopleOf(mail.to),
    subject: mail.subject ?? '',
    /** Its Date header. */
    date: mail.date?.toISOString() ?? null,
    text: mail.text ?? '',
    html: mail.html || '',
    headers: headersOf(mail),
    attachments: mail.attachments.map(({ filename, contentType, size }) => ({
      filename: filename ?? '',
      contentType,
      size,
    })),
    size: summary.size,
  }
}

/** The head for people: names as sent, values decoded. Nothing is left out, and the order is the message's. */
export async function readHead(mailbox: Mailbox, id: string): Promise<{ name: string; value: string }[]> {
  const { headerLines } = await simpleParser(await mailbox.read(id), { skipHtmlToText: true })
  return headerLines.map(({ line }) => {
    const colon = line.indexOf(':')
    return { name: line.slice(0, colon), value: decodeWords(unfold(line.slice(colon + 1))) }
  })
}

/** RFC 2047; a word in a character set that nobody knows stays as it came. */
const decodeWords = (value: string): string =>
  value
    .replace(/\?=\s+(?==\?)/g, '?=')
    .replace(
      /=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi,
      (word, charset: string, kind: string, text: string) => {
        const bytes =
          kind.toLowerCase() === 'b'
            ? Buffer.from(text, 'base64')
            : Buffer.from(
                text
                  .replace(/_/g, ' ')
                  .replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
                'latin1',
              )
        try {
          return new TextDecoder(charset).decode(bytes)
        } catch {
          return word
        }
      },
    )

const unfold = (value: string): string => value.replace(/\r?\n(?=[ \t])/g, '').trim()

const peopleOf = (header: AddressObject | AddressObject[] | undefined) =>
  [header ?? []].flat().flatMap(({ value }) => value.map(({ address = '', name }) => ({ address, name })))

/** By lower-case name, unfolded and otherwise as sent; a list where a header is there more than once. */
function headersOf(mail: ParsedMail): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const { key, line } of mail.headerLines) {
    const value = unfold(line.slice(line.indexOf(':') + 1))
    const before = headers[key]
    headers[key] = before === undefined ? value : [before, value].flat()
  }
  return headers
}
