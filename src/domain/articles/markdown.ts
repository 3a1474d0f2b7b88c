import MarkdownIt from 'markdown-it'
import type { Format } from './article.ts'
import { sanitizeArticleHtml } from './article-html.ts'

// A line that was ended on purpose stays ended: a field has no other way to say so.
const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true })
// A full stop without a space makes no address of two words: "le port.La mer".
markdown.linkify.set({ fuzzyLink: false })

/** `sanitizeArticleHtml` of either format; in Markdown, tags are words. */
export function sanitizeText(format: Format, ...[text, ...place]: Parameters<typeof sanitizeArticleHtml>) {
  return sanitizeArticleHtml(format === 'markdown' ? markdown.render(text) : text, ...place)
}
