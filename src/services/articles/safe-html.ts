import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { sanitizeArticleHtml, tooManyOpen } from '../../domain/articles/article-html.ts'
import { DomainError } from '../../errors.ts'
import { openThread, UnansweredError } from '../../thread.ts'

type Given = Parameters<typeof sanitizeArticleHtml>

/** Characters; up to here it takes a few milliseconds, whatever it holds. */
const small = 5_000

/** A process has one: it holds nothing but what it made lately, some megabytes. */
const thread = openThread<Given, { html?: string }>({
  script: new URL('./safe-html-thread.ts', import.meta.url),
  // A megabyte of the worst takes two seconds; the rest is for a machine that is busy.
  timeoutMs: 15_000,
})
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
  const found = known.get(key)
  if (found !== undefined) return found
  const safe = given[0].length <= small ? await inTurn(given) : await inThread(given)
  known.set(key, safe)
  return safe
}

/** A batch of small texts lets others have their turn between each two. */
async function inTurn(given: Given): Promise<string> {
  await setImmediate()
  return sanitizeArticleHtml(...given)
}

async function inThread(given: Given): Promise<string> {
  try {
    const { html } = await thread.ask(given)
    if (html === undefined) throw tooManyOpen()
    return html
  } catch (error) {
    if (error instanceof UnansweredError) throw tooSlow()
    throw error
  }
}

const tooSlow = () =>
  new DomainError(
    'invalid',
    'html_too_slow',
    'The HTML takes too long to read: send it with fewer elements, or in parts.',
    { fields: [{ field: 'html', message: 'must hold fewer elements' }] },
  )
