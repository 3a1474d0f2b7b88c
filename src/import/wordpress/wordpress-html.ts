import { replaceShortcodes, type Pictures } from './shortcodes.ts'

/** What the HTML of a post refers to outside itself. */
interface PostContext extends Pictures {
  permalink: string
  /** A synced pattern: what several posts have in common. */
  findPattern: (id: number) => string | undefined
}

/**
 * A post as WordPress stores it, as HTML: comments of the block editor are taken out, shortcodes become what they
 * stand for, text that relies on blank lines gets its paragraphs, and a link to a place in the post itself needs no
 * address. Not sanitised yet.
 */
export function toHtml(content: string, context: PostContext): string {
  const text = withPatterns(content, context)
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
  return splitBlocks(withCovers(text))
    .map(({ isClassic, html }) => {
      const plain = replaceShortcodes(html, context)
      return (isClassic ? toParagraphs(plain) : linkLoneUrls(plain)).trim()
    })
    .filter((html) => html !== '')
    .join('\n')
    .replace(/<p>\s*<\/p>/g, '')
    .replaceAll(`href="${context.permalink}#`, 'href="#')
    .trim()
}

const cover =
  /<(?:div|section)\b[^<>]{0,1000}\bclass="[^"<>]{0,500}\bwp-block-cover[^<>]{0,1000}\bbackground-image:\s?url\((?:&quot;|&#0?39;|')?((?:(?!&quot;|&#0?39;)[^<>"'()]){1,1000})[^<>]{0,1000}>/g

/** The picture behind the words of a cover block that only a style names. */
export const withCovers = (html: string): string => html.replace(cover, '$&<img src="$1" alt="">')

const patternMark = /<!--\s*wp:block\s+\{[^{}]{0,500}?"ref":\s*(\d{1,15})[^{}]{0,500}\}\s*\/-->/g
/** A pattern may hold others, and itself. */
const maxPatternDepth = 4
const maxWithPatterns = 4_000_000

function withPatterns(content: string, { findPattern }: PostContext): string {
  let length = content.length
  const insert = (text: string, depth: number): string =>
    text.replace(patternMark, (mark, id: string) => {
      const pattern = depth > maxPatternDepth ? undefined : findPattern(Number(id))
      length += pattern?.length ?? 0
      return pattern === undefined || length > maxWithPatterns ? mark : insert(pattern, depth + 1)
    })
  return insert(content, 1)
}

const blockMark = /^<!--\s*(\/?)wp:([a-z][\w/-]*)\s/

/** What stands between blocks, and in a `freeform` block, was written in the classic editor. All comments go. */
function splitBlocks(text: string): { isClassic: boolean; html: string }[] {
  const parts: { isClassic: boolean; html: string }[] = []
  let depth = 0
  let isClassic = true
  let html = ''
  const take = () => {
    if (html.trim() !== '') parts.push({ isClassic, html })
    html = ''
  }
  let at = 0
  for (;;) {
    const start = text.indexOf('<!--', at)
    const end = start < 0 ? -1 : text.indexOf('-->', start + 4)
    if (end < 0) break
    html += text.slice(at, start)
    at = end + 3
    const [, slash, name = ''] = blockMark.exec(text.slice(start, Math.min(at, start + 200))) ?? []
    if (slash === undefined) continue
    take()
    if (text.charAt(end - 1) === '/') continue
    depth = Math.max(0, depth + (slash === '/' ? -1 : 1))
    isClassic = depth === 0 || (slash === '' && (name === 'freeform' || name === 'shortcode'))
  }
  html += text.slice(at)
  take()
  return parts
}

const blockTag =
  '(?:p|h[1-6]|ul|ol|li|dl|dt|dd|table|thead|tbody|tfoot|tr|td|th|caption|colgroup|col|blockquote|pre|figure|figcaption|' +
  'div|section|article|aside|header|footer|nav|address|hr|form|fieldset|details|summary|audio|video|iframe|object|embed|script|style|noscript)'
const opening = new RegExp(`(<${blockTag}(?=[\\s/>]))`, 'gi')
const closing = new RegExp(`(</${blockTag}\\s*>)`, 'gi')
const isBlock = new RegExp(`^</?${blockTag}(?=[\\s/>])`, 'i')

/** Blank lines become paragraphs, single line breaks `<br>`; what is in blocks already, and `<pre>`, stays. */
export const toParagraphs = (text: string): string =>
  splitVerbatim(text)
    .map(({ isVerbatim, html }) => (isVerbatim ? html : paragraphsOf(html)))
    .filter((html) => html !== '')
    .join('\n')

const verbatimOpening = /<(pre|script|style|textarea)\b/gi

/** Cuts out whole `<pre>` elements (and scripts), whose line breaks mean what they say. */
function splitVerbatim(text: string): { isVerbatim: boolean; html: string }[] {
  const parts: { isVerbatim: boolean; html: string }[] = []
  const lower = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  // Without a closing tag from here on there is none further on either: never looked for twice.
  const unclosed = new Set<string>()
  let at = 0
  for (const { 1: name = '', index } of lower.matchAll(verbatimOpening)) {
    if (index < at || unclosed.has(name)) continue
    const closing = `</${name}>`
    const end = lower.indexOf(closing, index)
    if (end < 0) {
      unclosed.add(name)
      continue
    }
    parts.push({ isVerbatim: false, html: text.slice(at, index) })
    at = end + closing.length
    parts.push({ isVerbatim: true, html: text.slice(index, at) })
  }
  parts.push({ isVerbatim: false, html: text.slice(at) })
  return parts
}

const paragraphsOf = (text: string): string =>
  withEmphasis(
    text
      .replace(opening, '\n\n$1')
      .replace(closing, '$1\n\n')
      .split(/\n\n+/)
      .map((piece) => piece.trim())
      .filter((piece) => piece !== ''),
  )
    .map((piece) => (isBlock.test(piece) ? piece : toParagraph(piece)))
    .join('\n')

const emphasis = /<(\/?)(strong|em|b|i|u|s|del|ins|mark|small|q|cite)(?:\s[^<>]{0,500})?>/gi
const maxEmphasis = 10
/** Within a paragraph: each end is looked for among them. */
const maxOpen = 100

/** An element that ends in a later paragraph stands in each of them. */
function withEmphasis(pieces: string[]): string[] {
  const marks = pieces.map((piece) =>
    [...piece.matchAll(emphasis)].map(([tag, slash, name = '']) => ({
      tag,
      isEnd: slash !== '',
      name: name.toLowerCase(),
    })),
  )
  const lastEnds = new Map(
    marks.flatMap((some, at) => some.filter(({ isEnd }) => isEnd).map(({ name }) => [name, at] as const)),
  )
  let open: { tag: string; name: string }[] = []
  return pieces.map((piece, at) => {
    const before = open.map(({ tag }) => tag).join('')
    for (const { tag, isEnd, name } of marks[at] ?? []) {
      const last = isEnd ? open.findLastIndex((one) => one.name === name) : -1
      if (!isEnd && open.length < maxOpen) open.push({ tag, name })
      else if (last >= 0) open.splice(last, 1)
    }
    open = open.filter(({ name }) => (lastEnds.get(name) ?? 0) > at).slice(-maxEmphasis)
    if (isBlock.test(piece)) return piece
    const after = open.map(({ name }) => `</${name}>`).reverse()
    return [before, piece, ...after].join('')
  })
}

/** A line break after a `<br>` is the same one. */
const toParagraph = (piece: string): string =>
  `<p>${piece.replace(loneUrl, linkOf).replace(/(<br\s*\/?>)?\n/gi, '<br>\n')}</p>`

/** WordPress turns a URL alone on its line into a player; we link to it. */
const loneUrl = /^https?:\/\/[^\s<>"']+$/gm

const linkLoneUrls = (html: string): string =>
  html.replace(
    /(^|>)\s*(https?:\/\/[^\s<>"']+)\s*(?=<\/(?:div|p|figure)>|$)/g,
    (_all, before: string, url: string) => `${before}${linkOf(url)}`,
  )

const linkOf = (url: string): string => `<a class="embed-link" href="${url}">${url}</a>`
