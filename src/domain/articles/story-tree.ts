import { decode } from './article-html.ts'

/** Words of one kind: `b` bold, `i` italic, `s` struck, `u` underlined, `c` code, `^` raised, `_` lowered; a line break is `\n`. */
export type Run = [text: string, marks: string, href?: string]

/** A picture by the name of its file. */
export interface StoryPicture {
  file: string
  alt: string
  caption: Run[]
}

export type StoryBlock =
  | { kind: 'heading' | 'code'; runs: Run[] }
  /** `ltr` or `rtl` where it says so itself, else empty. */
  | { kind: 'paragraph'; direction: string; runs: Run[] }
  | { kind: 'quote'; blocks: StoryBlock[] }
  | { kind: 'list'; start: number | null; items: StoryBlock[][] }
  | ({ kind: 'picture' } & StoryPicture)
  | { kind: 'table'; rows: Cell[][] }
  | { kind: 'rule' }

/** A row's cells are as wide together as those of every other row. */
interface Cell {
  runs: Run[]
  width: number
  isHead: boolean
}

/** Lists within lists, quotes within quotes: what is deeper stands at this depth. */
const deepest = 5
const mostColumns = 12
/** Setting a paragraph takes longer than its length: one that no page holds is set as several. */
const longest = { characters: 6_000, runs: 600 }

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
  'p h2 h3 h4 h5 h6 div ul ol li dl dt dd blockquote figure figcaption table caption pre address details summary'.split(
    ' ',
  ),
)
const voidTags = new Set(['source', 'wbr'])

/** What no face of the program has goes; a word that is wider than a column may break. */
export const printable = (text: string): string =>
  text
    .replace(/\p{Emoji_Presentation}|\p{Emoji_Modifier}|\u200d|\ufe0f|(?![\n\t])\p{Cc}/gu, '')
    .replace(/\S{30}(?=\S)/gu, '$&\u200b')

function attributeOf(tag: string, name: string): string {
  const at = tag.indexOf(` ${name}="`)
  return at < 0 ? '' : decode(tag.slice(at + name.length + 3, tag.indexOf('"', at + name.length + 3)))
}
const numberIn = (tag: string, name: string): number => Number.parseInt(attributeOf(tag, name), 10) || 1

/** What surrounds the words that are being read. */
interface Place {
  into: StoryBlock[]
  marks: string
  href: string | undefined
  isCode: boolean
  depth: number
  items?: StoryBlock[][] | undefined
  rows?: OpenCell[][] | undefined
}
type OpenCell = Cell & { height: number }

/**
 * Sanitised HTML as a small tree of words and their kinds, never deeper than a page shows.
 * @param ask for a picture: its file and what it shows; undefined where there is none
 */
export function treeOf(
  html: string,
  ask: (url: string, alt: string) => Omit<StoryPicture, 'caption'> | undefined,
): StoryBlock[] {
  const pieces = html.split(/(<[^<>]*>)/)
  let at = 0
  /** Of the block that is being read. */
  let runs: Run[] = []

  const say = (given: string, { marks, href, isCode }: Place) => {
    const last = runs.at(-1)
    const text = printable(isCode ? given : given.replace(/[ \t\n\r\f]+/g, ' '))
    const words = !isCode && (!last || /[ \n]$/.test(last[0])) ? text.replace(/^ /, '') : text
    if (words === '') return
    if (last && last[0] !== '\n' && last[1] === marks && last[2] === href) last[0] += words
    else runs.push(href ? [words, marks, href] : [words, marks])
  }
  const end = (into: StoryBlock[], kind: 'paragraph' | 'heading' | 'code' = 'paragraph', direction = '') => {
    const ended = trim(runs)
    runs = []
    if (kind !== 'paragraph') into.push(...(ended.length > 0 ? [{ kind, runs: ended }] : []))
    else into.push(...partsOf(ended).map((part) => ({ kind, direction, runs: part })))
  }
  const read = (name: string | undefined, place: Place) => {
    while (at < pieces.length) {
      const piece = pieces[at++] ?? ''
      const [, slash, tag] = /^<(\/?)(\w+)/.exec(piece) ?? []
      if (tag === undefined) say(decode(piece), place)
      else if (slash === '') open(tag, piece, place)
      else if (tag === name) return
    }
  }
  /** Blocks of their own, whatever stands around them. */
  const within = (name: string, place: Place): StoryBlock[] => {
    const into: StoryBlock[] = []
    read(name, { ...place, into, items: undefined, rows: undefined })
    end(into)
    return into
  }
  const openTable = (tag: string, place: Place) => {
    const rows: OpenCell[][] = []
    const beside: StoryBlock[] = []
    read(tag, { ...place, into: beside, rows })
    end(beside)
    const square = squareOf(rows)
    if (square[0]?.length) place.into.push({ kind: 'table', rows: square })
    place.into.push(...beside)
  }
  const open = (name: string, tag: string, place: Place) => {
    const { into, depth, items, rows } = place
    if (blockTags.has(name)) end(into)
    const mark = markOf[name] ?? ''
    const marks = place.marks.includes(mark) ? place.marks : place.marks + mark
    if (voidTags.has(name)) return
    if (name === 'br') runs.push(['\n', ''])
    else if (name === 'hr') into.push({ kind: 'rule' })
    else if (name === 'img') {
      const picture = ask(attributeOf(tag, 'src'), attributeOf(tag, 'alt'))
      if (!picture) return
      end(into)
      into.push({ kind: 'picture', ...picture, caption: [] })
    } else if (name === 'figcaption') {
      const blocks = within(name, place)
      const last = into.at(-1)
      if (last?.kind === 'picture') last.caption = wordsOf(blocks)
      else into.push(...blocks)
    } else if (name === 'blockquote' && depth < deepest) {
      into.push({ kind: 'quote', blocks: within(name, { ...place, depth: depth + 1 }) })
    } else if ((name === 'ul' || name === 'ol') && depth < deepest) {
      const listed: StoryBlock[][] = []
      read(name, { ...place, depth: depth + 1, items: listed })
      const filled = listed.filter((item) => item.length > 0)
      const start = name === 'ol' ? numberIn(tag, 'start') : null
      if (filled.length > 0) into.push({ kind: 'list', start, items: filled })
    } else if (name === 'li' && items) items.push(within(name, place))
    else if (name === 'table') openTable(name, place)
    else if (name === 'tr') {
      rows?.push([])
      read(name, place)
    } else if ((name === 'td' || name === 'th') && rows?.[0]) {
      const [width, height] = [numberIn(tag, 'colspan'), numberIn(tag, 'rowspan')]
      rows.at(-1)?.push({ runs: wordsOf(within(name, place)), width, height, isHead: name === 'th' })
    } else {
      const href = name === 'a' ? attributeOf(tag, 'href') : place.href
      read(name, { ...place, marks, href, isCode: place.isCode || name === 'pre' })
      if (/^h\d$/.test(name)) end(into, 'heading')
      else if (name === 'pre') end(into, 'code')
      else if (blockTags.has(name)) end(into, 'paragraph', attributeOf(tag, 'dir'))
    }
  }

  const into: StoryBlock[] = []
  read(undefined, { into, marks: '', href: undefined, isCode: false, depth: 0 })
  end(into)
  return into
}

function trim(runs: Run[]): Run[] {
  const isBlank = ([text]: Run) => text.trim() === ''
  const from = runs.findIndex((run) => !isBlank(run))
  return from < 0 ? [] : runs.slice(from, runs.findLastIndex((run) => !isBlank(run)) + 1)
}

function partsOf(runs: Run[]): Run[][] {
  const parts: Run[][] = []
  let length = Infinity
  for (const [text, ...rest] of runs) {
    for (const words of text.match(/[^]{1,6000}(?=\s|$)|[^]{1,6000}/g) ?? []) {
      length += words.length
      const part = parts.at(-1)
      if (part && length <= longest.characters && part.length < longest.runs) part.push([words, ...rest])
      else {
        parts.push([[words, ...rest]])
        length = words.length
      }
    }
  }
  return parts
}

/** Where there is room for words alone: a line for each block. */
const wordsOf = (blocks: StoryBlock[]): Run[] =>
  blocks
    .map((block): Run[] => {
      if (block.kind === 'quote') return wordsOf(block.blocks)
      if (block.kind === 'list') return wordsOf(block.items.flat())
      if (block.kind === 'table') return block.rows.flat().flatMap(({ runs }) => [...runs, [' ', ''] as Run])
      return 'runs' in block ? block.runs : []
    })
    .filter((runs) => runs.length > 0)
    .flatMap((runs, index) => (index === 0 ? runs : [['\n', ''] as Run, ...runs]))

/** Every row filled up to the widest; below a cell of several rows stand empty ones, beyond the last column nothing. */
function squareOf(rows: OpenCell[][]): Cell[][] {
  const empty: Cell = { runs: [], width: 1, isHead: false }
  /** How many rows more the cell above covers, by column. */
  const below: number[] = []
  const filled = rows.map((cells) => {
    const row: Cell[] = []
    let column = 0
    const passCovered = () => {
      for (let rest = below[column] ?? 0; rest > 0; rest = below[column] ?? 0) {
        below[column++] = rest - 1
        row.push(empty)
      }
    }
    for (const { height, ...cell } of cells) {
      passCovered()
      const width = Math.min(cell.width, mostColumns - column)
      if (width <= 0) break
      row.push({ ...cell, width })
      for (const until = column + width; column < until; column++) below[column] = height - 1
    }
    passCovered()
    return { row, width: column }
  })
  const widest = Math.max(0, ...filled.map(({ width }) => width))
  return filled.map(({ row, width }) => [...row, ...Array<Cell>(widest - width).fill(empty)])
}
