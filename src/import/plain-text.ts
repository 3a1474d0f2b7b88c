import sanitizeHtml from 'sanitize-html'
import { textOf } from '../domain/article-html.ts'
import { onOneLine } from '../domain/text.ts'

const noTags = { allowedTags: [], allowedAttributes: {} }

/** The words of a field that may hold HTML and entities, such as a title: tags out, entities decoded. */
export const plainText = (html: string): string =>
  /[<&]/.test(html) ? textOf(sanitizeHtml(html, noTags)) : onOneLine(html)
