import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { tooManyOpen, type sanitizeArticleHtml } from '../../domain/articles/article-html.ts'
import { sanitizeText } from '../../domain/articles/markdown.ts'
import { atField, invalid } from '../../errors.ts'
import { openThread, UnansweredError } from '../../isolation.ts'

type Given = Parameters<typeof sanitizeText>
type Written = Parameters<typeof sanitizeArticleHtml>

/** Characters; up to here it takes a few milliseconds, whatever it holds. */
const small = 5_000
const script = new URL('./safe-html-thread.ts', import.meta.url)
/** A process has one. A megabyte of the worst takes two seconds; the rest is for a machine that is busy. */
const thread = openThread<Given, { html?: string }>(script, 15_000)
/** Some megabytes. */
const known = new LRUCache<string, string>({
  maxSize: 8_000_000,
  sizeCalculation: ({ length }) => length + 1,
})

/**
 * `sanitizeArticleHtml` without holding the event loop: a large text goes to a thread, and what was sanitised lately is
 * not sanitised again.
 * @throws DomainError `html_never_closed`, `html_too_slow`
 */
export const safeHtml = (...html: Written): Promise<string> => toSafeHtml('html', ...html)

/** The same of what an editor writes. @throws DomainError `html_too_slow` */
export const renderMarkdown = (...text: Written): Promise<string> => toSafeHtml('markdown', ...text)

export async function toSafeHtml(...given: Given): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(given)).digest('base64')
  const safe = known.get(key) ?? (await sanitize(given))
  known.set(key, safe)
  return safe
}

async function sanitize(given: Given): Promise<string> {
  if (given[1].length <= small) {
    // A batch of them lets others have their turn.
    await setImmediate()
    return sanitizeText(...given)
  }
  const { html } = await thread.ask(given).catch((error: unknown) => {
    throw error instanceof UnansweredError ? tooSlow() : error
  })
  if (html === undefined) throw tooManyOpen()
  return html
}

const tooSlow = () =>
  invalid(
    'html_too_slow',
    'The text takes too long to read: send it in parts.',
    atField('html', 'must be simpler, or sent in parts'),
  )
