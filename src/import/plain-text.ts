import { sanitizeBounded, textOf } from '../domain/articles/article-html.ts'
import { onOneLine } from '../domain/text.ts'
import { escapeHtml } from './field-text.ts'

const noTags = { allowedTags: [], allowedAttributes: {} }

/** Characters; what no title or excerpt reaches. */
const longest = 50_000

/** The words of a field that may hold HTML and entities, such as a title: tags out, entities decoded. */
export function plainText(html: string): string {
  const field = html.slice(0, longest)
  return /[<&]/.test(field) ? textOf(sanitizeBounded(field, noTags) ?? field) : onOneLine(field)
}

/** WordPress takes posts without a title; readers of a feed need something to click on. */
export function titleFrom(html: string): string {
  const words = plainText(html).slice(0, 280).split(' ')
  const beginning = words.slice(0, 8).join(' ')
  return beginning + (words.length > 8 && !beginning.endsWith('…') ? '…' : '')
}

/** Text that is no HTML, as HTML: blank lines part paragraphs. */
export const toPlainParagraphs = (text: string): string =>
  text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => `<p>${escapeHtml(paragraph).replaceAll('\n', '<br>\n')}</p>`)
    .join('\n')
