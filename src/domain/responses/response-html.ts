import { atField, invalid } from '../../errors.ts'
import { sanitizeBounded, textOf, toAbsoluteUrl, tooManyOpen } from '../articles/article-html.ts'
import { cleanText } from '../text.ts'

const blocks = 'p blockquote ul ol li pre'
const tags = `${blocks} a b strong i em u s del q cite code br`.split(' ')
const hasBlocks = new RegExp(`<(?:${blocks.replaceAll(' ', '|')})>`)

/** Marks that turn the order of letters around: in a name they would turn what stands after it. */
const overrides = /[\u202A-\u202E\u2066-\u2069]/g

export const withoutOverrides = (text: string): string => text.replace(overrides, '')

/**
 * What a reader has typed: words, in paragraphs as they were typed, and a few tags. All other code stays words.
 * @throws DomainError `html_never_closed`
 */
export function responseHtml(typed: string): string {
  const safe = sanitizeBounded(withoutOverrides(cleanText(typed)).trim(), {
    allowedTags: tags,
    allowedAttributes: { a: ['href', 'rel'] },
    disallowedTagsMode: 'escape',
    textFilter: (text, tagName) => (tagName === 'a' ? text : withLinks(text)),
    transformTags: {
      a: (tagName, { href }) => {
        const url = toAbsoluteUrl(href, undefined)
        return { tagName, attribs: { ...(url && { href: url }), rel: 'ugc nofollow' } }
      },
    },
  })
  if (safe === undefined)
    throw invalid('html_never_closed', tooManyOpen().message, atField('text', 'must be simpler'))
  if (hasBlocks.test(safe)) return safe
  return safe
    .split(/\n\s*\n/)
    .map((paragraph) => `<p>${linesOf(paragraph).join('<br>')}</p>`)
    .join('')
}

/** An address in escaped words, without the marks that end a sentence. */
const address = /https?:\/\/(?:[^\s<>"«»“”&]|&amp;)*(?:[^\s<>"«»“”&.,;:!?،؛؟…)\]'’]|&amp;)/g

const withLinks = (text: string): string =>
  text.replace(address, (url) =>
    toAbsoluteUrl(url, undefined) ? `<a href="${url}" rel="ugc nofollow">${url}</a>` : url,
  )

const linesOf = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim())

/** A few words of it, and none that a mail program would make a link of: who gets them may not be who wrote them. */
export function beginningOf(html: string): string {
  const words = textOf(html)
    .split(' ')
    .map((word) => (/[.@]\p{L}|:\/\//u.test(word) ? '…' : word))
    .join(' ')
  if (words.length <= 120) return words
  return `${words.slice(0, words.lastIndexOf(' ', 120) + 1 || 120).toWellFormed()}…`
}
