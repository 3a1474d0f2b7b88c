import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { sanitizeArticleHtml, tooManyOpen } from '../../domain/articles/article-html.ts'
import { DomainError } from '../../errors.ts'
import { openThread, UnansweredError } from '../../thread.ts'

type Given = Parameters<typeof sanitizeArticleHtml>

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
export async function safeHtml(...given: Given): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(given)).digest('base64')
  const safe = known.get(key) ?? (await sanitize(given))
  known.set(key, safe)
  return safe
}

async function sanitize(given: Given): Promise<string> {
  if (given[0].length <= small) {
    // A batch of them lets others have their turn.
    await setImmediate()
    return sanitizeArticleHtml(...given)
  }
  const { html } = await thread.ask(given).catch((error: unknown) => {
    throw error instanceof UnansweredError ? tooSlow() : error
  })
  if (html === undefined) throw tooManyOpen()
  return html
}

const tooSlow = () =>
  new DomainError('invalid', 'html_too_slow', 'The HTML takes too long to read: send it in parts.')
