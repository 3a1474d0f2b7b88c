import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { importFeed } from '../../src/import/feed/import-feed.ts'
import { importWordpress } from '../../src/import/wordpress/import-wordpress.ts'
import { createArticleService } from '../../src/services/articles/articles.ts'
import { createResponseService } from '../../src/services/responses/responses.ts'
import { createSelectionService } from '../../src/services/articles/selections.ts'
import type { Database } from '../../src/store/database.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { runSql } from '../support/sql.ts'

const actor = { kind: 'cli', role: 'admin' } as const
const options = { actor, language: undefined, languages: ['fr', 'ar'], zone: 'Africa/Algiers' }
const site = 'https://rivage.example'

/** A story of the newsroom's WordPress, as each of its outputs shows it. */
interface Post {
  n: number
  title: string
  text: string
  /** UTC. */
  modified: string
  status: 'publish' | 'draft' | 'future'
}

const post = (n: number, change: Partial<Post> = {}): Post => ({
  n,
  title: `Le phare, jour ${n}`,
  text: `Le phare de Port-Clair brille depuis ${n} jours.`,
  modified: '2026-03-10T08:00:00Z',
  status: 'publish',
  ...change,
})

const sql = (iso: string) => iso.replace('T', ' ').replace('Z', '')

const wxr = (posts: Post[], home = site) => `<?xml version="1.0"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<title>Le Rivage</title><link>${home}</link><wp:wxr_version>1.2</wp:wxr_version><wp:base_blog_url>${home}</wp:base_blog_url>
${posts
  .map(
    ({
      n,
      title,
      text,
      modified,
      status,
    }) => `<item><title><![CDATA[${title}]]></title><link>${home}/2026/03/phare-${n}/</link>
<guid isPermaLink="false">${site}/?p=${n}</guid><content:encoded><![CDATA[<p>${text}</p>]]></content:encoded>
<wp:post_id>${n}</wp:post_id><wp:post_date_gmt>2026-03-0${n} 08:00:00</wp:post_date_gmt><wp:post_modified_gmt>${sql(modified)}</wp:post_modified_gmt>
<wp:post_name>phare-${n}</wp:post_name><wp:status>${status}</wp:status><wp:post_type>post</wp:post_type></item>`,
  )
  .join('\n')}</channel></rss>`

const rss = (posts: Post[]) => `<?xml version="1.0"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Le Rivage</title><link>${site}</link>
<generator>https://wordpress.org/?v=6.8</generator>
${posts
  .map(
    ({ n, title, text }) => `<item><title>${title}</title><link>${site}/2026/03/phare-${n}/</link>
<guid isPermaLink="false">${site}/?p=${n}</guid><pubDate>Mon, 0${n} Mar 2026 08:00:00 +0000</pubDate>
<content:encoded><![CDATA[<p>${text}</p>]]></content:encoded></item>`,
  )
  .join('\n')}</channel></rss>`

const atom = (posts: Post[]) => `<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Le Rivage</title><link href="${site}/"/>
${posts
  .map(
    ({
      n,
      title,
      text,
      modified,
    }) => `<entry><title>${title}</title><link href="${site}/2026/03/phare-${n}/"/><id>${site}/?p=${n}</id>
<published>2026-03-0${n}T08:00:00Z</published><updated>${modified}</updated><content type="html">&lt;p&gt;${text}&lt;/p&gt;</content></entry>`,
  )
  .join('\n')}</feed>`

const bare = (
  url: string,
  title: string,
) => `<?xml version="1.0"?><rss version="2.0"><channel><title>${url}</title><link>${url}</link>
<item><title>${title}</title><link>${url}/a/30001</link><guid isPermaLink="false">30001</guid><pubDate>Mon, 02 Mar 2026 08:00:00 +0000</pubDate><description>${title}.</description></item></channel></rss>`

async function aRoom() {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const parts = {
    config: { publicUrl: 'https://lettres.example' } as never,
    database,
    doorbell: { ring: () => Promise.resolve(), close: () => Promise.resolve() },
    now: () => new Date('2026-03-14T08:00:00Z'),
  }
  const articles = createArticleService(parts)
  const services = {
    articles,
    responses: createResponseService(parts),
    selections: createSelectionService(parts),
  }
  const folder = mkdtempSync('/var/tmp/depeche-test-')
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  return {
    database,
    url,
    articles,
    fromExport: (xml: string, followed: string[] = []) => {
      const file = join(folder, 'export.xml')
      writeFileSync(file, xml)
      return importWordpress(services, { ...options, followed, files: [file], onProgress: () => undefined })
    },
    fromFeed: (xml: string, asked: string[] = []) =>
      importFeed(services, {
        ...options,
        url: `${site}/feed/`,
        fetch: (url) => Promise.resolve({ url, body: Buffer.from(xml) }),
        findShortlink: (url) => {
          asked.push(url)
          return Promise.resolve(`${site}/?p=7`)
        },
      }),
    fromApi: async (posts: Post[]) => {
      for (const { n, title, text } of posts) {
        const body = { title, html: `<p>${text}</p>`, language: 'fr', guid: `${site}/?p=${n}` }
        await articles.put(`wp:rivage.example:${n}`, { ...body, publishedAt: `2026-03-0${n}T08:00:00Z` })
      }
    },
  }
}

const all = (database: Database) => database.stores.articles.list({ limit: 100, after: undefined })
const textOf = async (database: Database, n: number) =>
  (await database.stores.articles.getByExternalId(`wp:rivage.example:${n}`)).html

const paths = ['fromExport', 'fromFeed', 'fromApi'] as const
const orders = paths.flatMap((first) =>
  paths.flatMap((second) =>
    paths
      .filter((third) => new Set([first, second, third]).size === 3)
      .map((third) => [first, second, third] as const),
  ),
)

test.each(orders)(
  'SRC-2 one article whatever path it comes by: %s, %s, %s, and once more',
  async (...order) => {
    const room = await aRoom()
    const posts = [post(1), post(2), post(3)]
    const come = {
      fromExport: () => room.fromExport(wxr(posts)),
      fromFeed: () => room.fromFeed(rss(posts)),
      fromApi: () => room.fromApi(posts),
    }
    await come[order[0]]()
    const first = (await all(room.database)).map(({ id, guid, slug, shortCode }) => ({
      id,
      guid,
      slug,
      shortCode,
    }))
    for (const path of [...order.slice(1), ...order]) await come[path]()
    const articles = await all(room.database)
    expect(articles).toHaveLength(3)
    expect(articles.map(({ id, guid, shortCode }) => ({ id, guid, shortCode }))).toEqual(
      first.map(({ id, guid, shortCode }) => ({ id, guid, shortCode })),
    )
    for (const { slug } of first) {
      const found = await room.database.stores.articles.findBySlug(slug)
      expect(found ?? (await room.database.stores.articles.findBySlugHistory(slug))).toBeDefined()
    }
    expect(articles.map(({ externalId }) => externalId).sort()).toEqual(
      [1, 2, 3].map((n) => `wp:rivage.example:${n}`),
    )
  },
)

test('SRC-2 a correction arrives by a feed of what came by an export; an older export changes nothing', async () => {
  const { database, fromExport, fromFeed } = await aRoom()
  await fromExport(wxr([post(1), post(2)]))
  const corrected = post(1, { text: 'Le phare s’est éteint.', modified: '2026-03-12T08:00:00Z' })
  expect(await fromFeed(atom([corrected, post(2)]))).toMatchObject({ updated: 1, unchanged: 1 })
  expect(await textOf(database, 1)).toContain('éteint')
  expect(await fromExport(wxr([post(1), post(2)]))).toMatchObject({ updated: 0, unchanged: 2, older: 1 })
  expect(await textOf(database, 1)).toContain('éteint')
  const again = post(1, { text: 'Le phare brille.', modified: '2026-03-13T08:00:00Z' })
  expect(await fromExport(wxr([again]))).toMatchObject({ updated: 1 })
  // RSS does not say when: its words do.
  expect(await fromFeed(rss([again]))).toMatchObject({ updated: 0, unchanged: 1 })
  expect(await fromFeed(rss([post(1, { text: 'Le phare tremble.' })]))).toMatchObject({ updated: 1 })
  expect(await textOf(database, 1)).toContain('tremble')
  expect(await fromExport(wxr([again]))).toMatchObject({ updated: 0, older: 1 })
})

test('SRC-2 an export with later words leaves links where a feed said that they lead', async () => {
  const room = await aRoom()
  await room.fromFeed(atom([post(1)]))
  await room.fromExport(wxr([post(1, { text: 'Le phare brille mieux.', modified: '2026-03-11T08:00:00Z' })]))
  expect(await query(room.url, 'select html, canonical_url from articles')).toEqual([
    { html: expect.stringContaining('mieux') as string, canonical_url: `${site}/2026/03/phare-1/` },
  ])
})

test.each(['fromFeed', 'fromAtom'] as const)(
  'SRC-2 what an export had as a draft is published once the site shows it, though not a word has changed: %s',
  async (way) => {
    const room = await aRoom()
    const states = async () => query<{ state: string }>(room.url, 'select state from articles')
    await room.fromExport(wxr([post(1, { status: 'draft' })]))
    expect(await states()).toEqual([{ state: 'draft' }])
    await room.fromFeed(way === 'fromAtom' ? atom([post(1)]) : rss([post(1)]))
    expect(await states()).toEqual([{ state: 'published' }])
  },
)

test('SRC-2 what the desk has corrected stays, until the site has the last word again', async () => {
  const { database, articles, fromExport } = await aRoom()
  await fromExport(wxr([post(1)]))
  const { article } = await articles.put('wp:rivage.example:1', {
    title: 'Corrigé',
    html: '<p>Ici.</p>',
    language: 'fr',
  })
  expect(article.heldAt).toBeDefined()
  const newer = wxr([post(1, { text: 'Là-bas.', modified: '2027-01-01T00:00:00Z' })])
  expect(await fromExport(newer)).toMatchObject({ unchanged: 1, held: 1 })
  expect(await textOf(database, 1)).toContain('Ici')
  expect((await articles.release('wp:rivage.example:1', actor)).heldAt).toBeUndefined()
  await expect(articles.release('wp:rivage.example:1', actor)).rejects.toMatchObject({
    code: 'article_not_held',
  })
  expect(await fromExport(newer)).toMatchObject({ updated: 1, held: 0 })
  expect(await textOf(database, 1)).toContain('Là-bas')
})

test('SRC-2 a bare number is a guid at its own site alone; a document that repeats a guid names nothing by it', async () => {
  const { database, articles, fromFeed } = await aRoom()
  await fromFeed(bare('https://a.example', 'Du site A'))
  await fromFeed(bare('https://b.example', 'Du site B'))
  await fromFeed(bare('https://a.example', 'Du site A'))
  const titles = (await all(database)).map(({ title }) => title).sort()
  expect(titles).toEqual(['Du site A', 'Du site B'])
  const own = { title: 'Du site A, corrigé', html: '<p>x</p>', language: 'fr', guid: '30001' }
  await expect(articles.put('cms:1', own)).rejects.toMatchObject({ code: 'guid_taken' })
  const elsewhere = { ...own, canonicalUrl: 'https://c.example/1' }
  await expect(articles.put('cms:1', elsewhere)).rejects.toMatchObject({ code: 'guid_taken' })
  await articles.put('cms:1', { ...own, canonicalUrl: 'https://www.a.example/30001/' })
  expect((await all(database)).map(({ title }) => title).sort()).toEqual([own.title, 'Du site B'])
  const item = (n: number, guid: string) =>
    `<item><title>Titre ${n}</title>${guid}<pubDate>Mon, 02 Mar 2026 08:00:00 +0000</pubDate><description>Texte ${n}.</description></item>`
  const feed = (items: string[]) =>
    `<rss version="2.0"><channel><link>https://c.example</link>${items.join('')}</channel></rss>`
  const shared = [1, 2, 3].map((n) =>
    item(n, `<link>https://c.example/${n}</link><guid isPermaLink="false">N/A</guid>`),
  )
  expect(await fromFeed(feed(shared))).toMatchObject({ created: 3 })
  expect(await fromFeed(feed(shared))).toMatchObject({ created: 0, unchanged: 3 })
  const nameless = [4, 5].map((n) => item(n, ''))
  expect(await fromFeed(feed(nameless))).toMatchObject({ created: 2 })
  expect(await fromFeed(feed(nameless))).toMatchObject({ created: 0, unchanged: 2 })
})

test('SRC-2 stories that stand on one page stay as many, one after the other and at once', async () => {
  const { database, fromFeed } = await aRoom()
  const item = (n: number, guid: string, link = 'https://c.example/journal') =>
    `<item><title>Le journal de 8 h</title>${guid}<link>${link}</link><pubDate>Mon, 0${n} Mar 2026 08:00:00 +0000</pubDate></item>`
  const feed = (...items: string[]) =>
    `<rss version="2.0"><channel><link>https://c.example</link>${items.join('')}</channel></rss>`
  const episode = (n: number, guid = `episode-${n}`) => item(n, `<guid isPermaLink="false">${guid}</guid>`)
  expect(await fromFeed(feed(episode(1)))).toMatchObject({ created: 1 })
  expect(await fromFeed(feed(episode(2), episode(1)))).toMatchObject({ created: 1, unchanged: 1 })
  expect(await fromFeed(feed(episode(3)))).toMatchObject({ created: 1, updated: 0 })
  // Another guid of the same story.
  expect(await fromFeed(feed(episode(3, 'journal-3')))).toMatchObject({ created: 0, unchanged: 1 })
  expect(await all(database)).toHaveLength(3)
  const news = [4, 5].map((n) => item(n, '', 'https://c.example/').replace('Le journal', `Brève ${n}`))
  expect(await fromFeed(feed(...news))).toMatchObject({ created: 2 })
  expect(await fromFeed(feed(...news))).toMatchObject({ created: 0, unchanged: 2 })
})

test('SRC-2 a post whose guid has no number is asked for it; one that needs a password is never published', async () => {
  const { database, fromFeed } = await aRoom()
  const asked: string[] = []
  const moved = rss([post(7)]).replace(`${site}/?p=7`, `${site}/phare-7/`)
  await fromFeed(moved, asked)
  expect(asked).toEqual([`${site}/2026/03/phare-7/`])
  expect((await all(database))[0]?.externalId).toBe('wp:rivage.example:7')
  const form = '<form class="post-password-form" method="post"><input name="post_password"></form>'
  const locked = rss([post(8, { title: 'Protégé : secret', text: form })])
  expect(await fromFeed(locked)).toMatchObject({ created: 0, failed: 0, leftOut: { password: 1 } })
  expect(await all(database)).toHaveLength(1)
})

test('SRC-2 what earlier versions imported is known under its new ids: nothing comes again, nothing is renamed', async () => {
  const { database, url, fromFeed } = await aRoom()
  await fromFeed(bare('https://a.example', 'Du site A'))
  await fromFeed(bare('https://n.example', 'Sans').replace(/<link>[^<]*<\/link><guid.*<\/guid>/, ''))
  const formerId = (guid: string) => `feed:${createHash('sha256').update(guid).digest('hex').slice(0, 40)}`
  const old = { '30001': formerId('30001'), '': formerId('') }
  await runSql(
    url,
    `update articles set external_id = '${old['30001']}', remote_rank = null where title = 'Du site A'`,
  )
  await runSql(url, `update articles set external_id = '${old['']}', remote_rank = null where title = 'Sans'`)
  const before = (await all(database)).map(({ id, guid, slug, shortCode }) => [id, guid, slug, shortCode])
  expect(await fromFeed(bare('https://a.example', 'Du site A'))).toMatchObject({ created: 0 })
  expect(
    await fromFeed(bare('https://n.example', 'Sans').replace(/<link>[^<]*<\/link><guid.*<\/guid>/, '')),
  ).toMatchObject({ created: 0 })
  expect((await all(database)).map(({ id, guid, slug, shortCode }) => [id, guid, slug, shortCode])).toEqual(
    before,
  )
  // The other site's 30001 is another story all the same.
  expect(await fromFeed(bare('https://b.example', 'Du site B'))).toMatchObject({ created: 1 })
  expect((await database.stores.articles.getByExternalId(old['30001'])).title).toBe('Du site A')
})

test('SRC-2 a story without a guid is its page, whatever marks the click; those of earlier versions stay the same', async () => {
  const { database, url, fromFeed } = await aRoom()
  const marked = (marks: string, title = 'Le bac') =>
    bare('https://a.example', title)
      .replace(/<guid.*<\/guid>/, '')
      .replace('30001</link>', `30001${marks.replaceAll('&', '&amp;')}</link>`)
  const pages = async () => (await all(database)).map(({ title, canonicalUrl }) => [title, canonicalUrl])
  const first = '?id=7&utm_source=rss&utm_campaign=lundi#xtor=RSS-1'
  await fromFeed(marked(first))
  expect(await pages()).toEqual([['Le bac', 'https://a.example/a/30001?id=7']])
  // As an earlier version has it.
  const page = `https://a.example/a/30001${first}`
  const formerId = `feed:a.example:${createHash('sha256').update(page).digest('hex').slice(0, 40)}`
  await runSql(url, `update articles set external_id = '${formerId}', canonical_url = '${page}'`)
  for (const marks of [first, '?utm_medium=x&id=7&fbclid=1', '?id=7', '?id=7#xtor=RSS-2']) {
    expect([marks, await fromFeed(marked(marks))]).toMatchObject([marks, { created: 0, failed: 0 }])
  }
  expect(await fromFeed(marked('?id=8&utm_source=rss', 'Le phare'))).toMatchObject({ created: 1 })
  // Two stories of one page are two, as they were.
  const items = ['Un', 'Deux'].map(
    (title) => /<item>.*<\/item>/.exec(marked(`?id=9&utm_content=${title}`, title))?.[0],
  )
  const both = marked('').replace(/<item>.*<\/item>/, items.join(''))
  expect(await fromFeed(both)).toMatchObject({ created: 2 })
  await runSql(
    url,
    `update articles set external_id = 'feed:a.example:' || left(encode(sha256(convert_to('https://a.example/a/30001?id=9&utm_content=' || title, 'UTF8')), 'hex'), 40)
     where title in ('Un', 'Deux')`,
  )
  expect(await fromFeed(both)).toMatchObject({ created: 0 })
  expect(await all(database)).toHaveLength(4)
})

test('SRC-2 merge makes one of two: every address leads to the older, and who was sent either was sent the story', async () => {
  const { database, url, articles, fromExport } = await aRoom()
  await fromExport(wxr([post(1)]))
  const other = await articles.put('cms:1', {
    title: 'Le phare, jour 1',
    html: '<p>Copie.</p>',
    language: 'fr',
    publishedAt: '2026-03-01T08:00:00Z',
    guid: 'urn:x:copy',
    tags: ['mer'],
  })
  expect(await articles.listDoubled(10)).toEqual([
    { title: 'Le phare, jour 1', externalIds: ['wp:rivage.example:1', 'cms:1'] },
  ])
  const kept = await articles.get('wp:rivage.example:1')
  const { id: newsletterId } = await aNewsletter(database)
  await runSql(
    url,
    `insert into digests (newsletter_id, cadence, state) values (${newsletterId}, 'daily', 'completed');
     insert into digest_articles (digest_id, article_id, position, snapshot)
       select max(id), ${kept.id}, 1, '{}'::jsonb from digests union all select max(id), ${other.article.id}, 2, '{}'::jsonb from digests;
     insert into variants (digest_id, article_ids, readers)
       select max(id), v.ids, 1 from digests, (values (array[${kept.id}]::bigint[]), (array[${other.article.id}]::bigint[])) as v (ids) group by v.ids;
     insert into deliveries (digest_id, subscriber_id, variant_id, state)
       select digest_id, row_number() over (order by id), id, 'accepted' from variants`,
  )
  await expect(articles.merge('cms:1', 'cms:1', actor)).rejects.toMatchObject({ code: 'same_article' })
  const merged = await articles.merge('cms:1', 'wp:rivage.example:1', actor)
  expect([merged.kept.externalId, merged.gone.externalId]).toEqual(['wp:rivage.example:1', 'cms:1'])
  const { articles: store } = database.stores
  for (const found of [
    await store.getByExternalId('cms:1'),
    await store.findByShortCode(other.article.shortCode),
    await store.findBySlugHistory(other.article.slug),
  ]) {
    expect(found?.id).toBe(kept.id)
  }
  expect((await articles.get('cms:1')).tags.map(({ slug }) => slug)).toEqual(['mer'])
  expect(
    await articles.put('cms:1', { title: 'Corrigé', html: '<p>Oui.</p>', language: 'fr' }),
  ).toMatchObject({
    outcome: 'updated',
    article: { id: kept.id, guid: kept.guid },
  })
  expect(
    await query(
      url,
      `select v.article_ids, count(d.*)::int as n from variants v join deliveries d on d.variant_id = v.id group by v.id`,
    ),
  ).toEqual([{ article_ids: [String(kept.id)], n: 2 }])
  expect(await all(database)).toHaveLength(1)
})

test('SRC-4 a site is followed with www. and without: what it scheduled waits for it either way', async () => {
  const { database, url, fromExport } = await aRoom()
  const followed = [site.replace('//', '//www.')]
  const { leftOut } = await fromExport(wxr([post(8, { status: 'future' })]), followed)
  expect(leftOut).toEqual({ scheduled: 1 })
  const elsewhere = await fromExport(wxr([post(8, { status: 'future' })]), ['https://voisin.example'])
  expect(elsewhere.leftOut).toEqual({})
  const states = () => query(url, 'select state from articles')
  await query(url, "update articles set state = 'scheduled', published_at = '2100-01-01'")
  await database.stores.articles.markAwaited('voisin.example')
  expect(await states()).toEqual([{ state: 'scheduled' }])
  await database.stores.articles.markAwaited('www.rivage.example')
  expect(await states()).toEqual([{ state: 'draft' }])
})
