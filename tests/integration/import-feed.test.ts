import { expect, test } from 'vitest'
import { importFeed } from '../../src/import/feed/import-feed.ts'
import { createArticleService } from '../../src/services/articles/articles.ts'
import { createResponseService } from '../../src/services/responses/responses.ts'
import { createSelectionService } from '../../src/services/articles/selections.ts'
import type { Database } from '../../src/store/database.ts'
import { anArticle } from '../support/articles.ts'
import { aDatabase } from '../support/database.ts'

function anImport(database: Database) {
  const parts = {
    config: { publicUrl: 'https://rivage.example' } as never,
    database,
    doorbell: { ring: () => Promise.resolve(), close: () => Promise.resolve() },
    now: () => new Date('2026-03-14T08:00:00Z'),
  }
  const services = {
    articles: createArticleService(parts),
    responses: createResponseService(parts),
    selections: createSelectionService(parts),
  }
  return (xml: string) =>
    importFeed(services, {
      url: 'https://voisin.example/feed',
      actor: { kind: 'cli', role: 'admin' },
      language: undefined,
      languages: ['fr', 'ar'],
      zone: 'Europe/Paris',
      fetch: (url) => Promise.resolve({ url, body: Buffer.from(xml) }),
    })
}

const rss = `<?xml version="1.0"?><rss version="2.0"><channel><title>Le Voisin</title><link>https://voisin.example/</link>
<item><title>Marché & fête</title><link>/marche</link><guid isPermaLink="false">voisin-1</guid><pubDate>Sat, 14 Mar 2026 07:00:00 +0100</pubDate>
<dc:creator>Samia Dune</dc:creator><category>Fêtes d'été</category><description>En bref.</description>
<content:encoded><![CDATA[<p>Le marché <img src="/m.jpg" alt=""> <script>x()</script></p>]]></content:encoded>
<enclosure url="https://voisin.example/m.jpg" type="image/jpeg" length="10"/></item>
<item><title></title><description></description></item></channel></rss>`

const atom = `<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ar"><title>الجار</title><link href="https://voisin.example/"/><link rel="self" href="https://voisin.example/atom"/>
<entry><id>tag:voisin.example,2026:2</id><title type="html">السوق &amp;amp; العيد</title><link href="https://voisin.example/2"/><updated>2026-03-14T09:00:00Z</updated><published>2026-03-14T06:00:00Z</published>
<author><name>سامية</name></author><category term="سوق"/><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>افتتح <b>السوق</b> &amp; العيد</p></div></content></entry></feed>`

test('RSS: an item becomes an article once, an edit updates it, what is no article is told', async () => {
  const database = await aDatabase()
  const run = anImport(database)
  expect(await run(rss)).toMatchObject({ created: 1, failed: 1 })
  const [article] = await database.stores.articles.list({ limit: 5, after: undefined })
  expect(article).toMatchObject({
    title: 'Marché & fête',
    guid: 'voisin-1',
    language: 'fr',
    canonicalUrl: 'https://voisin.example/marche',
    summary: 'En bref.',
    html: '<p>Le marché <img alt="" src="https://voisin.example/m.jpg" loading="lazy" /> </p>',
    publishedAt: new Date('2026-03-14T06:00:00Z'),
    firstPublicAt: new Date('2026-03-14T06:00:00Z'),
    picture: { url: 'https://voisin.example/m.jpg' },
    tags: [{ slug: 'fetes-d-ete', names: { und: "Fêtes d'été" } }],
    authors: [{ names: { und: 'Samia Dune' } }],
  })
  expect(await run(rss)).toMatchObject({ created: 0, unchanged: 1 })
  expect(await run(rss.replace('En bref.', 'Corrigé.'))).toMatchObject({ updated: 1 })
})

test('an item of WordPress is what its author wrote, in its text and in its summary', async () => {
  const database = await aDatabase()
  const footer =
    '<p>The post <a href="https://voisin.example/marche">M</a> appeared first on <a href="https://voisin.example">V</a>.</p>'
  const late = '<img src="data:image/gif;base64,AA" data-src="/r.jpg"><noscript><img src="/r.jpg"></noscript>'
  const rendered = rss
    .replace('</p>]]>', `${late}</p><div class="sharedaddy">Partager</div>${footer}]]>`)
    .replace('En bref.', `<![CDATA[<p>En bref.</p>${footer}]]>`)
  expect(await anImport(database)(rendered)).toMatchObject({ created: 1 })
  const [article] = await database.stores.articles.list({ limit: 5, after: undefined })
  expect(article).toMatchObject({ summary: 'En bref.' })
  expect(article?.html).toBe(
    '<p>Le marché <img alt="" src="https://voisin.example/m.jpg" loading="lazy" /> ' +
      '<img alt="" src="https://voisin.example/r.jpg" loading="lazy" /></p>',
  )
})

test('Atom with XHTML in Arabic', async () => {
  const database = await aDatabase()
  expect(await anImport(database)(atom)).toMatchObject({ created: 1, failed: 0 })
  const [article] = await database.stores.articles.list({ limit: 5, after: undefined })
  expect(article).toMatchObject({
    title: 'السوق & العيد',
    guid: 'tag:voisin.example,2026:2',
    language: 'ar',
    html: '<div><p>افتتح <b>السوق</b> &amp; العيد</p></div>',
    publishedAt: new Date('2026-03-14T06:00:00Z'),
    authors: [{ names: { und: 'سامية' } }],
    tags: [{ slug: 'سوق' }],
  })
})

test('a feed that ends in the middle, an odd date, a text without an end: each is told by its line', async () => {
  const run = anImport(await aDatabase())
  const item = (title: string, rest: string) =>
    `<item><title>${title}</title><guid>${title}</guid>${rest}</item>\n`
  const date = '<pubDate>Sat, 14 Mar 2026 07:00:00 +0100</pubDate>'
  const items = [
    item('Un', `${date}<enclosure url="/a.zip" type="application/zip"/>`),
    item('Deux', '<pubDate>05/03/2024</pubDate>'),
    item('Trois', `${date}<description><![CDATA[x`) +
      item('Quatre', '<description><![CDATA[y]]></description>'),
    '<item><title>Cinq</title>',
  ]
  const report = await run(`<rss><channel>${items.join('')}`)
  expect(report).toMatchObject({ items: 5, posts: 4, created: 2, failed: 3, noted: 2 })
  expect(report.notes).toMatchObject([
    { title: 'Un', line: 1, message: expect.stringContaining('a.zip') as string },
    { title: 'Deux', line: 2, message: expect.stringContaining('"05/03/2024" is not understood') as string },
  ])
  expect(report.errors).toMatchObject([
    { title: 'Trois', line: 3, message: expect.stringContaining('runs into the next') as string },
    { title: 'Cinq', line: 5, message: expect.stringContaining('ends in the middle') as string },
    { title: '', line: 0, message: expect.stringContaining('5 items begin') as string },
  ])
})

test('a story is not lost over a long headline, byline or summary, nor over a picture or guid that is none', async () => {
  const database = await aDatabase()
  const words = (n: number) => 'mot '.repeat(n).trim()
  const report = await anImport(database)(
    rss
      .replace('Marché & fête', words(200))
      .replace('voisin-1', 'v'.repeat(1_001))
      .replace('En bref.', words(2_000))
      .replace('Samia Dune', words(80))
      .replace('https://voisin.example/m.jpg', `https://voisin.example/${'m'.repeat(2_000)}.jpg`),
  )
  expect(report).toMatchObject({ created: 1, failed: 1, noted: 5 })
  expect(report.notes.map(({ message }) => message.split(' ')[1]).sort()).toEqual(
    ['title', 'guid', 'summary', 'authors', 'picture'].sort(),
  )
  const [article] = await database.stores.articles.list({ limit: 5, after: undefined })
  expect(article?.title).toMatch(/^(?:mot ){100,}mot…$/)
  expect(article?.summary).toMatch(/^(?:mot ){1000,}mot…$/)
  expect(article).toMatchObject({ canonicalUrl: 'https://voisin.example/marche', picture: undefined })
})

test('an article that came by another way is left alone', async () => {
  const database = await aDatabase()
  const { id } = await anArticle(database, { guid: 'voisin-1', title: 'Le nôtre' })
  expect(await anImport(database)(rss)).toMatchObject({ created: 0, unchanged: 1 })
  expect((await database.stores.articles.find(id))?.title).toBe('Le nôtre')
})

test.each([
  ['<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss/>', 'doctype_refused'],
  ['<html><body>404</body></html>', 'not_a_feed'],
  ['', 'not_a_feed'],
])('%s is refused', async (xml, code) => {
  await expect(anImport(await aDatabase())(xml)).rejects.toMatchObject({ code })
})
