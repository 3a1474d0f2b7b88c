import { setImmediate } from 'node:timers/promises'
import { SaxesParser } from 'saxes'
import { invalid } from '../../errors.ts'
import { createDecoder, EncodingCensus, type Encoding } from './encoding.ts'
import { createNames } from './xml-names.ts'
import { requireBareDoctype } from './doctype.ts'
import { noRepairs, type Repairs } from './repairs.ts'
import { XmlRepair } from './xml-repair.ts'

/** What a reader of one vocabulary wants to hear; prefixes of known namespaces are the usual ones. */
export interface XmlListener {
  open: (name: string, attributes: Record<string, string>) => void
  close: (name: string) => void
  text: (text: string) => void
  /** The text under way was cut: it was longer than four million characters. */
  cut?: () => void
}

/** A document that can be read more than once; a chunk is what it is until the next one is asked for. */
export type OpenBytes = () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** How a document is to be read so that nothing of it is lost. */
export type Reading = Awaited<ReturnType<typeof readingOf>>

/** Characters between two tags; longer ones are cut. */
const maxText = 4_000_000
/** What a strict parser is given to hold in one piece; the repair reads longer texts, and cuts them. */
const maxStrict = 500_000
/** Of elements that stand open: each costs memory until it is closed. */
const maxDepth = 2_000
/** Of a chunk that is read at once. */
const pieceLength = 16_384

/**
 * Reads a document once for its encoding, and again with a strict parser, as far as that gets.
 * @param charset what the server says
 * @param onBytes with all bytes read so far, of either time
 * @throws DomainError `doctype_refused`
 */
export async function readingOf(
  open: OpenBytes,
  charset?: string,
  onBytes: (bytes: number) => void = () => undefined,
) {
  const census = new EncodingCensus()
  let bytes = 0
  for await (const piece of piecesOf(open())) {
    census.push(piece)
    onBytes((bytes += piece.length))
  }
  const encoding = census.end(charset)
  const isWellFormed = await isParsed(open(), encoding, (more) => {
    onBytes((bytes += more))
  })
  return {
    encoding,
    /** Bytes that are not in the encoding that was declared. */
    invalidBytes: census.invalid,
    /** A strict parser takes it: nothing of it is to be repaired. */
    isWellFormed,
  }
}

async function isParsed(stream: ReturnType<OpenBytes>, encoding: Encoding, onBytes: (more: number) => void) {
  const seen = { isStrict: true, length: 0, depth: 0 }
  const parser = new SaxesParser({ xmlns: false })
  parser.on('error', () => {
    seen.isStrict = false
  })
  parser.on('doctype', requireBareDoctype)
  const onEvent = (deeper: number) => () => {
    seen.length = 0
    seen.depth += deeper
    if (seen.depth > maxDepth) throw tooDeep()
  }
  parser.on('opentag', onEvent(1))
  parser.on('closetag', onEvent(-1))
  for (const event of ['text', 'cdata', 'comment'] as const) parser.on(event, onEvent(0))
  const decode = createDecoder(encoding, noRepairs())
  for await (const piece of piecesOf(stream)) {
    const text = decode(piece)
    seen.length += text.length
    parser.write(text)
    onBytes(piece.length)
    if (!seen.isStrict || seen.length > maxStrict) return false
  }
  parser.write(decode())
  parser.close()
  return seen.isStrict
}

/** Parses XML from bytes, with bounded memory, putting right what real exports get wrong. */
export function openXml(stream: ReturnType<OpenBytes>, listener: XmlListener, reading: Reading) {
  const repairs = { ...noRepairs(), bytes: reading.invalidBytes }
  const parser = createParser(listener, repairs)
  const repair = new XmlRepair({
    repairs,
    maxText,
    write: (xml) => parser.write(xml),
    onTruncated: () => listener.cut?.(),
  })
  const count = { bytes: 0, marks: 0 }
  const countMarks = createMarkCounter()
  const read = (text: string) => {
    count.marks += countMarks(text)
    if (reading.isWellFormed) parser.write(text)
    else repair.push(text)
  }
  async function* chunks(): AsyncGenerator<void> {
    const decode = createDecoder(reading.encoding, repairs)
    for await (const piece of piecesOf(stream)) {
      count.bytes += piece.length
      read(decode(piece))
      yield
    }
    read(decode())
    repair.end()
    parser.close()
    yield
  }
  return {
    repairs,
    /** Bytes read so far. */
    bytes: () => count.bytes,
    /** The line of the file that was read last. */
    line: () => parser.line + repair.droppedLines,
    /** How often an `item` or `entry` begins in the bytes, whatever the parser made of them. */
    marks: () => count.marks,
    /** Yields after each piece that was parsed: ask the listener then what it has found. */
    chunks: chunks(),
  }
}

function createParser(listener: XmlListener, repairs: Repairs) {
  const parser = new SaxesParser({ xmlns: false })
  const names = createNames()
  parser.on('error', () => {
    // Saxes closes what was left open and goes on; the item is judged by what it then holds.
    repairs.tags += 1
  })
  parser.on('opentag', ({ name, attributes }) => {
    if (names.depth() > maxDepth) throw tooDeep()
    for (const key in attributes) attributes[key] = asHtml(attributes[key] ?? '', repairs)
    listener.open(names.open(name, attributes), attributes)
  })
  parser.on('closetag', ({ name }) => {
    listener.close(names.close(name))
  })
  const hear = (text: string) => {
    listener.text(asHtml(text, repairs))
  }
  parser.on('text', hear)
  parser.on('cdata', hear)
  return parser
}

const tooDeep = () =>
  invalid(
    'xml_too_deep',
    `The XML has more than ${maxDepth} elements open at once, which no export and no feed has.`,
  )

const c1 = /[\u0080-\u009F]/g
const windows1252 = new TextDecoder('windows-1252')

/** HTML takes the controls from U+0080 to U+009F, which nobody writes, for the Windows-1252 they were meant in. */
function asHtml(text: string, repairs: Repairs): string {
  if (!c1.test(text)) return text
  return text.replace(c1, (control) => {
    repairs.characters += 1
    const meant = windows1252.decode(Uint8Array.of(control.charCodeAt(0)))
    return meant === control ? '' : meant
  })
}

/** Between two of one chunk others have their turn: what a site answers may be of ten megabytes. */
async function* piecesOf(stream: ReturnType<OpenBytes>): AsyncIterable<Uint8Array> {
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; at += pieceLength) {
      if (at > 0) await setImmediate()
      yield chunk.subarray(at, at + pieceLength)
    }
  }
}

const longestMark = 60

function createMarkCounter(): (text: string) => number {
  let held = ''
  return (text) => {
    const whole = held + text
    let end = 0
    let count = 0
    for (const mark of whole.matchAll(/<(?:[\w.-]{1,40}:)?(?:item|entry)[\s>]/g)) {
      count += 1
      end = mark.index + mark[0].length
    }
    held = whole.slice(Math.max(end, whole.length - longestMark))
    return count
  }
}
