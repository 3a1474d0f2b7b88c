import { SaxesParser } from 'saxes'
import type { Readable } from 'node:stream'
import { noRepairs, XmlRepair, type Repairs } from './xml-repair.ts'

/** What a reader of one vocabulary wants to hear; names keep their prefix as it is written. */
export interface XmlListener {
  open: (name: string, attributes: Record<string, string>) => void
  close: (name: string) => void
  text: (text: string) => void
  /** The text under way was cut: it was longer than four million characters. */
  cut?: () => void
}

export interface XmlSource {
  repairs: Repairs
  /** Bytes read so far. */
  bytes: () => number
  /** The line of the file that was read last. */
  line: () => number
  /** Yields after each chunk that was parsed: ask the listener then what it has found. */
  chunks: AsyncIterable<void>
}

/** Characters between two tags; longer ones are cut. */
const maxText = 4_000_000

/** Parses XML from bytes, with bounded memory, putting right what real exports get wrong. */
export function openXml(stream: Readable | AsyncIterable<Uint8Array>, listener: XmlListener): XmlSource {
  const repairs = noRepairs()
  const parser = new SaxesParser({ xmlns: false, position: true })
  parser.on('error', () => {
    // Saxes closes what was left open and goes on; the item is judged by what it then holds.
    repairs.tags += 1
  })
  parser.on('opentag', ({ name, attributes, isSelfClosing: _ }) => {
    listener.open(name, attributes)
  })
  parser.on('closetag', ({ name }) => {
    listener.close(name)
  })
  parser.on('text', listener.text)
  parser.on('cdata', listener.text)
  const repair = new XmlRepair({
    repairs,
    maxText,
    write: (xml) => parser.write(xml),
    onTruncated: () => listener.cut?.(),
  })
  const count = { bytes: 0 }
  async function* chunks() {
    const decode = createDecoder(repairs)
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      count.bytes += chunk.length
      repair.push(decode(chunk))
      yield
    }
    repair.push(decode())
    repair.end()
    parser.close()
    yield
  }
  return {
    repairs,
    bytes: () => count.bytes,
    line: () => parser.line + repair.droppedLines,
    chunks: chunks(),
  }
}

/** UTF-8, or what a byte order mark or the XML declaration says. */
function createDecoder(repairs: Repairs): (chunk?: Uint8Array) => string {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  return (chunk) => {
    if (!chunk) return decoder?.decode() ?? ''
    decoder ??= new TextDecoder(encodingOf(chunk))
    const text = decoder.decode(chunk, { stream: true })
    if (text.includes('\uFFFD')) repairs.bytes += countOf(text, '\uFFFD')
    return text
  }
}

function encodingOf(start: Uint8Array): string {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le'
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be'
  const head = Buffer.from(start.subarray(0, 200)).toString('latin1')
  const [, named = 'utf-8'] = /^[^<]*<\?xml[^>]*encoding=["']([\w-]{2,20})["']/.exec(head) ?? []
  try {
    return new TextDecoder(named).encoding
  } catch {
    return 'utf-8'
  }
}

const countOf = (text: string, character: string): number => text.split(character).length - 1
