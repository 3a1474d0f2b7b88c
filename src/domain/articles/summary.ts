import type { Article } from './article.ts'
import { textOf } from './article-html.ts'

const summaryLength = 280

/** What a summary is made from; a story's first paragraph stands before. */
const beginning = 50_000

/** Below it a paragraph is a greeting or a dateline, and the next one goes with it. */
const shortest = 60

const sentences = new Intl.Segmenter('fr', { granularity: 'sentence' })
const endsSentence = /[.!?…؟۔。！？][\s"'»”’)\]]*$/u
/** As in "M. Haddad": the point ends no sentence. */
const endsInTitle = /(?<![\p{L}\p{M}])(?:\p{Lu}|MM|Me|Mr|Mrs|Ms|Dr|Pr|St|Ste)\.$/u

/** What stands for an article where it is not shown whole: what a person wrote for it, else its beginning. */
export const shortTextOf = ({ deck, summary }: Pick<Article, 'deck' | 'summary'>): string =>
  deck || withoutStump(summary)

/**
 * The beginning of the text, at most 280 characters: sentences of one paragraph, or of the next ones too where it is
 * short; captions, code and what is no sentence are passed over.
 */
export function summaryOf(html: string): string {
  const start = html.slice(0, beginning)
  const paragraphs = proseOf(start).map(textOf).filter(Boolean)
  const told = paragraphs.filter((text) => endsSentence.test(text) || /[,،:]$/.test(text))
  let text = ''
  for (const paragraph of told.length > 0 ? told : [paragraphs.join(' ')]) {
    if (text.length < shortest) text = `${text} ${paragraph}`.trim()
  }
  return cutAtSentence(text || textOf(start), summaryLength)
}

/** Whether a summary was made from the text, by this version or one before; a person's own is not. */
export const isMadeFrom = (html: string, summary: string): boolean =>
  summary === summaryOf(html) ||
  proseOf(html.slice(0, beginning))
    .map(textOf)
    .filter(Boolean)
    .join(' ')
    .startsWith(summary.replace(/…$/, ''))

/** At most `length` characters, up to the end of a sentence; the first, where it is longer, to the end of a word. */
export function cutAtSentence(text: string, length: number): string {
  if (text.length <= length) return text
  return sentencesWithin(text, length) || cutAtWord(text, length)
}

/** What a program cut off in the middle of a sentence, such as this one did before, or WordPress does. */
const stump = /\[?(?:…|\.{3})\]?$/

function withoutStump(summary: string): string {
  const end = summary.search(stump)
  return end < summaryLength - 40 ? summary : sentencesWithin(summary, end) || summary
}

function sentencesWithin(text: string, length: number): string {
  let end = 0
  for (const { index, segment } of sentences.segment(text.slice(0, length + 1))) {
    const sentence = segment.trimEnd()
    if (index + sentence.length > length) break
    if (endsSentence.test(sentence) && !endsInTitle.test(sentence)) end = index + sentence.length
  }
  return text.slice(0, end)
}

function cutAtWord(text: string, length: number): string {
  if (length <= 0) return ''
  const cut = text.slice(0, length - 1)
  const space = cut.lastIndexOf(' ')
  const words = space > length / 2 ? cut.slice(0, space) : cut
  return `${words
    .replace(/(?<![\s,;:،؛-])[\s,;:،؛-]+$/u, '')
    .toWellFormed()
    .replace(/\uFFFD$/, '')}…`
}

const blocks = /<\/?(?:p|h\d|li|div|td|th|tr|blockquote|dt|dd|figure|pre|table)\b[^<>]*>/

/** The paragraphs of a text, without what is no running text. */
function proseOf(html: string): string[] {
  let passedOver: string | undefined
  const prose = html.split(/(<\/?(?:figure|pre|table|h\d)\b[^<>]*>)/).map((piece, index) => {
    if (index % 2 === 0) return passedOver === undefined ? piece : '<p>'
    const [, slash, name] = /^<(\/?)(\w+)/.exec(piece) ?? []
    if (passedOver === undefined && slash === '') passedOver = name
    else if (slash && name === passedOver) passedOver = undefined
    return '<p>'
  })
  return prose
    .join('')
    .replace(/<a class="embed-link"[^<>]*>[^<]*<\/a>/g, ' ')
    .split(blocks)
}
