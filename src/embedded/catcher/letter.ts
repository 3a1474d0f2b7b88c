import { simpleParser, type AddressObject, type ParsedMail } from 'mailparser'
import type { Mailbox, Summary } from './mailbox.ts'

interface Person {
  address: string
  name: string
}

/** A caught mail as programs get it: `GET /api/messages`. */
export interface Letter {
  id: string
  receivedAt: string
  /** What SMTP said, which is where it really went. */
  envelope: { from: string; to: string[] }
  from: Person | null
  to: Person[]
  subject: string
  /** Its Date header. */
  date: string | null
  text: string
  html: string
  /** By lower-case name, unfolded and otherwise as sent; a list where a header is there more than once. */
  headers: Record<string, string | string[]>
  attachments: { filename: string; contentType: string; size: number }[]
  size: number
}

export async function readLetter(mailbox: Mailbox, summary: Summary): Promise<Letter> {
  const mail = await simpleParser(await mailbox.read(summary.id), {
    // The parts as they came, none made from the other.
    skipHtmlToText: true,
    skipTextToHtml: true,
  })
  return {
    id: summary.id,
    receivedAt: summary.receivedAt,
    envelope: summary.envelope,
    from: peopleOf(mail.from)[0] ?? null,
    to: peopleOf(mail.to),
    subject: mail.subject ?? '',
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

const peopleOf = (header: AddressObject | AddressObject[] | undefined): Person[] =>
  [header ?? []].flat().flatMap(({ value }) => value.map(({ address = '', name }) => ({ address, name })))

function headersOf(mail: ParsedMail): Letter['headers'] {
  const headers: Letter['headers'] = {}
  for (const { key, line } of mail.headerLines) {
    const value = line
      .slice(line.indexOf(':') + 1)
      .replace(/\r?\n(?=[ \t])/g, '')
      .trim()
    const before = headers[key]
    headers[key] = before === undefined ? value : [before, value].flat()
  }
  return headers
}
