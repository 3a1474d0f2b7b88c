import { expect, test } from 'vitest'
import { createViewService } from '../../src/services/articles/article-views.ts'
import { anArticle } from '../support/articles.ts'
import { aDatabase } from '../support/database.ts'

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const crawlers = [
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'facebookexternalhit/1.1',
  'curl/8.5.0',
  'Feedly/1.0',
  'python-requests/2.32',
  '',
  undefined,
]

test('a view counts in total and on the day of the publication’s zone; crawlers do not', async () => {
  const database = await aDatabase()
  const publication = await database.stores.publication.get()
  await database.stores.publication.update({ ...publication, zone: 'Africa/Algiers' })
  const article = await anArticle(database)
  const clock = { now: new Date('2026-03-14T22:30:00Z') }
  const views = createViewService({ database, now: () => clock.now })
  const seen = new Set<string>()
  /** Each address is a visitor. */
  const count = (slug: string, userAgent: string | undefined, address = '192.0.2.1') =>
    views.count(slug, { address, userAgent }, (name) =>
      Promise.resolve(!seen.has(name) && seen.add(name).size > 0),
    )
  expect(await count(article.slug, browser)).toBe(true)
  expect(await count(article.slug, browser)).toBe(false)
  for (const agent of crawlers) expect(await count(article.slug, agent, '192.0.2.9')).toBe(false)
  clock.now = new Date('2026-03-14T23:30:00Z')
  expect(await database.stores.articleViews.count(article.id, '2026-03-15')).toBe(0)
  // Another day: the same visitors, under names that nobody can tell from the ones of yesterday.
  await Promise.all(Array.from({ length: 10 }, (_, n) => count(article.slug, browser, `192.0.2.${n}`)))
  expect(await database.stores.articleViews.keyOf('2026-03-15', Buffer.alloc(32))).not.toEqual(
    Buffer.alloc(32),
  )
  expect(seen.size).toBe(11)
  expect(await database.stores.articleViews.count(article.id, '2026-03-15')).toBe(10)
  expect((await database.stores.articles.find(article.id))?.viewsTotal).toBe(11)
  expect(await count('nulle-part', browser)).toBe(false)
})
