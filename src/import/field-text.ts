type Attributes = Record<string, string>

const voidNames = new Set('area base br col embed hr img input link meta source track wbr'.split(' '))
const urlAttributes = new Set(['href', 'src', 'poster', 'cite', 'data'])

export const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** The HTML of one field of a feed or export. Markup that stands in it unescaped is a part of it. */
export class FieldText {
  readonly name: string
  readonly #isPlain: boolean
  readonly #parts: string[] = []
  readonly #open: string[] = []

  /** @param isPlain its text is no HTML: what looks like a tag is meant to be read */
  constructor(name: string, isPlain = false) {
    this.name = name
    this.#isPlain = isPlain
  }

  add(text: string): void {
    this.#parts.push(this.#isPlain || this.#open.length > 0 ? escapeHtml(text) : text)
  }

  /** @param resolve makes a URL absolute where `xml:base` says what it is relative to */
  open(name: string, attributes: Attributes, resolve: (url: string) => string = (url) => url): void {
    const tag = name.replace(/^(?:xhtml|atom):/, '')
    const written = Object.entries(attributes)
      .filter(([key]) => !key.startsWith('xml'))
      .map(([key, value]) => {
        const url = urlAttributes.has(key) ? resolve(value) : value
        return ` ${key}="${url.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"`
      })
    this.#open.push(tag)
    this.#parts.push(`<${tag}${written.join('')}>`)
  }

  /** Elements in it that stand open. */
  get depth(): number {
    return this.#open.length
  }

  /** False where the end is the field's own. */
  close(): boolean {
    const tag = this.#open.pop()
    if (tag !== undefined && !voidNames.has(tag)) this.#parts.push(`</${tag}>`)
    return tag !== undefined
  }

  html(): string {
    return this.#parts.join('')
  }
}
