import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../../src/log.ts'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { until } from '../support/until.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

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
    const date = first.headers.get('last-modified') ?? ''
    expect(Date.parse(date), path).toBeLessThanOrEqual(Date.parse(first.headers.get('date') ?? ''))
    const before = new Date(Date.parse(date) - 1_000).toUTCString()
    const statusOf = async (headers: Record<string, string>) => (await web.fetch(path, { headers })).status
    expect(await statusOf({ 'if-modified-since': date }), path).toBe(304)
    expect(await statusOf({ 'if-modified-since': before }), path).toBe(200)
    // Where both are given, the tag decides.
    expect(await statusOf({ 'if-modified-since': date, 'if-none-match': '"another"' }), path).toBe(200)
    expect(await statusOf({ 'if-modified-since': before, 'if-none-match': etag }), path).toBe(304)
  }
  // A path that names no language varies by it; an article has its own.
  expect((await web.fetch('/')).headers.get('vary')).toContain('Accept-Language')
  expect((await web.fetch(`/articles/${slug}`)).headers.get('vary') ?? '').not.toContain('Accept-Language')
  for (const path of ['/nowhere', '/subscribe', '/preferences', '/unsubscribe/x', '/activate/x']) {
    const { headers } = await web.fetch(path, { headers: { accept: 'text/html' } })
    expect([headers.get('cache-control'), headers.get('etag')], path).toEqual(['no-store', null])
  }
})

test('a page that has changed has another date, and never that of another text', async () => {
  const web = await aWeb()
  const { slug } = await anArticle(web.context.database, { externalId: 'bac' })
  const ask = (date?: string) =>
    web.fetch(`/articles/${slug}`, { headers: date === undefined ? {} : { 'if-modified-since': date } })
  const date = (await ask()).headers.get('last-modified') ?? ''
  const editor = await web.api('editor')
  const article = { title: 'Le bac revient', html: '<p>Hier.</p>', language: 'fr' }
  expect((await editor('PUT', '/articles/bac', article)).status).toBe(200)
  const changed = await ask(date)
  expect(changed.status).toBe(200)
  expect(changed.headers.get('last-modified')).not.toBe(date)
})

/** A newsroom with a cache in front; what the cache was told, as method, path and host. */
async function aCachedNewsroom() {
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
  /** What it hears of what has changed by now. */
  const hear = async () => {
    heard.length = 0
    await services.feeds.renderChanged()
    return heard
  }
  return { web, services, host: new URL(config.publicUrl).host, hear }
}

test('PURGE_URL hears of each page and feed that shows a change, once the feeds are there', async () => {
  const { web, host, hear } = await aCachedNewsroom()
  const editor = await web.api('editor')
  const article = { title: 'Le bac revient', html: '<p>Hier.</p>', language: 'fr', sections: ['a-la-une'] }
  const { slug } = (await (await editor('PUT', '/articles/bac', article)).json()) as { slug: string }
  const heard = await hear()
  for (const path of ['/', '/fr', '/rss.xml', '/fr/feed.json', '/sections/a-la-une', `/articles/${slug}`])
    expect(heard).toContain(`PURGE ${path} ${host}`)
  expect(new Set(heard).size).toBe(heard.length)
  expect(await hear()).toEqual([])
})

test('PURGE_URL hears of picks in every language, and of the front page where they stand there', async () => {
  const { web, services, host, hear } = await aCachedNewsroom()
  await anArticle(web.context.database, { externalId: 'bac' })
  const put = (onFront: boolean) =>
    services.picks.put('choix', { names: { fr: 'Choix' }, articles: ['bac'], onFront }, cli)
  const pagesOf = async () =>
    (await hear()).filter((line) => !/\.(?:xml|json) /.test(line)).map((line) => line.split(' ')[1])
  const own = ['/picks/choix', '/fr/picks/choix', '/ar/picks/choix']
  await hear()
  await put(false)
  const heard = [...(await hear())]
  for (const path of [...own, '/picks/choix/rss.xml', '/ar/picks/choix/feed.json'])
    expect(heard).toContain(`PURGE ${path} ${host}`)
  expect(heard).not.toContain(`PURGE / ${host}`)
  await put(true)
  const withFront = [...own, '/', '/fr', '/ar'].sort()
  expect((await pagesOf()).sort()).toEqual(withFront)
  // Taken away from there, and away altogether.
  await put(false)
  expect((await pagesOf()).sort()).toEqual(withFront)
  await services.picks.delete('choix', cli)
  expect((await pagesOf()).sort()).toEqual([...own].sort())
})

test('PURGE_URL hears of the page of a digest whose story is withdrawn', async () => {
  const { web, services, host, hear } = await aCachedNewsroom()
  const { database } = web.context
  const newsletter = await aNewsletter(database)
  await anArticle(database, { externalId: 'bac', title: 'Le bac revient' })
  await aSubscriber(database, { newsletter })
  const digest = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  const request = { actor: cli, version: () => digest.version, idempotencyKey: 'one', body: {} }
  await services.digestTransitions.send(digest.id, request)
  await services.preparing.prepare(digest.id)
  await hear()
  await services.articles.withdraw('bac', 'erreur', cli)
  const heard = await hear()
  for (const path of [`/digests/${digest.id}`, `/fr/digests/${digest.id}`, `/newsletters/${newsletter.slug}`])
    expect(heard).toContain(`PURGE ${path} ${host}`)
})

test('a cache that hangs or refuses keeps no change from its readers, and is told of once a minute', async () => {
  const asked: string[] = []
  const cache = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (isRefusing) response.writeHead(503).end()
  }).listen(0, '127.0.0.1')
  let isRefusing = false
  onTestFinished(() => {
    cache.closeAllConnections()
    cache.close()
  })
  await once(cache, 'listening')
  const lines: string[] = []
  const log = createLogger('warn', 'worker', { destination: { write: (line) => lines.push(line) } })
  const PURGE_URL = `http://127.0.0.1:${(cache.address() as AddressInfo).port}`
  const web = await aWeb({ env: { PURGE_URL }, log })
  const { services } = web.context
  await services.feedMemory.start()
  const publish = async (title: string) => {
    await services.articles.put(title, { title, html: '<p>…</p>', language: 'fr' })
    // A feed changes once a second.
    await until(`the feed has ${title}`, async () => {
      await services.feeds.renderChanged()
      return (await (await web.fetch('/rss.xml')).text()).includes(title)
    })
  }
  await publish('Un')
  await publish('Deux')
  expect(asked, 'the first hangs still').toHaveLength(1)
  isRefusing = true
  await until('it is told of', () => Promise.resolve(lines.length > 0))
  await publish('Trois')
  await until('it was asked again', () => Promise.resolve(asked.length > 1))
  expect(lines.filter((line) => line.includes('PURGE_URL'))).toHaveLength(1)
})
