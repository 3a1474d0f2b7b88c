import { isUtf8 } from 'node:buffer'

/** One part of a mail that holds no others: a text, a report, a returned message. */
export interface MimePart {
  /** In lower case, without parameters. */
  type: string
  headers: MimeHeaders
  /** As it was sent, one character a byte. */
  body: string
}

/** The first field of each name, in lower case; unfolded. */
export type MimeHeaders = ReadonlyMap<string, string>

export type Mime = ReturnType<typeof readMime>

/** What a report or a reply never needs, and a mail made to stop us does. */
const most = {
  parts: 64,
  depth: 8,
  fields: 300,
  headerLength: 64_000,
  fieldLength: 4_000,
  boundaryLength: 100,
}

/**
 * Takes a mail apart as far as reports go (RFC 2045, 2046): parts of parts, and nothing within a returned message.
 * Every level is looked through once from front to end, so that the cost is in proportion to the length, whatever is
 * in it; what is beyond the limits is left out rather than an error.
 */
export function readMime(raw: Buffer) {
  const reading = { looked: 0, parts: [] as MimePart[], remaining: most.parts }
  const top = openEntity(raw.toString('latin1').replaceAll('\r\n', '\n'), reading)
  collectParts(top, 0, reading)
  return { headers: top.headers, parts: reading.parts, looked: reading.looked }
}

interface Reading {
  /** How many characters were looked at, and how often: what reading has cost. */
  looked: number
  parts: MimePart[]
  /** How many more entities may be opened. */
  remaining: number
}

function collectParts(entity: MimePart, depth: number, reading: Reading): void {
  const isDivided = entity.type.startsWith('multipart/') && depth < most.depth
  const pieces = isDivided ? splitAtBoundary(entity, reading) : []
  // A mail that says it has parts and has none is read as it stands.
  if (pieces.length === 0) reading.parts.push(isDivided ? { ...entity, type: 'text/plain' } : entity)
  for (const piece of pieces) collectParts(openEntity(piece, reading), depth + 1, reading)
}

function openEntity(text: string, reading: Reading): MimePart {
  // A part without headers of its own begins with the empty line.
  const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n')
  reading.looked += end < 0 ? text.length : end
  const headers = readHeaders(text.slice(0, end < 0 ? text.length : end))
  const type = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)/.exec(headers.get('content-type') ?? '')?.[1]
  return {
    type: type?.toLowerCase() ?? 'text/plain',
    headers,
    body: end < 0 ? '' : text.slice(end === 0 ? 1 : end + 2),
  }
}

export function readHeaders(text: string): MimeHeaders {
  const headers = new Map<string, string>()
  const lines = text.slice(0, most.headerLength).split('\n', most.fields * 10)
  let open: string | undefined
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      if (open !== undefined) addTo(headers, open, line)
      continue
    }
    const name = /^([!-9;-~]{1,80})[ \t]*:/.exec(line)?.[1]
    open = name === undefined || headers.has(name.toLowerCase()) ? undefined : name.toLowerCase()
    if (name === undefined || open === undefined || headers.size >= most.fields) continue
    headers.set(open, line.slice(line.indexOf(':') + 1, most.fieldLength).trim())
  }
  return headers
}

function addTo(headers: Map<string, string>, name: string, line: string): void {
  const value = headers.get(name) ?? ''
  if (value.length < most.fieldLength) {
    headers.set(name, `${value} ${line.slice(0, most.fieldLength - value.length).trim()}`.trim())
  }
}

function splitAtBoundary({ headers, body }: MimePart, reading: Reading): string[] {
  const [, quoted, plain] =
    /\bboundary\s{0,9}=\s{0,9}(?:"([^"]*)"|([^\s;]+))/i.exec(headers.get('content-type') ?? '') ?? []
  const text = `\n${body}`
  const declared = `\n--${quoted ?? plain ?? ''}`.trimEnd().slice(0, most.boundaryLength)
  // Gateways that rewrite a mail forget to tell its header of the new boundary: the first such line is it.
  const isThere = declared.length > 3 && text.includes(declared)
  const boundary = isThere ? declared : /\n--[^\s][^\n]{0,97}/.exec(text.slice(0, 4_000))?.[0].trimEnd()
  reading.looked += 2 * text.length
  if (boundary === undefined) return []
  const pieces: string[] = []
  let start: number | undefined
  for (
    let at = text.indexOf(boundary);
    at >= 0 && reading.remaining > 0;
    at = text.indexOf(boundary, at + 1)
  ) {
    const lineEnd = text.indexOf('\n', at + boundary.length)
    const rest = text.slice(at + boundary.length, lineEnd < 0 ? undefined : lineEnd).trimEnd()
    // The boundary of a part within may begin with that of the whole.
    if (rest !== '' && rest !== '--') continue
    if (start !== undefined) pieces.push(text.slice(start, at))
    start = rest === '--' || lineEnd < 0 ? undefined : lineEnd + 1
    if (start === undefined) break
    reading.remaining -= 1
  }
  // What nobody closed ends with the mail.
  if (start !== undefined && reading.remaining > 0) pieces.push(text.slice(start))
  return pieces
}

/** The text of a part: decoded, with line feeds, and at most `longest` characters of it. */
export function textOf({ headers, type, body }: MimePart, longest: number): string {
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? ''
  // Three bytes may stand as nine, or four; line ends are extra.
  const sent = body.slice(0, longest * 4)
  const bytes = encoding.startsWith('base64')
    ? Buffer.from(sent, 'base64')
    : Buffer.from(encoding.startsWith('quoted-printable') ? decodeQuoted(sent) : sent, 'latin1')
  const charset = /\bcharset\s{0,9}=\s{0,9}"?([\w:.+-]{1,40})/i.exec(headers.get('content-type') ?? '')?.[1]
  const text = decode(bytes, charset).replaceAll('\r\n', '\n')
  return (type === 'text/html' ? withoutTags(text) : text).slice(0, longest)
}

/** The text of a header, whose characters are bytes yet. */
export const headerText = (value: string): string => encodedText(decode(Buffer.from(value, 'latin1')))

/** With what RFC 2047 hides of it. */
export const encodedText = (text: string): string =>
  text.replace(
    /=\?([\w-]{1,40})(?:\*[\w-]{1,20})?\?([bq])\?([^?\s]{0,400})\?=(?:\s{1,9}(?==\?))?/gi,
    (_all, charset: string, form: string, word: string) =>
      decode(
        form.toLowerCase() === 'b'
          ? Buffer.from(word, 'base64')
          : Buffer.from(decodeQuoted(word.replaceAll('_', ' ')), 'latin1'),
        charset,
      ),
  )

const decodeQuoted = (text: string): string =>
  text
    .replace(/=[ \t]{0,9}\n/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/**
 * In the charset it claims, or else as UTF-8 or Western; where nobody knows that one, byte by byte, so that its ASCII
 * stays readable.
 */
function decode(bytes: Buffer, charset = isUtf8(bytes) ? 'utf-8' : 'windows-1252'): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ' }
/** Accents do not count for what is looked for. */
const accented = /^([a-z])(?:acute|grave|circ|uml|cedil|tilde)$/i

function entity(all: string, name: string): string {
  const [, decimal, hex] = /^#(?:(\d{1,6})|x([\da-f]{1,5}))$/i.exec(name) ?? []
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
  return code > 0 ? String.fromCodePoint(code) : (entities[name] ?? accented.exec(name)?.[1] ?? all)
}

const lineTags = new Set(['br', 'p', 'div', 'tr', 'li', 'td', 'table', 'h1', 'h2', 'h3', 'pre'])

/** Enough of an HTML text to read what a server says in it. */
function withoutTags(html: string): string {
  const [first = '', ...rest] = html.split('<')
  const pieces = rest.map((piece) => {
    const end = piece.indexOf('>')
    const tag = /^\/?(\w{1,10})/.exec(piece)?.[1]?.toLowerCase() ?? ''
    if (tag === 'style' || tag === 'script') return ''
    return `${lineTags.has(tag) ? '\n' : ''}${end < 0 ? '' : piece.slice(end + 1)}`
  })
  return [first, ...pieces].join('').replace(/&(#?\w{2,7});/g, entity)
}

export const reportTypes = ['message/delivery-status', 'message/global-delivery-status']

export const findPart = (mail: Mime, types: string[]): MimePart | undefined =>
  mail.parts.find((part) => types.includes(part.type))

export const subjectOf = (mail: Mime): string => headerText(mail.headers.get('subject') ?? '')

export const longestPart = 64_000
const longestText = 16_000

/** What a mail says to people: its first text that says anything. */
export function mainText(mail: Mime): string {
  for (const part of mail.parts) {
    const text = part.type.startsWith('text/') ? textOf(part, longestText) : ''
    if (text.trim() !== '') return text
  }
  return ''
}

/** All that a mail holds, unfolded: what it returns of ours is a part of its own, or the end of a text without parts. */
export const allText = (mail: Mime): string =>
  mail.parts
    .map((part) => textOf(part, longestPart))
    .join('\n')
    .slice(0, 4 * longestPart)
    .replace(/\n[ \t]+/g, ' ')

/** Of what a `From` says. */
export const addressIn = (from: string): string =>
  from
    .slice(from.lastIndexOf('<') + 1)
    .replace(/>.*/s, '')
    .trim()
