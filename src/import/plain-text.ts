import sanitizeHtml from 'sanitize-html'
import { textOf } from '../domain/articles/article-html.ts'
import { onOneLine } from '../domain/text.ts'
import { escapeHtml } from './field-text.ts'

const noTags = { allowedTags: [], allowedAttributes: {} }

/** The words of a field that may hold HTML and entities, such as a title: tags out, entities decoded. */
export const plainText = (html: string): string =>
  /[<&]/.test(html) ? textOf(sanitizeHtml(html, noTags)) : onOneLine(html)

/** Text that is no HTML, as HTML: blank lines part paragraphs. */
export const toPlainParagraphs = (text: string): string =>
  text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => `<p>${escapeHtml(paragraph).replaceAll('\n', '<br>\n')}</p>`)
    .join('\n')
