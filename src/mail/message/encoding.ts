import { singleLine } from '../compose/plain-text.ts'

const CRLF = '\r\n'
const hex = '0123456789ABCDEF'
const longestLine = 76

/**
 * Quoted-printable (RFC 2045, 6.7) of a text whose lines end in LF: lines of at most 76 characters that end in CRLF.
 * A text without a final line break ends within a line, so that two encoded texts may be joined by a soft break.
 */
export function quotedPrintable(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  let out = ''
  let line = ''
  const put = (token: string) => {
    if (line.length + token.length > longestLine - 1) {
      out += `${line}=${CRLF}`
      line = ''
    }
    line += token
  }
  // Where the line is full, the next character begins another.
  const isAtStart = () => line === '' || line.length === longestLine - 1
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    if (byte === 0x0a) {
      out += line + CRLF
      line = ''
    } else if ((byte === 0x20 || byte === 0x09) && bytes[i + 1] !== 0x0a && i + 1 < bytes.length) {
      put(String.fromCharCode(byte))
    } else if (byte > 0x20 && byte < 0x7f && byte !== 0x3d && !(isAtStart() && isUnsafeAtStart(bytes, i))) {
      put(String.fromCharCode(byte))
    } else if (byte >= 0xc2 && line.length > longestLine - 13) {
      // A character is not split over lines: some filters decode line by line.
      out += `${line}=${CRLF}`
      line = ''
      put(encodeByte(byte))
    } else put(encodeByte(byte))
  }
  return out + line
}

/** A dot is SMTP's, and "From " a mailbox file's: programs on the way have changed both, and broken the signature. */
const isUnsafeAtStart = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 0x2e || bytes.toString('latin1', at, at + 5) === 'From '

const encodeByte = (byte: number): string => `=${hex[byte >> 4]}${hex[byte & 15]}`

export const softBreak = `=${CRLF}`

const encodedWordBytes = 45

/**
 * RFC 2047 words, none of which splits a character, for lines of at most 76.
 * @param start what stands before them on the first line
 */
function encodedWords(start: string, text: string): string[] {
  const words: string[] = []
  let chunk = ''
  const room = longestLine - `${start} =?UTF-8?B??=`.length
  const firstBytes = Math.min(encodedWordBytes, Math.floor(room / 4) * 3)
  for (const character of text) {
    if (Buffer.byteLength(chunk + character) > (words.length === 0 ? firstBytes : encodedWordBytes)) {
      words.push(chunk)
      chunk = ''
    }
    chunk += character
  }
  if (chunk) words.push(chunk)
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`)
}

const isPlain = (text: string): boolean =>
  /^[\x20-\x7e]*$/.test(text) && !text.includes('=?') && text.split(' ').every((word) => word.length < 60)

/** One header with free text: ASCII as it is, anything else as encoded words, folded at 76. */
export const textHeader = (name: string, text: string): string => {
  const line = singleLine(text)
  const start = `${name}:`
  return foldWords(start, isPlain(line) ? line.split(' ') : encodedWords(start, line))
}

/** `"Display name" <address>` as header words. The address must already be a plain one. */
export function mailboxHeader(header: string, { name, address }: { name: string; address: string }): string {
  const display = singleLine(name)
  const start = `${header}:`
  if (display === '') return foldWords(start, [`<${address}>`])
  const words = isPlain(display)
    ? `"${display.replace(/(["\\])/g, '\\$1')}"`.split(' ')
    : encodedWords(start, display)
  return foldWords(start, [...words, `<${address}>`])
}

/** Puts words on lines of at most 76 characters (RFC 2047, 2); only where a word is longer is a line. */
export function foldWords(start: string, words: string[]): string {
  let out = ''
  let line = start
  for (const word of words) {
    if (line.length + 1 + word.length > longestLine && line !== start) {
      out += line + CRLF
      line = ''
    }
    line += ` ${word}`
  }
  return out + line + CRLF
}

/** RFC 5322 date in UTC. */
export const dateHeaderValue = (date: Date): string => date.toUTCString().replace('GMT', '+0000')
