import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aWeb } from '../support/web.ts'

test('pages that are the same for all may be kept by caches, and are answered 304', async () => {
  const web = await aWeb()
  const { database } = web.context
  await aNewsletter(database)
  const { slug } = await anArticle(database)
  for (const path of ['/', '/fr', '/sections/a-la-une', `/articles/${slug}`, '/newsletters', '/feeds']) {
    const first = await web.fetch(path)
    expect(first.status, path).toBe(200)
    const seconds = [
      ...(first.headers.get('cache-control') ?? '').matchAll(/(?:s-maxage|stale-[a-z-]+)=(\d+)/g),
    ]
    expect(seconds, path).toHaveLength(3)
    expect(
      seconds.reduce((sum, [, n]) => sum + Number(n), 0),
      path,
    ).toBeLessThanOrEqual(3_600)
    expect(first.headers.get('set-cookie'), path).toBeNull()
    const etag = first.headers.get('etag') ?? ''
    const again = await web.fetch(path, { headers: { 'if-none-match': etag } })
    expect([again.status, await again.text()], path).toEqual([304, ''])
  }
  // A path that names no language varies by it; an article has its own.
  expect((await web.fetch('/')).headers.get('vary')).toContain('Accept-Language')
  expect((await web.fetch(`/articles/${slug}`)).headers.get('vary') ?? '').not.toContain('Accept-Language')
  for (const path of ['/nowhere', '/subscribe', '/preferences', '/unsubscribe/x', '/activate/x']) {
    const { headers } = await web.fetch(path, { headers: { accept: 'text/html' } })
    expect([headers.get('cache-control'), headers.get('etag')], path).toEqual(['no-store', null])
  }
})

test('PURGE_URL hears of each page and feed that shows a change, once the feeds are there', async () => {
  const heard: string[] = []
  const cache = createServer((request, response) => {
    heard.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.host ?? ''}`)
    response.writeHead(heard.length % 2 ? 200 : 404).end()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    cache.close()
  })
  await once(cache, 'listening')
  const web = await aWeb({ env: { PURGE_URL: `http://127.0.0.1:${(cache.address() as AddressInfo).port}` } })
  const { services, config } = web.context
  const editor = await web.api('editor')
  const article = { title: 'Le bac revient', html: '<p>Hier.</p>', language: 'fr', sections: ['a-la-une'] }
  const { slug } = (await (await editor('PUT', '/articles/bac', article)).json()) as { slug: string }
  await services.feeds.renderChanged()
  const { host } = new URL(config.publicUrl)
  for (const path of ['/', '/fr', '/rss.xml', '/fr/feed.json', '/sections/a-la-une', `/articles/${slug}`])
    expect(heard).toContain(`PURGE ${path} ${host}`)
  expect(new Set(heard).size).toBe(heard.length)
  heard.length = 0
  await services.feeds.renderChanged()
  expect(heard).toEqual([])
})
