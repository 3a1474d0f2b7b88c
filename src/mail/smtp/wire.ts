import { perSegment } from '../message/segments.ts'

const CR = 0x0d
const LF = 0x0a
const dot = Buffer.from('.')
const crlf = Buffer.from('\r\n')

/** The end of DATA, after a message that ends its last line. */
export const finalDot = Buffer.from('.\r\n')

/**
 * Finished bytes as they go out after DATA (RFC 5321, 4.5.2): a dot before each line that begins with one, and a line
 * end at the end. Segments that thousands of messages share are looked through once.
 * @throws Error at a bare CR or LF: a server that took one for a line end could be made to see a final dot before it
 */
export function stuffDots(message: readonly Buffer[]): Buffer[] {
  const isCutInLineEnd = message.some((segment) => segment.at(-1) === CR)
  const out: Buffer[] = []
  let isLineStart = true
  for (const segment of isCutInLineEnd ? [Buffer.concat(message)] : message) {
    if (segment.length === 0) continue
    if (isLineStart && segment[0] === dot[0]) out.push(dot)
    out.push(stuffSegment(segment))
    isLineStart = segment.at(-1) === LF
  }
  if (!isLineStart) out.push(crlf)
  return out
}

/** All but a dot at its very beginning, which only the segment before it can tell. */
const stuffSegment = perSegment(stuffLines)

function stuffLines(segment: Buffer): Buffer {
  const text = segment.toString('latin1')
  if (/\r(?!\n)|(?<!\r)\n/.test(text)) throw new Error('a message for the wire holds a bare CR or LF')
  return text.includes('\n.') ? Buffer.from(text.replaceAll('\n.', '\n..'), 'latin1') : segment
}
