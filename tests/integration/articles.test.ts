import { decodeCursor } from '../../src/domain/cursor.ts'
import { expect, test } from 'vitest'
import { putArticles } from '../../src/services/articles/put-articles.ts'
import type { ArticleToPut } from '../../src/services/articles/put-article.ts'
import { articleInput, type ArticleInput } from '../../src/services/articles/input.ts'
import { createArticleService } from '../../src/services/articles/articles.ts'
import type { Database } from '../../src/store/database.ts'
import { anArticle } from '../support/articles.ts'
import { aDatabase } from '../support/database.ts'

const publicUrl = 'https://rivage.example'
const desk = { kind: 'cli', role: 'admin' } as const

function aService(database: Database, start = '2026-03-14T08:00:00Z') {
  const clock = { now: new Date(start) }
  const rings: string[] = []
  const doorbell = {
    ring: (name: string) => {
      rings.push(name)
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
  const config = { publicUrl } as never
  const articles = createArticleService({ config, database, doorbell, now: () => clock.now })
  return { articles, clock, rings }
}

const story: ArticleInput = {
  title: 'Le port rouvre',
  html: '<p>Le port rouvre lundi.</p>',
  language: 'fr',
  sections: ['evenement'],
  tags: ['port', 'économie'],
  authors: ['Lina Marsa', 'Idir Aït-Saïd'],
  responses: 'open',
}

test('feeds that lose an article hear of it, also of one that is known by its guid alone; sent again nobody does', async () => {
  const database = await aDatabase()
  const { articles, rings } = aService(database)
  const guid = 'https://rivage.example/?p=12'
  await anArticle(database, { externalId: 'wp:rivage.example:12', guid, sections: ['culture'], slug: 'port' })
  const body = { ...story, guid, canonicalUrl: 'https://rivage.example/port' }
  for (const put of [
    () => articles.put('cms:12', body),
    () => articles.putMany([{ ...body, sections: ['sport'], externalId: 'cms:12' }]),
  ]) {
    await put()
    expect(rings.splice(0)).toEqual(['render-feeds', 'refresh-drafts'])
    await put()
    expect(rings).toEqual([])
  }
  const changes = (await database.stores.feedDocuments.claimChanges()).map(({ subject }) => subject)
  expect(changes).toEqual(expect.arrayContaining(['section:culture', 'section:evenement', 'section:sport']))
})

test('a PUT creates, the same again is unchanged, an edit updates; guid, code and first publication stay', async () => {
  const { articles, clock } = aService(await aDatabase())
  const created = await articles.put('cms:1', story)
  expect(created.outcome).toBe('created')
  expect(created.article).toMatchObject({
    state: 'published',
    slug: 'le-port-rouvre',
    summary: 'Le port rouvre lundi.',
    publishedAt: clock.now,
    firstPublicAt: clock.now,
    areResponsesOpen: true,
    sections: [{ kind: 'section', slug: 'evenement', names: { und: 'evenement' } }],
    authors: [{ slug: 'lina-marsa' }, { slug: 'idir-ait-said' }],
  })
  expect(created.article.guid).toMatch(/^urn:uuid:/)
  expect(created.article.shortCode).toMatch(/^[bcdfghjkmnpqrstvwxyz2-9]{7}$/)
  expect(created.article.tags.map((tag) => tag.slug)).toEqual(['port', 'économie'])

  clock.now = new Date('2026-03-15T08:00:00Z')
  const again = await articles.put('cms:1', story)
  expect(again).toEqual({ outcome: 'unchanged', article: created.article })

  const edited = await articles.put('cms:1', { ...story, title: 'Le port rouvre mardi', tags: ['port'] })
  expect(edited.outcome).toBe('updated')
  expect(edited.article).toMatchObject({
    guid: created.article.guid,
    shortCode: created.article.shortCode,
    slug: 'le-port-rouvre',
    firstPublicAt: created.article.firstPublicAt,
    publishedAt: created.article.publishedAt,
    tags: [{ slug: 'port' }],
  })
})

test('slugs are unique, keep Arabic letters, and follow the title until the article is public', async () => {
  const { articles } = aService(await aDatabase())
  const slugOf = async (id: string, change: Partial<ArticleInput>) =>
    (await articles.put(id, { ...story, ...change })).article.slug
  expect(await slugOf('a', {})).toBe('le-port-rouvre')
  expect(await slugOf('b', {})).toBe('le-port-rouvre-2')
  expect(await slugOf('b', { html: '<p>Autre.</p>' })).toBe('le-port-rouvre-2')
  expect(await slugOf('c', { title: 'الميناء يفتح أبوابه', language: 'ar' })).toBe('الميناء-يفتح-أبوابه')
  expect(await slugOf('d', { title: '…!' })).toBe('article')
  expect(await slugOf('e', { title: 'Brouillon', state: 'draft' })).toBe('brouillon')
  expect(await slugOf('e', { title: 'Titre final', state: 'draft' })).toBe('titre-final')
  expect(await slugOf('e', { title: 'Titre final' })).toBe('titre-final')
  expect(await slugOf('e', { title: 'Tout autre titre' })).toBe('titre-final')
})

test('an import may rename a public slug; the old one still finds the article and is not given away', async () => {
  const database = await aDatabase()
  const first = await anArticle(database, {
    externalId: 'wp:1',
    slug: 'ancien',
    oldPath: '/2012/03/14/ancien/',
  })
  const second = await anArticle(database, {
    externalId: 'wp:1',
    slug: 'nouveau',
    oldPath: '/2012/03/14/nouveau/',
  })
  expect(second).toMatchObject({ id: first.id, guid: first.guid, slug: 'nouveau' })
  const { articles } = database.stores
  expect((await articles.findBySlugHistory('ancien'))?.id).toBe(first.id)
  expect((await articles.findPublicByOldPath(['/2012/03/14/nouveau']))?.id).toBe(first.id)
  expect(await anArticle(database, { title: 'Ancien' })).toMatchObject({ slug: 'ancien-2' })
})

test('a story ahead of its date is scheduled, published by the worker once, and first public then', async () => {
  const database = await aDatabase()
  const { articles, clock } = aService(database)
  const { article } = await articles.put('s', { ...story, publishedAt: '2026-03-14T09:00:00Z' })
  expect(article).toMatchObject({ state: 'scheduled', firstPublicAt: undefined })
  expect(await articles.publishDue()).toBe(0)
  clock.now = new Date('2026-03-14T09:00:03Z')
  const published = await Promise.all([articles.publishDue(), articles.publishDue(), articles.publishDue()])
  expect(published.reduce((sum, n) => sum + n)).toBe(1)
  expect(await articles.get('s')).toMatchObject({
    state: 'published',
    publishedAt: new Date('2026-03-14T09:00:00Z'),
    firstPublicAt: clock.now,
  })
})

test('scheduled for the past is published; scheduled without a time, and a draft of what is public, are refused', async () => {
  const { articles } = aService(await aDatabase())
  const past = { ...story, state: 'scheduled', publishedAt: '2026-03-01T00:00:00+01:00' } as const
  expect((await articles.put('p', past)).article).toMatchObject({
    state: 'published',
    publishedAt: new Date('2026-02-28T23:00:00Z'),
    firstPublicAt: new Date('2026-03-14T08:00:00Z'),
  })
  await expect(articles.put('q', { ...story, state: 'scheduled' })).rejects.toMatchObject({
    code: 'schedule_needs_date',
  })
  await expect(articles.put('p', { ...story, state: 'draft' })).rejects.toMatchObject({
    code: 'article_is_public',
  })
})

test('withdrawn stays withdrawn under a re-import or a plain edit, until an editor says published', async () => {
  const database = await aDatabase()
  const { articles, clock } = aService(database)
  const { article } = await articles.put('w', story)
  expect(await articles.withdraw('w', 'Erreur\nsur la personne', desk)).toMatchObject({
    state: 'withdrawn',
    withdrawnReason: 'Erreur sur la personne',
    withdrawnAt: clock.now,
  })
  expect((await articles.withdraw('w', 'encore', desk)).withdrawnReason).toBe('Erreur sur la personne')
  expect((await articles.put('w', { ...story, title: 'Corrigé' })).article.state).toBe('withdrawn')
  const imported = {
    externalId: 'w',
    input: articleInput.parse({ ...story, state: 'published' }),
    origin: { baseUrl: publicUrl },
  }
  await articles.putBatch([imported])
  expect((await articles.get('w')).state).toBe('withdrawn')
  const restored = await articles.put('w', { ...story, state: 'published' })
  expect(restored.article).toMatchObject({
    state: 'published',
    withdrawnReason: undefined,
    guid: article.guid,
    firstPublicAt: article.firstPublicAt,
  })
  await articles.put('d', { ...story, state: 'draft' })
  await expect(articles.withdraw('d', 'x', desk)).rejects.toMatchObject({ code: 'article_not_public' })
  await expect(articles.withdraw('none', 'x', desk)).rejects.toMatchObject({ code: 'no_article' })
})

test('a batch leaves out what is wrong with one article and keeps the others', async () => {
  const database = await aDatabase()
  const item = (externalId: string, change: Partial<ArticleInput> = {}): ArticleToPut => ({
    externalId,
    input: articleInput.parse({ ...story, ...change }),
    origin: { baseUrl: 'https://old.example', slug: 'meme-slug' },
  })
  const results = await database.transaction((stores) =>
    putArticles(
      stores,
      [
        item('1', { guid: 'http://old.example/?p=1' }),
        item('2', { guid: 'http://old.example/?p=1' }),
        item('3', { state: 'scheduled' }),
        item('4'),
        { externalId: '5', input: articleInput.parse({ ...story, guid: 'http://old.example/?p=1' }) },
      ],
      { publicUrl, now: new Date('2026-03-14T08:00:00Z') },
    ),
  )
  expect([...results].sort((a, b) => (a.externalId < b.externalId ? -1 : 1))).toMatchObject([
    { externalId: '1', outcome: 'created' },
    { externalId: '2', outcome: 'created', hasNewGuid: true },
    { externalId: '3', error: { code: 'schedule_needs_date' } },
    { externalId: '4', outcome: 'created' },
    { externalId: '5', error: { code: 'guid_taken' } },
  ])
  expect((await database.stores.articles.getByExternalId('4')).slug).toBe('meme-slug-3')
})

test('ten writers of one new article and of one slug: one creates, the slugs differ', async () => {
  const database = await aDatabase()
  const { articles } = aService(database)
  const same = await Promise.all(Array.from({ length: 10 }, () => articles.put('one', story)))
  expect(same.filter((one) => one.outcome === 'created')).toHaveLength(1)
  const others = await Promise.all(
    Array.from({ length: 10 }, (_, n) => articles.put(`other-${n}`, { ...story, title: 'Même titre' })),
  )
  expect(new Set(others.map((one) => one.article.slug)).size).toBe(10)
})

test('lists: public newest first with withdrawn ones, by language and selection; most read; API pages', async () => {
  const database = await aDatabase()
  const old = await anArticle(database, { firstPublicAt: new Date('2026-03-01T00:00:00Z'), viewsTotal: 9 })
  const arabic = await anArticle(database, {
    language: 'ar',
    sections: ['culture'],
    firstPublicAt: new Date('2026-03-02T00:00:00Z'),
  })
  await anArticle(database, { state: 'draft' })
  const gone = await anArticle(database, {
    externalId: 'gone',
    firstPublicAt: new Date('2026-03-03T00:00:00Z'),
  })
  await aService(database).articles.withdraw('gone', 'x', desk)
  const ids = (list: { id: number }[]) => list.map((one) => one.id)
  const { articles, selections, articleViews } = database.stores
  expect(ids(await articles.listPublic({ limit: 10 }))).toEqual([gone.id, arabic.id, old.id])
  expect(ids(await articles.listPublic({ limit: 10, state: 'published', language: 'fr' }))).toEqual([old.id])
  const culture = await selections.findBySlug('section', 'culture')
  expect(ids(await articles.listPublic({ limit: 10, selectionId: culture?.id ?? 0 }))).toEqual([arabic.id])
  const before = { id: arabic.id, firstPublicAt: new Date('2026-03-02T00:00:00Z') }
  expect(ids(await articles.listPublic({ limit: 10, before }))).toEqual([old.id])
  expect(ids(await articles.listByIds([old.id, 999_999, gone.id]))).toEqual([old.id, gone.id])

  expect(await articleViews.insert(arabic.slug, '2026-03-14')).toBe(true)
  expect(await articleViews.insert(arabic.slug, '2026-03-14')).toBe(true)
  expect(await articleViews.insert(gone.slug, '2026-03-14')).toBe(false)
  expect(await articleViews.count(arabic.id, '2026-03-14')).toBe(2)
  expect(ids(await articles.listMostRead({ limit: 5 }))).toEqual([old.id, arabic.id])
  expect(ids(await articles.listMostRead({ limit: 5, date: '2026-03-14' }))).toEqual([arabic.id])

  const service = aService(database).articles
  const page = await service.list({ limit: 3, after: undefined })
  expect(page.data).toHaveLength(3)
  expect(page.next).not.toBeNull()
  const after = decodeCursor(page.next ?? '', ['time', 'id'])
  expect((await service.list({ limit: 3, after })).data).toHaveLength(1)
  expect((await service.list({ limit: 3, after: undefined }, { state: 'draft' })).data).toHaveLength(1)
})

test('a higher viewsTotal raises the count and nothing else; a lower one is ignored', async () => {
  const { articles } = aService(await aDatabase())
  const { article } = await articles.put('v', { ...story, viewsTotal: 10 })
  expect(await articles.put('v', { ...story, viewsTotal: 5 })).toMatchObject({ outcome: 'unchanged' })
  const raised = await articles.put('v', { ...story, viewsTotal: 20 })
  expect(raised).toMatchObject({
    outcome: 'updated',
    article: { viewsTotal: 20, updatedAt: article.updatedAt },
  })
})
