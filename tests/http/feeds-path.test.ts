import { expect, test } from 'vitest'
import { aWeb } from '../support/web.ts'

test('a published article is in the feeds, and a poll that has them gets 304', async () => {
  const { api, fetch, context } = await aWeb()
  const put = await api('editor')
  const body = { title: 'Le port a rouvert', html: '<p>Oui.</p>', language: 'fr', sections: ['a-la-une'] }
  expect((await put('PUT', '/articles/a1', body)).status).toBe(201)
  expect(await context.services.feeds.renderChanged()).toBe(false)

  for (const path of ['/rss.xml', '/fr/atom.xml', '/sections/a-la-une/feed.json', '/tags/x/rss.xml']) {
    const response = await fetch(path)
    const text = await response.text()
    if (path.startsWith('/tags')) {
      expect(response.status).toBe(404)
      continue
    }
    expect([path, response.status, text]).toMatchObject([
      path,
      200,
      expect.stringContaining('Le port a rouvert'),
    ])
    const again = await fetch(path, { headers: { 'if-none-match': response.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
  }
  const authors = await fetch('/most-read/rss.xml')
  expect(authors.status).toBe(200)
})
