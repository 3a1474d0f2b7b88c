import { expect, test } from 'vitest'
import { sanitizeArticleHtml } from '../../src/domain/articles/article-html.ts'
import { aPage } from '../support/browser.ts'
import { xssBodies } from '../support/xss.ts'

const count = 10_000
const perRound = 500

/** Counts what runs, without any content policy to help. */
const shell =
  '<!doctype html><meta charset=utf-8><body><script>window.hits=0;window.hit=()=>{hits++}</script>'

test('10⁴ mutated attacks, sanitised and rendered without a content policy: none runs', async () => {
  const page = await aPage()
  await page.setContent(shell)
  // The instrument itself: unsanitised, the same corpus does run.
  await page.setContent(`${shell}<img src=x onerror=hit()>`)
  await page.waitForFunction('window.hits === 1')

  const bodies = [...xssBodies(count)].map((body) => sanitizeArticleHtml(body, 'https://rivage.example/'))
  // Nothing that a story links to is fetched from anywhere.
  await page.route(/^https?:/, (route) => route.abort())
  for (let at = 0; at < count; at += perRound) {
    const stories = bodies.slice(at, at + perRound).map((body) => `<article>${body}</article>`)
    // As the server sends it: parsed from the start, where scripts of the text would run.
    await page.setContent(`${shell}${stories.join('\n')}`, { waitUntil: 'domcontentloaded' })
    await page.evaluate(
      `for (const link of document.querySelectorAll('[href^="javascript" i]')) link.click()`,
    )
    expect(await page.evaluate('window.hits')).toBe(0)
    expect(await page.locator('article').count()).toBe(perRound)
  }
})
