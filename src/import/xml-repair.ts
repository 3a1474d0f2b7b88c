import { DomainError } from '../errors.ts'

/** How often each kind of malformation was put right. */
export interface Repairs {
  /** A bare `&`. */
  ampersands: number
  /** An HTML entity that XML does not know, such as `&nbsp;`. */
  entities: number
  /** A control character or a reference to one. */
  characters: number
  /** A `<` that opens nothing. */
  brackets: number
  /** `]]>` inside a CDATA section or in plain text. */
  sections: number
  /** Bytes that are not in the encoding of the file. */
  bytes: number
  /** Tags that do not match. */
  tags: number
}

export const noRepairs = (): Repairs => ({
  ampersands: 0,
  entities: 0,
  characters: 0,
  brackets: 0,
  sections: 0,
  bytes: 0,
  tags: 0,
})

interface Options {
  repairs: Repairs
  write: (xml: string) => void
  /** Characters between two tags; what comes after them is dropped. */
  maxText: number
  /** A text was longer. */
  onTruncated: () => void
}

/** Longer than any tag of a real export; what does not end before is text. */
const maxTag = 65_536
const maxReference = 40
/** White space and a closing tag behind the end of a CDATA section. */
const maxGap = 200

// eslint-disable-next-line no-control-regex -- what XML cannot hold
const controls = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g
const reference = /&(?:(#\d{1,7}|#[xX][\da-fA-F]{1,6})|([a-zA-Z][a-zA-Z0-9]{1,31}));/y
const tag = /<(\/?)([^\s/>"'=<!?]+)(?:"[^"]*"|'[^']*'|[^"'<>])*>/y
/** The beginning of a tag whose end has not arrived yet. */
const openTag = /^<\/?[^\s/>"'=<!?]*(?:"[^"]*"|'[^']*'|[^"'<>])*(?:"[^"]*|'[^']*)?$/
const nameStart = /[\p{L}_:]/u
const xmlEntities = new Set(['amp', 'lt', 'gt', 'quot', 'apos'])
const cdata = '<![CDATA['

/**
 * Turns the almost-XML of real exports into XML, in a stream: bare ampersands, undefined entities, control
 * characters and CDATA sections that end too early are repaired and counted; comments and processing instructions
 * are dropped. Holds back at most one tag's worth of text.
 * @throws DomainError `doctype_refused`: a document type can define entities, and no export has one
 */
export class XmlRepair {
  /** Line breaks in what was not passed on. */
  droppedLines = 0
  readonly #options: Options
  #buffer = ''
  #state: 'text' | 'cdata' | 'comment' | 'instruction' = 'text'
  /** The element whose CDATA section is open. */
  #element = ''
  #textLength = 0
  #out: string[] = []

  constructor(options: Options) {
    this.#options = options
  }

  push(chunk: string): void {
    this.#run(chunk, false)
  }

  end(): void {
    this.#run('', true)
  }

  #run(chunk: string, isLast: boolean): void {
    this.#buffer += chunk.replace(controls, () => {
      this.#options.repairs.characters += 1
      return ''
    })
    let at = 0
    for (;;) {
      const next = this.#step(at, isLast)
      if (next === undefined) break
      at = next
    }
    const rest = this.#rest(at, isLast)
    this.#buffer = this.#buffer.slice(rest)
    if (this.#out.length > 0) this.#options.write(this.#out.join(''))
    this.#out = []
  }

  /** Emits what is certain and says from where on to wait for more. */
  #rest(at: number, isLast: boolean): number {
    if (this.#state === 'comment' || this.#state === 'instruction') {
      const rest = isLast ? this.#buffer.length : Math.max(at, this.#buffer.length - 2)
      this.#drop(this.#buffer.slice(at, rest))
      return rest
    }
    if (isLast) this.#text(this.#buffer.slice(at))
    return isLast ? this.#buffer.length : at
  }

  /** Handles one piece from `at`; the position after it, or undefined where more input is needed. */
  #step(at: number, isLast: boolean): number | undefined {
    if (at >= this.#buffer.length) return undefined
    if (this.#state === 'text') return this.#stepText(at, isLast)
    if (this.#state === 'cdata') return this.#stepCdata(at, isLast)
    const terminator = this.#state === 'comment' ? '-->' : '?>'
    const end = this.#buffer.indexOf(terminator, at)
    if (end < 0) return undefined
    this.#drop(this.#buffer.slice(at, end))
    this.#state = 'text'
    return end + terminator.length
  }

  #stepText(at: number, isLast: boolean): number | undefined {
    const special = /[<&\]]/g
    special.lastIndex = at
    const found = special.exec(this.#buffer)
    if (!found) {
      this.#text(this.#buffer.slice(at))
      return this.#buffer.length
    }
    if (found.index > at) {
      this.#text(this.#buffer.slice(at, found.index))
      return found.index
    }
    if (found[0] === '&') return this.#stepReference(at, isLast)
    if (found[0] === '<') return this.#stepMarkup(at, isLast)
    if (this.#isShort(at, 3, isLast)) return undefined
    if (!this.#buffer.startsWith(']]>', at)) {
      this.#text(']')
      return at + 1
    }
    this.#options.repairs.sections += 1
    this.#text(']]&gt;')
    return at + 3
  }

  #stepReference(at: number, isLast: boolean): number | undefined {
    reference.lastIndex = at
    const found = reference.exec(this.#buffer)
    if (!found && this.#isShort(at, maxReference, isLast) && !this.#buffer.slice(at + 1).match(/[^\w#]/)) {
      return undefined
    }
    this.#text(this.#repairReference(found))
    return at + (found?.[0].length ?? 1)
  }

  #repairReference(found: RegExpExecArray | null): string {
    const { repairs } = this.#options
    if (!found) {
      repairs.ampersands += 1
      return '&amp;'
    }
    const [whole, number, name = ''] = found
    if (number !== undefined) {
      if (isCharacter(number)) return whole
      repairs.characters += 1
      return ''
    }
    if (xmlEntities.has(name)) return whole
    // Kept as the text `&nbsp;`: every field of an export is HTML, and is read as such later.
    repairs.entities += 1
    return `&amp;${name};`
  }

  #stepMarkup(at: number, isLast: boolean): number | undefined {
    const buffer = this.#buffer
    if (this.#isShort(at, cdata.length, isLast) && !buffer.includes('>', at)) return undefined
    if (buffer.startsWith(cdata, at)) {
      this.#out.push(cdata)
      this.#state = 'cdata'
      return at + cdata.length
    }
    if (buffer.startsWith('<!--', at)) return this.#skip('comment', at + 4)
    if (buffer.startsWith('<?', at)) return this.#skip('instruction', at + 2)
    if (/^<!doctype|^<!entity/i.test(buffer.slice(at, at + 9))) throw doctypeRefused()
    if (nameStart.test(buffer.charAt(at + (buffer.charAt(at + 1) === '/' ? 2 : 1)))) {
      tag.lastIndex = at
      const found = tag.exec(buffer)
      if (found) return this.#tag(found, at)
      if (this.#isShort(at, maxTag, isLast) && openTag.test(buffer.slice(at))) return undefined
    }
    this.#options.repairs.brackets += 1
    this.#text('&lt;')
    return at + 1
  }

  #tag(found: RegExpExecArray, at: number): number {
    const [whole, slash, name = ''] = found
    this.#textLength = 0
    if (slash === '') this.#element = name
    this.#out.push(whole.includes('&') ? this.#repairReferences(whole) : whole)
    return at + whole.length
  }

  #repairReferences(text: string): string {
    return text.replace(/&/g, (_ampersand, index: number) => {
      reference.lastIndex = index
      const found = reference.exec(text)
      if (found?.[1] !== undefined || xmlEntities.has(found?.[2] ?? '')) return '&'
      this.#options.repairs.ampersands += 1
      return '&amp;'
    })
  }

  #skip(state: 'comment' | 'instruction', at: number): number {
    this.#state = state
    return at
  }

  /** A section ends where its element ends, or another section begins; any other `]]>` is part of the text. */
  #stepCdata(at: number, isLast: boolean): number | undefined {
    const buffer = this.#buffer
    const end = buffer.indexOf(']]>', at)
    if (end < 0) {
      const certain = isLast ? buffer.length : buffer.length - 2
      if (certain <= at) return undefined
      this.#text(buffer.slice(at, certain))
      return certain
    }
    if (end > at) {
      this.#text(buffer.slice(at, end))
      return end
    }
    const after = buffer.slice(end + 3, end + 3 + maxGap).trimStart()
    if (
      after.length < Math.max(cdata.length, this.#element.length + 2) &&
      this.#isShort(end, 3 + maxGap, isLast)
    ) {
      if (!`</${this.#element}`.startsWith(after) && !cdata.startsWith(after)) return this.#insideCdata(end)
      return undefined
    }
    const isEnd = after.startsWith(`</${this.#element}`) || after.startsWith(cdata)
    if (!isEnd && !isLast) return this.#insideCdata(end)
    this.#out.push(']]>')
    this.#state = 'text'
    return end + 3
  }

  #insideCdata(end: number): number {
    this.#options.repairs.sections += 1
    this.#text(']]]]><![CDATA[>')
    return end + 3
  }

  #isShort(at: number, needed: number, isLast: boolean): boolean {
    return !isLast && this.#buffer.length - at < needed
  }

  #text(text: string): void {
    const room = this.#options.maxText - this.#textLength
    this.#textLength += text.length
    if (text.length <= room) this.#out.push(text)
    else {
      // A reference or the seam of a section is never cut in two.
      const kept = room > 0 && text.length > 20 ? text.slice(0, room) : ''
      this.#out.push(kept)
      this.#drop(text.slice(kept.length))
      this.#options.onTruncated()
    }
  }

  #drop(text: string): void {
    this.droppedLines += text.split('\n').length - 1
  }
}

function isCharacter(reference: string): boolean {
  const code = /^#[xX]/.test(reference) ? parseInt(reference.slice(2), 16) : Number(reference.slice(1))
  const isControl = code < 0x20 && code !== 9 && code !== 10 && code !== 13
  const isSurrogate = code >= 0xd800 && code <= 0xdfff
  return !isControl && !isSurrogate && code !== 0xfffe && code !== 0xffff && code <= 0x10ffff
}

const doctypeRefused = () =>
  new DomainError(
    'invalid',
    'doctype_refused',
    'The file has a document type (<!DOCTYPE>), which no export of WordPress and no feed needs; remove it and try again.',
  )
