import { expect, test } from 'vitest'
import { canonicalPath } from '../../src/domain/articles/old-address.ts'
import { anArticle } from '../support/articles.ts'
import { aNewsroom } from '../support/feeds.ts'
import { query } from '../support/query.ts'
import { runSql } from '../support/sql.ts'

const arabicPath = `/ar/2024/03/${encodeURIComponent('معرض-الكتاب')}/`

/** French and Arabic stories of a WordPress with a folder per language, and of one without. */
async function aMovedSite() {
  const newsroom = await aNewsroom()
  const { database } = newsroom.context
  const imported = (id: number, slug: string, oldPath: string | undefined, wish = {}) =>
    anArticle(database, {
      externalId: `wp:rivage.example:${id}`,
      guid: `https://rivage.example/?p=${id}`,
      slug,
      ...(oldPath !== undefined && { oldPath }),
      sections: ['evenement'],
      tags: ['mali'],
      ...wish,
    })
  await imported(101, 'mali-le-groupe', '/fr/mali-le-groupe/')
  await imported(102, 'معرض-الكتاب', arabicPath.toLowerCase(), { language: 'ar' })
  await imported(103, 'sans-prefixe', '/2024/03/sans-prefixe/', {
    firstPublicAt: new Date('2024-03-05T10:00:00Z'),
  })
  await imported(104, 'vieux', '/articles/vieux-papier/')
  await imported(105, 'retire', '/fr/retire/')
  await imported(106, 'brouillon', '/fr/brouillon/', { state: 'draft' })
  await anArticle(database, {
    externalId: 'feed:abc',
    guid: 'https://rivage.example/?post_type=post&p=201',
    slug: 'du-flux',
  })
  await newsroom.context.services.articles.withdraw('wp:rivage.example:105', 'Faux.', {
    kind: 'cli',
    role: 'admin',
  })
  return newsroom
}

type Fetch = Awaited<ReturnType<typeof aNewsroom>>['fetch']

async function leads(fetch: Fetch, addresses: Record<string, string | number>) {
  for (const [from, to] of Object.entries(addresses)) {
    const answer = await fetch(from)
    const found = answer.status === 301 ? decodeURI(answer.headers.get('location') ?? '') : answer.status
    expect([from, found]).toEqual([from, to])
  }
}

test('SRC-8 an address that a story has taken over from one that was withdrawn leads to the story that is out', async () => {
  const { fetch, context } = await aMovedSite()
  await anArticle(context.database, { slug: 'retire-2', oldPath: '/fr/retire/' })
  await leads(fetch, { '/fr/retire/': '/articles/retire-2' })
})

test('SRC-8 a permalink leads home in either percent-case, in letters, below a language, with and without its slash', async () => {
  const { fetch } = await aMovedSite()
  const arabic = '/articles/معرض-الكتاب'
  await leads(fetch, {
    '/fr/mali-le-groupe/': '/articles/mali-le-groupe',
    '/fr/mali-le-groupe': '/articles/mali-le-groupe',
    '/mali-le-groupe/': '/articles/mali-le-groupe',
    [arabicPath]: arabic,
    [arabicPath.toLowerCase()]: arabic,
    '/ar/2024/03/معرض-الكتاب/': arabic,
    '/2024/03/sans-prefixe/': '/articles/sans-prefixe',
    '/index.php/2024/03/sans-prefixe/': '/articles/sans-prefixe',
    '/articles/vieux-papier/': '/articles/vieux',
    '/fr/retire/': '/articles/retire',
    '/fr/brouillon/': 404,
    '/nothing/': 404,
  })
})

test('SRC-8 other forms of a story lead to the story: pages, AMP, attachments, trackbacks, numbers', async () => {
  const { fetch } = await aMovedSite()
  const story = '/articles/sans-prefixe'
  await leads(fetch, {
    '/2024/03/sans-prefixe/amp/': story,
    '/2024/03/sans-prefixe/2/': story,
    '/2024/03/sans-prefixe/comment-page-3/': story,
    '/2024/03/sans-prefixe/trackback/': story,
    '/2024/03/sans-prefixe/photo-du-port/': story,
    '/2024/03/sans-prefixe/attachment/photo/': story,
    '/?p=103': story,
    '/fr/?p=101': '/articles/mali-le-groupe',
    '/index.php?p=103': story,
    '/?p=103&preview=true': story,
    '/?p=201': '/articles/du-flux',
    '/?p=106': 404,
    '/?p=999': 404,
    '/?p=x': 404,
    '/?page_id=3': 404,
    '/?attachment_id=7': 404,
    '/?utm_source=x': 200,
  })
})

test('SRC-8 archives lead to the nearest page that is true, in the language of the path, or are honestly gone', async () => {
  const { fetch } = await aMovedSite()
  await leads(fetch, {
    '/category/evenement/': '/sections/evenement',
    '/fr/category/monde/evenement/page/2/': '/fr/sections/evenement',
    '/category/mali/': '/tags/mali',
    '/tag/mali/': '/tags/mali',
    '/?tag=mali': '/tags/mali',
    '/?category_name=monde/evenement': '/sections/evenement',
    '/author/lina-marsa/': '/authors/lina-marsa',
    '/2024/03/': '/',
    '/fr/2024/': '/fr',
    '/2024/03/05/': '/',
    '/?m=202403': '/',
    '/2024/04/': 404,
    '/2024/13/': 404,
    '/2024/02/31/': 404,
    '/page/2/': '/',
    '/ar/page/2': '/ar',
    '/category/rien/': 404,
    '/tag/rien/': 404,
    '/author/admin/': 404,
    '/?cat=3': 404,
  })
})

test('SRC-8 feeds keep their language and their kind', async () => {
  const { fetch } = await aMovedSite()
  const responses = '/articles/mali-le-groupe/responses'
  await leads(fetch, {
    '/feed/': '/rss.xml',
    '/feed': '/rss.xml',
    '/ar/feed/': '/ar/rss.xml',
    '/fr/feed/atom/': '/fr/atom.xml',
    '/feed/?lang=ar': '/ar/rss.xml',
    '/feed/rdf/': '/rss.xml',
    '/wp-rss2.php': '/rss.xml',
    '/wp-atom.php': '/atom.xml',
    '/?feed=rss2': '/rss.xml',
    '/ar/?feed=rss2': '/ar/rss.xml',
    '/?feed=atom': '/atom.xml',
    '/?feed=comments-rss2': '/responses/rss.xml',
    '/ar/comments/feed/': '/ar/responses/rss.xml',
    '/fr/category/evenement/feed/': '/fr/sections/evenement/rss.xml',
    '/category/monde/evenement/feed/atom/': '/sections/evenement/atom.xml',
    '/tag/mali/feed/': '/tags/mali/rss.xml',
    '/ar/?feed=rss2&tag=mali': '/ar/tags/mali/rss.xml',
    '/author/lina-marsa/feed/': '/authors/lina-marsa/rss.xml',
    '/fr/mali-le-groupe/feed/': `${responses}/rss.xml`,
    '/mali-le-groupe/feed/atom/': `${responses}/atom.xml`,
    '/2012/03/14/mali-le-groupe/feed/': `${responses}/rss.xml`,
    '/?feed=rss2&p=101': `${responses}/rss.xml`,
    '/category/rien/feed/': 404,
    '/nothing-here/feed/': 404,
    '/2024/03/feed/': 404,
    '/?feed=constructor': 200,
  })
})

test('SRC-8 what has to stay does: own pages, tokens of nobody, hostile paths', async () => {
  const { fetch } = await aMovedSite()
  await leads(fetch, {
    '/fr': 200,
    '/articles/nothing': 404,
    '/newsletters/mali-le-groupe': 404,
    '/activate/sans-prefixe': 404,
    '//evil.example/2024/03/sans-prefixe/': '/articles/sans-prefixe',
    '/%zz/': 404,
    '/%00/': 404,
    '/x%2Ffeed': 404,
  })
})

test('SRC-8 old addresses are found by an index, also among many articles', async () => {
  const { context } = await aMovedSite()
  const database = context.config.databaseUrl
  await runSql(
    database,
    `insert into articles (external_id, guid, slug, short_code, language, title, html, state, published_at, first_public_at, old_path, content_sha256)
     select 'wp:x:' || n, 'https://x.example/?p=' || n, 's' || n, 'c' || n, 'fr', 't', '', 'published', now(), now(), '/o/' || n || '/', ''
     from generate_series(1000, 6000) as n`,
  )
  await runSql(database, 'analyze articles')
  const plan = async (condition: string) =>
    JSON.stringify(await query(database, `explain select id from articles where ${condition}`))
  expect(await plan(`lower(rtrim(old_path, '/')) in ('/o/5', '/o/6')`)).toContain('articles_old_address')
  expect(
    await plan(`external_id like 'wp:%' and substring(external_id from '^wp:.*:([0-9]+)$') = '5'`),
  ).toContain('articles_wordpress_post')
  expect(await plan(`guid like '%p=%' and substring(guid from '[?&;]p=([0-9]+)$') = '5'`)).toContain(
    'articles_wordpress_guid',
  )
})

test.each([
  ['/2024/03/%d9%85%D8%B9/', '/2024/03/%d9%85%d8%b9'],
  ['/2024/03/مع', '/2024/03/%d9%85%d8%b9'],
  ['/Le-March%c3%a9/', '/le-march%c3%a9'],
  ['/e%CC%81t%C3%A9', '/%c3%a9t%c3%a9'],
  ['/a%2Db/%2e%2e/c', '/c'],
  ['/a%2fb', '/a%2fb'],
  ['/%zz/%d9', '/%zz/%d9'],
  ['//x//y/', '//x//y'],
  ['/', ''],
])('SRC-8 equivalent spellings of a path are one: %s', (path, canonical) => {
  expect(canonicalPath(path)).toBe(canonical)
})
