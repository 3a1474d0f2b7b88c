import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { aFollowedSite } from '../support/sources.ts'
import { aNewsroom } from '../support/feeds.ts'
import { aWordpress } from '../support/wordpress.ts'

const desk = { kind: 'cli', role: 'admin' } as const

test('SRC-4 a WordPress without its API is followed by its feed, whose "not modified" is not believed for long', async () => {
  const site = await aFollowedSite({
    source: { kind: 'feed' },
    prepare: (wordpress) => {
      wordpress.add({ title: 'Un' })
      wordpress.add({ title: 'Deux' })
      const date = new Date(+wordpress.now + 1_800_000)
      wordpress.add({ title: 'Tardif', status: 'future', date, modified: wordpress.now })
    },
  })
  const { wordpress } = site
  expect(await site.titles()).toEqual({ Un: 'published', Deux: 'published' })
  expect(await site.sql('select external_id from articles order by id limit 1')).toEqual([
    { external_id: expect.stringMatching(/^wp:127\.0\.0\.1:\d+:1$/) as string },
  ])
  // What went out late changes no validator.
  wordpress.later(3_600)
  wordpress.runCron()
  await site.look()
  expect(await site.titles()).not.toHaveProperty('Tardif')
  await site.look({ isRung: true })
  expect(await site.titles()).toHaveProperty('Tardif')

  wordpress.edit(1, { title: 'Un, corrigé' })
  await site.look()
  expect(await site.titles()).toHaveProperty('Un, corrigé')
  // Absence is age; a password is a withdrawal.
  wordpress.remove(2)
  wordpress.edit(1, { password: 'secret' })
  await site.look({ isRung: true })
  expect(await site.titles()).toMatchObject({ 'Un, corrigé': 'withdrawn', Deux: 'published' })
  wordpress.edit(1, { password: '' })
  await site.look()
  expect(await site.titles()).toMatchObject({ 'Un, corrigé': 'published' })
})

test('SRC-4 within the hour "not modified" is believed, and then the feed is read whole, though nobody rings', async () => {
  let now = new Date()
  const site = await aFollowedSite({
    source: { kind: 'feed' },
    web: { now: () => now },
    prepare: (wordpress) => {
      wordpress.add({ title: 'Un' })
      const date = new Date(+wordpress.now + 600_000)
      wordpress.add({ title: 'Tardif', status: 'future', date, modified: wordpress.now })
    },
  })
  site.wordpress.later(600)
  site.wordpress.runCron()
  now = new Date(+now + 59 * 60_000)
  await site.look()
  expect(await site.titles()).toEqual({ Un: 'published' })
  now = new Date(+now + 60_000)
  await site.look()
  expect(await site.titles()).toEqual({ Un: 'published', Tardif: 'published' })
})

test('SRC-4 the feed of another site is not read until a person says that it is the same newsroom', async () => {
  const site = await aFollowedSite({
    source: { kind: 'feed' },
    prepare: (wordpress) => wordpress.add({ title: 'Un' }),
  })
  const { wordpress } = site
  const { home } = wordpress
  wordpress.home = 'https://casino.example'
  const { id } = wordpress.add({ title: 'Gagnez' })
  expect(await site.look()).toMatchObject({ state: 'needs-person', question: 'moved' })
  expect(await site.titles()).toEqual({ Un: 'published' })
  // Nothing was saved there since, and still it is seen that the site is back.
  wordpress.home = home
  wordpress.remove(id)
  expect(await site.look()).toMatchObject({ state: 'following' })
  wordpress.home = 'https://nouveau.example'
  wordpress.later(60)
  wordpress.edit(1, { title: 'Un, ailleurs' })
  expect(await site.look({ isRung: true })).toMatchObject({ question: 'moved' })
  await site.context.services.sources.answer(site.sourceId, 'same-site', desk)
  expect(await site.look()).toMatchObject({ state: 'following', home: 'https://nouveau.example/' })
  expect(await site.titles()).toEqual({ 'Un, ailleurs': 'published' })
})

test.each([
  ['text/html', '<html><form action="/wp-login.php"><input name="pwd"></form></html>', 'unreadable'],
  ['application/rss+xml', '', 'unreadable'],
  ['application/feed+json', '{"version":"https://jsonfeed.org/version/1.1","items":[{"id"', 'unreadable'],
])(
  'SRC-4 a feed that answers 200 with "%s" %j changes nothing, and is asked again',
  async (type, body, failure) => {
    const whole = (title: string) =>
      `<rss version="2.0"><channel><title>Le Voisin</title><item><guid>1</guid><title>${title}</title></item></channel></rss>`
    let answer = [type, whole('Un')]
    const url = await aFeed(() => answer)
    const { sources, sourceSync } = (await aNewsroom({ env: { SOURCE_HOSTS: '127.0.0.1' } })).context.services
    const { id } = await sources.add({ address: url }, desk)
    await sourceSync.work(id)
    const look = async () => {
      await sources.sync(id, desk)
      await sourceSync.work(id)
      return sources.get(id)
    }
    answer = [type, body]
    expect(await look()).toMatchObject({ state: 'retrying', failure, counts: { here: 1 } })
    answer = [type, whole('Un, corrigé')]
    expect(await look()).toMatchObject({ state: 'following', failures: 0, counts: { here: 1 } })
  },
)

test('SRC-4 of a feed that is cut in the middle what is whole is taken, and the rest once it is', async () => {
  const entry = (n: number) =>
    `<item><guid isPermaLink="false">voisin-${n}</guid><title>Article ${n}</title><link>https://voisin.example/${n}</link><description>Le texte ${n}.</description></item>`
  const whole = `<rss version="2.0"><channel><title>Le Voisin</title>${entry(1)}${entry(2)}</channel></rss>`
  let body = whole.slice(0, whole.indexOf('Le texte 2') + 8)
  const url = await aFeed(() => ['application/rss+xml', body])
  const { sources, sourceSync, articles } = (await aNewsroom({ env: { SOURCE_HOSTS: '127.0.0.1' } })).context
    .services
  const { id } = await sources.add({ address: url }, desk)
  const look = async () => {
    await sources.sync(id, desk)
    await sourceSync.work(id)
    return (await articles.list({ limit: 5, after: undefined })).data.map(({ title }) => title)
  }
  expect(await look()).toEqual(['Article 1'])
  body = whole
  expect(new Set(await look())).toEqual(new Set(['Article 1', 'Article 2']))
})

test('SRC-4 an API that a site names and that is broken for now is told, and not passed over for the feed', async () => {
  const { context } = await aNewsroom({ env: { SOURCE_HOSTS: '127.0.0.1' } })
  const { sources } = context.services
  const wordpress = await aWordpress()
  wordpress.add()
  wordpress.apiStatus = 500
  await expect(sources.preview(wordpress.home)).rejects.toMatchObject({ code: 'source_unreadable' })
  expect(await sources.preview(wordpress.home, { kind: 'feed' })).toMatchObject({ found: { kind: 'feed' } })
  wordpress.apiStatus = 401
  expect(await sources.preview(wordpress.home)).toMatchObject({ found: { kind: 'feed' } })
})

async function aFeed(answer: (path: string) => string[]) {
  const server = createServer((request, response) => {
    const [type = '', body, link] = answer(request.url ?? '')
    response.writeHead(200, { 'content-type': type, ...(link && { link }) }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed`
}

test('SRC-4 JSON Feed: an item is an article, an edit corrects it', async () => {
  let title = 'Le marché & la fête'
  const url = await aFeed(() => [
    'application/feed+json',
    JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'Le Voisin',
      home_page_url: 'https://voisin.example/',
      language: 'fr',
      authors: [{ name: 'Samia Dune' }],
      items: [
        {
          id: 'voisin-1',
          url: 'https://voisin.example/marche',
          title,
          content_html: '<p>Le marché du dimanche.</p>',
          tags: ['Fêtes'],
          date_published: '2026-03-14T07:00:00Z',
          date_modified: title.includes('!') ? '2026-03-15T07:00:00Z' : '2026-03-14T07:00:00Z',
        },
        { id: 7, title: null },
      ],
    }),
  ])
  const { context } = await aNewsroom({ env: { SOURCE_HOSTS: '127.0.0.1' } })
  const { sources, sourceSync, articles } = context.services
  const { id } = await sources.add({ address: url }, desk)
  await sourceSync.work(id)
  const { data } = await articles.list({ limit: 5, after: undefined })
  expect(data).toMatchObject([
    {
      title: 'Le marché & la fête',
      guid: 'voisin-1',
      authors: [{ names: { und: 'Samia Dune' } }],
      tags: [{ slug: 'fetes' }],
      firstPublicAt: new Date('2026-03-14T07:00:00Z'),
    },
  ])
  title += ' !'
  await sources.sync(id, desk)
  await sourceSync.work(id)
  expect((await articles.list({ limit: 5, after: undefined })).data).toMatchObject([
    { title: 'Le marché & la fête !' },
  ])
})

test('SRC-4 of an entry that was saved again in the second in which it was read, the last words arrive', async () => {
  const savedAt = '2026-03-14T07:00:00Z'
  let now = new Date(savedAt)
  let title = 'Le marché'
  const url = await aFeed(() => [
    'application/feed+json',
    JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'Le Voisin',
      language: 'fr',
      items: [
        { id: '1', title, content_html: '<p>Dimanche.</p>', date_published: savedAt, date_modified: savedAt },
      ],
    }),
  ])
  const { context } = await aNewsroom({ now: () => now, env: { SOURCE_HOSTS: '127.0.0.1' } })
  const { sources, sourceSync, articles } = context.services
  const { id } = await sources.add({ address: url }, desk)
  const look = async (words: string) => {
    title = words
    await sources.sync(id, desk)
    await sourceSync.work(id)
    return (await articles.list({ limit: 5, after: undefined })).data.map((one) => one.title)
  }
  expect(await look('Le marché')).toEqual(['Le marché'])
  now = new Date(+now + 60_000)
  expect(await look('Le marché de nuit')).toEqual(['Le marché de nuit'])
  // From then on a text that changes without a later time was not edited.
  expect(await look('Le marché, page vue 12 fois')).toEqual(['Le marché de nuit'])
})

test.each([
  'rel="alternate" type="application/rss+xml" title="Tout > le reste" href="/la-une"',
  'REL="Alternate" TYPE="Application/RSS+XML" HREF="/la-une"',
  'rel="alternate feed" type="application/rss+xml; charset=utf-8" href="/la-une"',
  'rel="alternate" type="text/xml" href="/?page=la-une&#038;lang=fr"',
  'rel="alternate" type="application/rss+xml" href="la-une"><base target="_top"><BASE HREF="/journal/"',
])('SRC-4 a page names its feed by <link %s>', async (attributes) => {
  await expectFeed(
    attributes,
    attributes.includes('BASE') ? /^\/journal\/la-une$/ : /^\/la-une$|\?page=la-une(?:&lang=fr)?$/,
  )
})

test.each([
  '</la-une>; rel="alternate"; type="application/rss+xml; charset=utf-8"; title="Un, deux; trois"',
  '</style.css>; rel=preload, <la-une>;rel=alternate;type=application/rss+xml, </x>; rel=next',
])('SRC-4 a page names its feed in its header, Link: %s', async (link) => {
  await expectFeed('rel="stylesheet" href="/x.css"><base href="/journal/"', /^\/la-une$/, link)
})

async function expectFeed(attributes: string, at: RegExp, link = '') {
  const url = await aFeed((path) =>
    at.test(path)
      ? [
          'application/rss+xml',
          '<rss><channel><title>Le Voisin</title><item><title>Un</title></item></channel></rss>',
        ]
      : ['text/html', `<!doctype html><head><link ${attributes}></head>`, link],
  )
  const { sources } = (await aNewsroom({ env: { SOURCE_HOSTS: '127.0.0.1' } })).context.services
  expect(await sources.preview(url)).toMatchObject({ found: { kind: 'feed', name: 'Le Voisin' } })
}

test('SRC-4 a page whose first feed holds nothing has another; one whose server is busy is no one that refuses us', async () => {
  const feed = (items: string) => `<rss><channel><title>Le Voisin</title>${items}</channel></rss>`
  const url = await aFeed((path) =>
    path === '/vide'
      ? ['application/rss+xml', feed('')]
      : path === '/la-une'
        ? ['application/rss+xml', feed('<item><title>Un</title></item>')]
        : [
            'text/html',
            '<link rel="alternate" type="application/atom+xml" href="/vide"><link rel="alternate" type="text/xml" href="/la-une">',
          ],
  )
  const { sources } = (await aNewsroom({ env: { SOURCE_HOSTS: '127.0.0.1' } })).context.services
  expect(await sources.preview(url)).toMatchObject({
    found: { url: expect.stringMatching('/la-une$') as string },
  })
  const busy = createServer((_request, response) => response.writeHead(503).end())
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void busy.close())
  const address = `http://127.0.0.1:${(busy.address() as AddressInfo).port}/`
  await expect(sources.preview(address)).rejects.toThrow('The server is busy')
})

test('SRC-4 what is no address of the web, or carries a password, is told as that', async () => {
  const { sources } = (await aNewsroom()).context.services
  for (const address of [
    'ftp://rivage.example/',
    'javascript:alert(1)',
    'https://moi:secret@rivage.example/',
  ])
    await expect(sources.preview(address), address).rejects.toThrow('no address of http or https')
  await expect(sources.preview('127.0.0.1:1/feed')).rejects.toThrow('not public')
})

test('SRC-4 a feed without articles is refused, and so is a page without a feed', async () => {
  const { context } = await aNewsroom({ env: { SOURCE_HOSTS: '127.0.0.1' } })
  const { sources } = context.services
  const empty = await aFeed(() => [
    'application/rss+xml',
    '<rss version="2.0"><channel><title>x</title></channel></rss>',
  ])
  await expect(sources.add({ address: empty }, desk)).rejects.toMatchObject({ code: 'source_empty' })
  const page = await aFeed(() => ['text/html', '<html><title>Bonjour</title></html>'])
  await expect(sources.add({ address: page }, desk)).rejects.toMatchObject({ code: 'source_unknown' })
})
