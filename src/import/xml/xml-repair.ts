import { doctypeRefused } from './doctype.ts'
import type { Repairs } from './repairs.ts'

interface Options {
  repairs: Repairs
  write: (xml: string) => void
  /** Characters between two tags; what comes after them is dropped. */
  maxText: number
  /** A text was longer. */
  onTruncated: () => void
  /** How far ahead a decision looks: longer than any tag of a real export. What does not end before is text. */
  lookAhead?: number
}

// eslint-disable-next-line no-control-regex -- what XML cannot hold
const controls = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g
const reference = /&(?:(#\d{1,7}|#[xX][\da-fA-F]{1,6})|([a-zA-Z][a-zA-Z0-9]{1,31}));/y
/** The name is looked at once: given back letter by letter, a long one that ends nowhere would take hours. */
const tag = /<(\/?)(?=([^\s/>"'=<!?]+))\2(?:"[^"]*"|'[^']*'|[^"'<>])*>/y
const itemInside = /.<\/?(?:item|entry)[\s>]/s
const markupStart = /^(?:[!?]|\/?[\p{L}_:])/u
const isName = /[\p{L}\p{N}_:.-]/u
const instruction = /^<\?[\p{L}_].*?\?>/su
/** Without an internal subset. */
const doctype = /^<!doctype(?:"[^"]*"|'[^']*'|[^"'<>[])*>/i
const xmlEntities = new Set(['amp', 'lt', 'gt', 'quot', 'apos'])
const cdata = '<![CDATA['
/** A parser holds each reference of a text by itself, until a comment makes it let go. */
const maxHeld = 65_536

/**
 * Turns the almost-XML of real exports into XML, in a stream: bare ampersands, undefined entities, control
 * characters and CDATA sections that end too early are repaired and counted; comments, processing instructions and a
 * document type without declarations are dropped. Nothing is decided before `lookAhead` characters have come, and
 * nothing behind them is looked at: where the chunks were cut makes no difference.
 * @throws DomainError `doctype_refused`
 */
export class XmlRepair {
  /** Line breaks in what was not passed on. */
  droppedLines = 0
  readonly #options: Options
  readonly #lookAhead: number
  #buffer = ''
  #state: 'text' | 'cdata' | 'comment' = 'text'
  /** The element that was opened last: a CDATA section is in it. */
  #element = ''
  /** What stands open. */
  readonly #elements: string[] = []
  #textLength = 0
  #out: string[] = []

  constructor(options: Options) {
    this.#options = options
    this.#lookAhead = options.lookAhead ?? 65_536
  }

  push(chunk: string): void {
    this.#buffer += chunk.replace(controls, () => {
      this.#options.repairs.characters += 1
      return ''
    })
    // In small chunks, what is held back would be looked through again and again.
    if (this.#buffer.length >= 1.25 * this.#lookAhead) this.#run(this.#buffer.length - this.#lookAhead)
  }

  end(): void {
    this.#run(this.#buffer.length)
  }

  /** Handles what begins before `certain`. */
  #run(certain: number): void {
    let at = 0
    while (at < certain) at = this.#step(at)
    this.#buffer = this.#buffer.slice(at)
    this.#flush()
  }

  #flush(): void {
    if (this.#out.length > 0) this.#options.write(this.#out.join(''))
    this.#out = []
  }

  /** Handles one piece from `at`; the position after it. */
  #step(at: number): number {
    if (this.#state === 'text') return this.#stepText(at)
    if (this.#state === 'cdata') return this.#stepCdata(at)
    return this.#stepComment(at)
  }

  #stepComment(at: number): number {
    const end = this.#buffer.indexOf('-->', at)
    if (end >= 0) this.#state = 'text'
    const next = end < 0 ? this.#endBefore(at) : end + 3
    this.#drop(this.#buffer.slice(at, next))
    return next
  }

  /** A terminator of three characters that is not in the buffer may begin at its end. */
  #endBefore(at: number): number {
    return Math.max(at + 1, this.#buffer.length - 2)
  }

  #stepText(at: number): number {
    if (this.#textLength > this.#options.maxText) {
      const markup = this.#buffer.indexOf('<', at)
      const next = markup < 0 ? this.#buffer.length : markup
      this.#drop(this.#buffer.slice(at, next))
      if (next > at) return next
    }
    const special = /[<&\]]/g
    special.lastIndex = at
    const index = special.exec(this.#buffer)?.index ?? this.#buffer.length
    if (index > at) {
      this.#text(this.#buffer.slice(at, index))
      return index
    }
    if (this.#buffer[at] === '&') return this.#stepReference(at)
    if (this.#buffer[at] === '<') return this.#stepMarkup(at)
    if (!this.#buffer.startsWith(']]>', at)) {
      this.#text(']')
      return at + 1
    }
    this.#options.repairs.sections += 1
    this.#text(']]&gt;', true)
    return at + 3
  }

  #stepReference(at: number): number {
    reference.lastIndex = at
    const found = reference.exec(this.#buffer)
    this.#text(this.#repairReference(found), true)
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
      // XML knows no capital X.
      if (isCharacter(number)) return whole.replace('X', 'x')
      repairs.characters += 1
      return ''
    }
    if (xmlEntities.has(name)) return whole
    // Kept as the text `&nbsp;`: every field of an export is HTML, and is read as such later.
    repairs.entities += 1
    return `&amp;${name};`
  }

  #stepMarkup(at: number): number {
    const buffer = this.#buffer
    if (!markupStart.test(buffer.slice(at + 1, at + 3))) return this.#bracket(at)
    if (buffer.startsWith(cdata, at)) {
      this.#out.push(cdata)
      this.#state = 'cdata'
      return at + cdata.length
    }
    if (buffer.startsWith('<!--', at)) {
      this.#state = 'comment'
      return at + 4
    }
    const window = buffer.slice(at, at + this.#lookAhead)
    if (/^<!(?:doctype|entity)/i.test(window) && !doctype.test(window)) throw doctypeRefused()
    const [dropped] = doctype.exec(window) ?? instruction.exec(window) ?? []
    if (dropped !== undefined) {
      this.#drop(dropped)
      return at + dropped.length
    }
    tag.lastIndex = at
    const found = tag.exec(buffer)
    // A quotation mark that is never closed would take whole items for one tag.
    const isTag = found && found[0].length <= this.#lookAhead && !itemInside.test(found[0])
    return isTag ? this.#tag(found, at) : this.#bracket(at)
  }

  #bracket(at: number): number {
    this.#options.repairs.brackets += 1
    this.#text('&lt;', true)
    return at + 1
  }

  #tag([whole, slash, name = '']: RegExpExecArray, at: number): number {
    this.#textLength = 0
    if (slash === '') {
      this.#element = name
      if (!whole.endsWith('/>')) this.#elements.push(name)
    }
    if (slash === '' || this.#close(name))
      this.#out.push(whole.includes('&') ? this.#repairReferences(whole) : whole)
    else this.#options.repairs.tags += 1
    return at + whole.length
  }

  /** A parser closes everything that is open over a tag that closes nothing. */
  #close(name: string): boolean {
    const depth = this.#elements.lastIndexOf(name)
    if (depth >= 0) this.#elements.length = depth
    return depth >= 0
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

  #stepCdata(at: number): number {
    const found = this.#buffer.indexOf(']]>', at)
    const end = found < 0 ? this.#endBefore(at) : found
    if (end > at) {
      this.#text(this.#buffer.slice(at, end))
      return end
    }
    if (this.#isEndOfSection(this.#buffer.slice(end + 3, end + this.#lookAhead))) {
      this.#out.push(']]>')
      this.#state = 'text'
    } else {
      this.#options.repairs.sections += 1
      this.#text(']]]]><![CDATA[>', true)
    }
    return end + 3
  }

  /**
   * Where its element ends or another section begins, maybe behind text, comments and instructions; any other `]]>`
   * is part of the text.
   */
  #isEndOfSection(after: string): boolean {
    let at = 0
    for (;;) {
      const next = at + after.slice(at).search(/<|\]\]>/)
      if (next < at || after[next] === ']') return false
      const terminator = after.startsWith('<!--', next)
        ? '-->'
        : after.startsWith('<?', next)
          ? '?>'
          : undefined
      if (terminator === undefined) {
        const closing = `</${this.#element}`
        return (
          after.startsWith(cdata, next) ||
          (after.startsWith(closing, next) && !isName.test(after[next + closing.length] ?? ''))
        )
      }
      const end = after.indexOf(terminator, next + 2)
      if (end < 0) return false
      at = end + terminator.length
    }
  }

  /** @param isWhole a reference or the seam of a section, which is never cut in two */
  #text(text: string, isWhole = false): void {
    const room = Math.max(0, this.#options.maxText - this.#textLength)
    this.#textLength += text.length
    const kept = text.length <= room ? text : isWhole ? '' : text.slice(0, room)
    if (kept !== '') this.#out.push(kept)
    if (this.#state === 'text' && this.#textLength % maxHeld < text.length) this.#out.push('<!---->')
    if (kept === text) return
    this.#drop(text.slice(kept.length))
    this.#options.onTruncated()
  }

  /** What has been written before is parsed first, so that a line is counted where it was. */
  #drop(text: string): void {
    const lines = text.split('\n').length - 1
    if (lines === 0) return
    this.#flush()
    this.droppedLines += lines
  }
}

function isCharacter(reference: string): boolean {
  const code = /^#[xX]/.test(reference) ? parseInt(reference.slice(2), 16) : Number(reference.slice(1))
  const isControl = code < 0x20 && code !== 9 && code !== 10 && code !== 13
  const isSurrogate = code >= 0xd800 && code <= 0xdfff
  return !isControl && !isSurrogate && code !== 0xfffe && code !== 0xffff && code <= 0x10ffff
}
