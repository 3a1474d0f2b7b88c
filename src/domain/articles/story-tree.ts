import { decode } from './article-html.ts'

/** Words of one kind: `b` bold, `i` italic, `s` struck, `u` underlined, `c` code, `^` raised, `_` lowered; a line break is `\n`. */
export type Run = [text: string, marks: string, href?: string]

export type StoryBlock =
  | { kind: 'heading' | 'code'; runs: Run[] }
  /** `ltr` or `rtl` where it says so itself, else empty. */
  | { kind: 'paragraph'; direction: string; runs: Run[] }
  | { kind: 'quote'; blocks: StoryBlock[] }
  | { kind: 'list'; start: number | null; items: StoryBlock[][] }
  | { kind: 'picture'; url: string; alt: string; caption: Run[] }
  | { kind: 'table'; rows: Cell[][] }
  | { kind: 'rule' }

/** A row's cells are as wide together as those of every other row. */
export interface Cell {
  runs: Run[]
  width: number
  isHead: boolean
}

/** Lists within lists, quotes within quotes: what is deeper stands at this depth. */
const deepest = 5
const mostColumns = 12

const markOf: Record<string, string> = {
  ...{
    b: 'b',
    strong: 'b',
    dt: 'b',
    summary: 'b',
    em: 'i',
    i: 'i',
    cite: 'i',
    dfn: 'i',
    var: 'i',
    address: 'i',
  },
  ...{ s: 's', del: 's', u: 'u', ins: 'u', code: 'c', kbd: 'c', samp: 'c', sup: '^', sub: '_' },
}
const blockTags = new Set(
  'p h2 h3 h4 h5 h6 div ul ol li dl dt dd blockquote figure figcaption table caption tr td th pre address details summary'.split(
    ' ',
  ),
)

/** What the program sets: sanitised HTML as a small tree of words and their kinds, never deeper than a page shows. */
export function treeOf(html: string): StoryBlock[] {
  const builder = new TreeBuilder()
  for (const piece of html.split(/(<[^<>]*>)/)) {
    const [, slash, name] = /^<(\/?)(\w+)/.exec(piece) ?? []
    if (name === undefined) builder.addText(decode(piece))
    else if (slash === '') builder.open(name, piece)
    else builder.close(name)
  }
  return builder.finish()
}

/** What the faces of the program have no signs for goes; a word that is wider than a column may break. */
export const printable = (text: string): string =>
  text
    .replace(/\p{Emoji_Presentation}|\p{Emoji_Modifier}|\u200d|\ufe0f|(?![\n\t])\p{Cc}/gu, '')
    .replace(/\S{30}(?=\S)/gu, '$&\u200b')

function attributeOf(tag: string, name: string): string {
  const at = tag.indexOf(` ${name}="`)
  return at < 0 ? '' : decode(tag.slice(at + name.length + 3, tag.indexOf('"', at + name.length + 3)))
}

type OpenCell = Cell & { height: number }

class TreeBuilder {
  private readonly root: StoryBlock[] = []
  /** Where blocks go, the innermost last; undefined where a tag opened nothing of its own. */
  private readonly places: (StoryBlock[] | undefined)[] = []
  private readonly lists: (StoryBlock[][] | undefined)[] = []
  private readonly marks: string[] = []
  private readonly links: string[] = []
  private runs: Run[] = []
  private rows: OpenCell[][] | undefined
  private tables = 0
  private isCode = false
  private direction = ''

  addText(given: string): void {
    const cell = this.rows?.at(-1)?.at(-1)
    const runs = cell?.runs ?? this.runs
    const [last] = runs.slice(-1)
    const text = printable(this.isCode ? given : given.replace(/[ \t\n\r\f]+/g, ' '))
    const isAfterSpace = !last || /[ \n]$/.test(last[0])
    const words = isAfterSpace && !this.isCode ? text.replace(/^ /, '') : text
    if (words === '') return
    const marks = [...new Set(this.marks)].join('')
    const href = this.links.at(-1)
    if (last && last[0] !== '\n' && last[1] === marks && last[2] === href) last[0] += words
    else runs.push(href ? [words, marks, href] : [words, marks])
  }

  open(name: string, tag: string): void {
    if (blockTags.has(name)) {
      this.endBlock()
      this.direction = attributeOf(tag, 'dir')
    }
    if (markOf[name]) this.marks.push(markOf[name])
    switch (name) {
      case 'a':
        this.links.push(attributeOf(tag, 'href'))
        break
      case 'br':
        this.breakLine()
        break
      case 'hr':
        this.endBlock()
        if (!this.rows) this.place().push({ kind: 'rule' })
        break
      case 'img':
        this.addPicture(tag)
        break
      case 'pre':
        this.isCode = true
        break
      case 'blockquote':
        this.openQuote()
        break
      case 'ul':
      case 'ol':
        this.openList(name === 'ol' ? Number.parseInt(attributeOf(tag, 'start'), 10) || 1 : null)
        break
      case 'li':
        this.openItem()
        break
      case 'table':
        if (this.tables++ === 0) this.rows = []
        break
      case 'tr':
        if (this.tables === 1) this.rows?.push([])
        break
      case 'td':
      case 'th':
        if (this.tables === 1) this.openCell(name, tag)
        break
    }
  }

  close(name: string): void {
    if (blockTags.has(name)) {
      this.endBlock(name)
      this.direction = ''
    }
    if (markOf[name]) this.marks.pop()
    if (name === 'a') this.links.pop()
    if (name === 'pre') this.isCode = false
    if (name === 'blockquote' || name === 'li') this.places.pop()
    if (name === 'ul' || name === 'ol') this.lists.pop()
    if (name === 'table' && --this.tables === 0) this.closeTable()
  }

  finish(): StoryBlock[] {
    this.endBlock()
    return this.root
  }

  private place(): StoryBlock[] {
    return this.places.findLast((place) => place !== undefined) ?? this.root
  }

  private endBlock(name = 'p'): void {
    if (this.rows) {
      this.breakLine()
      return
    }
    const runs = trim(this.runs)
    this.runs = []
    if (runs.length === 0) return
    const last = this.place().at(-1)
    if (name === 'figcaption' && last?.kind === 'picture') last.caption = runs
    else if (name === 'pre') this.place().push({ kind: 'code', runs })
    else if (/^h\d$/.test(name)) this.place().push({ kind: 'heading', runs })
    else
      for (const part of partsOf(runs))
        this.place().push({ kind: 'paragraph', direction: this.direction, runs: part })
  }

  private breakLine(): void {
    const runs = this.rows ? this.rows.at(-1)?.at(-1)?.runs : this.runs
    if (runs && runs.length > 0 && runs.at(-1)?.[0] !== '\n') runs.push(['\n', ''])
  }

  private addPicture(tag: string): void {
    if (this.rows) return
    this.endBlock()
    const picture = { url: attributeOf(tag, 'src'), alt: attributeOf(tag, 'alt'), caption: [] }
    this.place().push({ kind: 'picture', ...picture })
  }

  private depth(): number {
    return this.places.filter((place) => place !== undefined).length
  }

  private openQuote(): void {
    if (this.depth() >= deepest || this.rows) this.places.push(undefined)
    else {
      const blocks: StoryBlock[] = []
      this.place().push({ kind: 'quote', blocks })
      this.places.push(blocks)
    }
  }

  private openList(start: number | null): void {
    if (this.depth() >= deepest || this.rows) this.lists.push(undefined)
    else {
      const items: StoryBlock[][] = []
      this.place().push({ kind: 'list', start, items })
      this.lists.push(items)
    }
  }

  private openItem(): void {
    const list = this.lists.at(-1)
    const blocks: StoryBlock[] | undefined = list && []
    if (list && blocks) list.push(blocks)
    this.places.push(blocks)
  }

  private openCell(name: string, tag: string): void {
    const span = (of: string) => Math.min(mostColumns, Number.parseInt(attributeOf(tag, of), 10) || 1)
    this.rows
      ?.at(-1)
      ?.push({ runs: [], width: span('colspan'), height: span('rowspan'), isHead: name === 'th' })
  }

  private closeTable(): void {
    const rows = squareOf(this.rows ?? [])
    this.rows = undefined
    if (rows[0]?.length) this.place().push({ kind: 'table', rows })
    // What was written beside the cells: its caption.
    this.endBlock()
  }
}

function trim(runs: Run[]): Run[] {
  const isBlank = ([text]: Run) => text.trim() === ''
  const from = runs.findIndex((run) => !isBlank(run))
  return from < 0 ? [] : runs.slice(from, runs.findLastIndex((run) => !isBlank(run)) + 1)
}

/** Setting a paragraph takes longer than its length: one that no page holds is set as several. */
const longest = { characters: 6_000, runs: 600 }

function partsOf(runs: Run[]): Run[][] {
  const parts: Run[][] = []
  let length = 0
  for (const [text, ...rest] of runs) {
    for (const words of text.match(/[^]{1,6000}(?=\s|$)|[^]{1,6000}/g) ?? []) {
      const part = parts.at(-1)
      length += words.length
      if (part && length <= longest.characters && part.length < longest.runs) part.push([words, ...rest])
      else {
        parts.push([[words, ...rest]])
        length = words.length
      }
    }
  }
  return parts
}

/** Every row filled up to the widest; below a cell of several rows stand empty ones, beyond the last column nothing. */
function squareOf(rows: OpenCell[][]): Cell[][] {
  const empty = (): Cell => ({ runs: [], width: 1, isHead: false })
  const below: number[] = []
  const filled = rows.map((cells) => {
    const row: Cell[] = []
    let column = 0
    const passCovered = () => {
      for (; (below[column] ?? 0) > 0; column++) {
        below[column] = (below[column] ?? 0) - 1
        row.push(empty())
      }
    }
    for (const { height, ...cell } of cells) {
      passCovered()
      if (column >= mostColumns) break
      const width = Math.min(cell.width, mostColumns - column)
      row.push({ ...cell, runs: trim(cell.runs), width })
      for (const end = column + width; column < end; column++) below[column] = height - 1
    }
    passCovered()
    return { row, width: column }
  })
  const widest = Math.max(0, ...filled.map(({ width }) => width))
  return filled.map(({ row, width }) => [...row, ...Array.from({ length: widest - width }, empty)])
}
