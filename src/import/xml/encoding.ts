import type { Repairs } from './repairs.ts'

/** A label of `TextDecoder`; `mixed`: UTF-8 and Windows-1252 in one document, as in databases that have moved. */
export type Encoding = string

const headLength = 1_024
/** Bytes of a text that one decision is made for. */
const maxRun = 65_536

/**
 * Reads all bytes of a document and says what they are: a byte order mark, the server, the XML declaration are
 * believed in this order (RFC 7303 §3), but never against the bytes: what is valid UTF-8 is UTF-8, and what is none is
 * what else is declared, or else Windows-1252.
 */
export class EncodingCensus {
  /** Bytes that are not UTF-8 where that was declared, or nothing. */
  invalid = 0
  #valid = 0
  #head = Buffer.alloc(0)
  #rest = Buffer.alloc(0)

  push(chunk: Uint8Array): void {
    if (this.#head.length < headLength)
      this.#head = Buffer.concat([this.#head, chunk]).subarray(0, headLength)
    this.#count(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]), false)
  }

  /** @param charset what the server says */
  end(charset: string | undefined): Encoding {
    this.#count(this.#rest, true)
    const wide = wideEncodingOf(this.#head)
    const declared = [charset, declaredIn(this.#head)]
      .map(known)
      .find((label) => label !== undefined && label !== 'utf-8')
    if (!wide && (declared === undefined || this.#valid > this.invalid)) return this.#ofBytes()
    // ISO-2022-JP has only bytes of ASCII, and so always looks like UTF-8.
    const isUtf8 = this.invalid === 0 && declared !== 'iso-2022-jp'
    this.invalid = 0
    return wide ?? ((!isUtf8 && declared) || 'utf-8')
  }

  #ofBytes(): Encoding {
    if (this.invalid === 0) return 'utf-8'
    // By accident a few pairs of French Windows-1252 are UTF-8, such as É and a no-break space.
    return this.#valid * 10 < this.invalid ? 'windows-1252' : 'mixed'
  }

  #count(bytes: Uint8Array, isLast: boolean): void {
    const { valid, invalid, rest } = scanUtf8(bytes, isLast)
    this.#valid += valid
    this.invalid += invalid.length
    this.#rest = Buffer.from(bytes.subarray(rest))
  }
}

function known(label: string | undefined): string | undefined {
  try {
    const { encoding } = new TextDecoder(label ?? '')
    // The bytes show whether they are wide; a declaration that can be read as ASCII shows that they are not.
    return encoding.startsWith('utf-16') ? undefined : encoding
  } catch {
    return undefined
  }
}

function wideEncodingOf([first, second]: Buffer): string | undefined {
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return 'utf-16le'
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) return 'utf-16be'
  return undefined
}

function declaredIn(head: Buffer): string | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8'
  return /^[^<]*<\?xml[^>]*\sencoding\s*=\s*["']\s*([\w.:-]{2,40})/.exec(head.toString('latin1'))?.[1]
}

/** The sequences of UTF-8 that are no ASCII, where bytes are none, and where a sequence begins that may go on. */
function scanUtf8(bytes: Uint8Array, isLast: boolean): { valid: number; invalid: number[]; rest: number } {
  const invalid: number[] = []
  let valid = 0
  let at = 0
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0
    if (lead < 0x80) {
      at += 1
      continue
    }
    const needed = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    let seen = 0
    while (
      seen < needed &&
      at + seen + 1 < bytes.length &&
      continues(lead, bytes[at + seen + 1] ?? 0, seen)
    ) {
      seen += 1
    }
    if (needed > 0 && seen === needed) {
      valid += 1
      at += needed + 1
    } else if (needed > 0 && !isLast && at + seen + 1 === bytes.length) break
    else {
      invalid.push(at)
      at += 1
    }
  }
  return { valid, invalid, rest: at }
}

/** RFC 3629 §4: no overlong form, no surrogate, nothing beyond U+10FFFF. */
function continues(lead: number, byte: number, position: number): boolean {
  const first = position === 0
  const low = first && lead === 0xe0 ? 0xa0 : first && lead === 0xf0 ? 0x90 : 0x80
  const high = first && lead === 0xed ? 0x9f : first && lead === 0xf4 ? 0x8f : 0xbf
  return byte >= low && byte <= high
}

/** A decoder of a document's chunks, in order; it is called without a chunk at the end. */
export function createDecoder(encoding: Encoding, repairs: Repairs): (chunk?: Uint8Array) => string {
  if (encoding === 'mixed') return createMixedDecoder()
  const decoder = new TextDecoder(encoding)
  return (chunk) => {
    const text = chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    // In UTF-8 that was found valid it is the author's own.
    if (encoding !== 'utf-8' && text.includes('\uFFFD')) repairs.bytes += text.split('\uFFFD').length - 1
    return text
  }
}

/** Decides for each text between two tags, so that one cut or pasted character spoils no other text. */
function createMixedDecoder(): (chunk?: Uint8Array) => string {
  let held = Buffer.alloc(0)
  return (chunk) => {
    const bytes = chunk ? Buffer.concat([held, chunk]) : held
    const texts: string[] = []
    let from = 0
    for (;;) {
      const end = endOfRun(bytes, from)
      if (end === undefined) break
      texts.push(decodeRun(bytes.subarray(from, end)))
      from = end
    }
    held = Buffer.from(bytes.subarray(from))
    if (!chunk) texts.push(decodeRun(held))
    return texts.join('')
  }
}

function endOfRun(bytes: Buffer, from: number): number | undefined {
  const found = bytes.indexOf('<', from + 1)
  if (found >= 0 && found - from <= maxRun) return found
  if (bytes.length - from <= maxRun) return undefined
  return from + scanUtf8(bytes.subarray(from, from + maxRun), false).rest
}

const utf8 = new TextDecoder('utf-8')
const windows1252 = new TextDecoder('windows-1252')

function decodeRun(bytes: Uint8Array): string {
  const { valid, invalid } = scanUtf8(bytes, true)
  if (invalid.length > valid) return windows1252.decode(bytes)
  let from = 0
  const texts = invalid.map((at) => {
    const before = utf8.decode(bytes.subarray(from, at))
    from = at + 1
    return before + windows1252.decode(bytes.subarray(at, at + 1))
  })
  return texts.join('') + utf8.decode(bytes.subarray(from))
}
