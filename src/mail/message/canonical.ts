import { createHash } from 'node:crypto'
import { perSegment } from './segments.ts'

/** One header field as bytes held in a string, its value still folded. */
export interface Header {
  /** In lower case. */
  name: string
  value: string
}

const endOfHeader = Buffer.from('\r\n\r\n')

/** Divides a message at the empty line; a body segment stays the same object where it can. */
export function splitMessage(message: readonly Buffer[]): { header: Buffer; body: Buffer[] } {
  // The end may lie across segments only where a caller cut the message by hand; then it is joined first.
  for (const [index, segment] of message.entries()) {
    const end = segment.indexOf(endOfHeader)
    if (end < 0) continue
    const rest = segment.subarray(end + 4)
    return {
      header: Buffer.concat([...message.slice(0, index), segment.subarray(0, end + 2)]),
      body: [...(rest.length > 0 ? [rest] : []), ...message.slice(index + 1)],
    }
  }
  if (message.length > 1) return splitMessage([Buffer.concat(message)])
  throw new Error('a message without an end of its header cannot be signed')
}

/** The fields of a header block, in order, as they are. */
export function readHeaders(header: Buffer): Header[] {
  return header
    .toString('latin1')
    .split(/\r\n(?![ \t])/)
    .filter((field) => field !== '')
    .map((field) => {
      const colon = field.indexOf(':')
      return { name: field.slice(0, colon).trim().toLowerCase(), value: field.slice(colon + 1) }
    })
}

/** RFC 6376, 3.4.2, without the line end. */
export const relaxHeader = (name: string, value: string): string =>
  `${name.toLowerCase()}:${value
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()}`

/**
 * SHA-256 of the relaxed body (RFC 6376, 3.4.4), in base64. Segments are brought into their relaxed form one by one,
 * and that form is kept: thousands of messages share all but a few of them.
 */
export function canonicalBodyHash(body: readonly Buffer[]): string {
  const segments = body.filter((segment) => segment.length > 0)
  const isDivisible = segments.every(
    (segment, index) => index === 0 || joinsCleanly(segments[index - 1], segment),
  )
  const parts = isDivisible ? segments.map(relaxSegment) : [relaxSegment(Buffer.concat(segments))]
  const hash = createHash('sha256')
  // Empty lines at the end do not count, wherever the last text is.
  const last = parts.findLastIndex((part) => trimEnd(part).length > 0)
  for (const [index, part] of parts.slice(0, last + 1).entries())
    hash.update(index < last ? part : trimEnd(part))
  if (last >= 0) hash.update('\r\n')
  return hash.digest('base64')
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09

/** Whether the relaxed forms of two segments, joined, are the relaxed form of both. */
function joinsCleanly(before: Buffer | undefined, after: Buffer): boolean {
  const last = before?.at(-1)
  const first = after[0]
  return last !== 0x0d && !(isBlank(last) && (isBlank(first) || first === 0x0d))
}

const relaxSegment = perSegment(relaxText)

function relaxText(segment: Buffer): Buffer {
  const text = segment.toString('latin1')
  return /[ \t](?=[ \t\r])|\t/.test(text)
    ? Buffer.from(text.replace(/(?<![ \t])[ \t]+\r\n/g, '\r\n').replace(/[ \t]+/g, ' '), 'latin1')
    : segment
}

function trimEnd(part: Buffer): Buffer {
  let end = part.length
  while (end >= 2 && part[end - 1] === 0x0a && part[end - 2] === 0x0d) end -= 2
  return part.subarray(0, end)
}
