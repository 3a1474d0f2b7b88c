import { expect, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import { seedSampleNewsroom } from '../../src/embedded/sample/seed.ts'
import { createLogger } from '../../src/log.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'

test('the sample newsroom is a living newspaper, made once, with a filled draft on the desk', async () => {
  const context = createContext(aConfig(await cloneDatabase()), { log: createLogger('silent', 'start') })
  try {
    expect(await seedSampleNewsroom(context)).toBe(true)
    expect(await seedSampleNewsroom(context)).toBe(false)

    const { stores } = context.database
    for (const [language, least] of [
      ['fr', 12],
      ['ar', 8],
    ] as const) {
      const published = await stores.articles.listPublic({ language, limit: 50 })
      expect(published.length).toBeGreaterThanOrEqual(least)
    }
    const [newest] = await stores.articles.listPublic({ language: 'fr', limit: 1 })
    expect(Date.now() - (newest?.firstPublicAt?.getTime() ?? 0)).toBeLessThan(3 * 3_600_000)
    expect(newest?.viewsTotal).toBeGreaterThan(1000)

    const newsletters = await stores.newsletters.list()
    expect(newsletters.map((newsletter) => newsletter.slug)).toEqual(['le-matin', 'as-sabah', 'hebdo'])
    for (const { slug } of newsletters) {
      const [draft] = await context.services.digests.listNext(slug)
      expect(draft?.articles.length, slug).toBeGreaterThan(3)
      expect(draft?.audience, slug).toBeGreaterThan(1)
    }
  } finally {
    await context.close()
  }
})
