import { expect, test } from 'vitest'
import { tagLinks } from '../../src/domain/digests/link-tags.ts'
import { anArticle } from '../support/articles.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

test('links to the newsroom’s pages are marked in mails, HTML and text, where the newsletter wants it, and nowhere else', async () => {
  const web = await aWeb()
  const { database, config } = web.context
  await aNewsletter(database, {
    slug: 'le-soir',
    name: 'Le Soir',
    blocks: [{ kind: 'section', slug: 'culture' }],
  })
  const newsletter = await database.stores.newsletters.getBySlug('le-soir')
  await aSubscriber(database, { newsletter })
  await anArticle(database, {
    externalId: 'phare',
    slug: 'le-phare',
    title: 'Le phare',
    sections: ['culture'],
  })
  const call = await web.api('admin')
  const json = async (method: string, path: string, body?: unknown) =>
    (await (await call(method, path, body)).json()) as { id: number; contentHash: string }
  const intro = `[Nous](${web.origin}/sections/culture?a=1&b=2#ici), [eux](https://ailleurs.example/), [vos lettres](${web.origin}/preferences), [déjà](${web.origin}/?utm_source=x)`
  const { id } = await json('POST', '/newsletters/le-soir/digests', { intro })
  const before = (await json('GET', `/digests/${id}`)).contentHash
  const preview = async (format: string) =>
    (await call('GET', `/digests/${id}/preview?format=${format}`)).text()
  const linksOf = async () => {
    const html = [...(await preview('html')).matchAll(/href="([^"]*)"/g)].map(([, url = '']) =>
      url.replaceAll('&amp;', '&'),
    )
    const text = [...(await preview('text')).matchAll(/https?:\/\/[^\s)]+/g)].map(([url]) => url)
    return [html, text].map((urls) => [...new Set(urls)])
  }
  expect((await linksOf()).flat().filter((url) => /utm_(?:medium|campaign)/.test(url))).toEqual([])

  expect((await call('PATCH', '/newsletters/le-soir', { linkTags: true })).status).toBe(200)
  await web.context.services.digests.get(id)
  const day = await query<{ day: string }>(
    config.databaseUrl,
    `select to_char(created_at at time zone 'Africa/Algiers', 'YYYY-MM-DD') as day from digests where id = $1`,
    [id],
  )
  const rest = `utm_medium=email&utm_campaign=${day[0]?.day}-${id}`
  const marks = `utm_source=le-soir&${rest}`
  const { slug, shortCode } = await web.context.services.articles.get('phare')
  // A text shows the short address, which leads on with what it says.
  const pages = [`/articles/${slug}?${marks}`, `/s/${shortCode}?${marks}`]
  const short = await web.fetch(pages[1] ?? '', { redirect: 'manual' })
  expect(short.headers.get('location')).toBe(pages[0])
  for (const [n, urls] of (await linksOf()).entries()) {
    expect(urls.filter((url) => url.includes('utm_')).sort()).toEqual(
      expect.arrayContaining([
        `${web.origin}/?utm_source=x&${rest}`,
        `${web.origin}${pages[n]}`,
        `${web.origin}/sections/culture?a=1&b=2&${marks}#ici`,
      ]),
    )
    for (const path of [
      'https://ailleurs.example/',
      `${web.origin}/preferences`,
      `${web.origin}/digests/${id}`,
    ])
      expect(urls).toContain(path)
    expect(urls.filter((url) => /unsubscribe.*utm_|utm_.*unsubscribe/.test(url))).toEqual([])
  }
  expect(await preview('mime')).toMatch(/List-Unsubscribe: <[^>]*>/)
  expect(await preview('mime')).not.toMatch(/List-Unsubscribe: <[^>]*utm_/)
  await call('PATCH', '/newsletters/le-soir', { linkTags: false })
  await web.context.services.digests.get(id)
  expect((await json('GET', `/digests/${id}`)).contentHash).toBe(before)
})

test('what was frozen without marks stays as it is; own is the organisation, whatever the host', () => {
  const frozen = aFrozenDigest()
  expect(tagLinks(frozen)).toBe(frozen)
  const [article] = frozen.articles
  const at = (url: string) =>
    tagLinks({
      ...frozen,
      linkTags: { owners: ['rivage.example'], source: 'le-soir', campaign: '1' },
      articles: article ? [{ ...article, url }] : [],
    }).articles[0]?.url
  const marks = 'utm_source=le-soir&utm_medium=email&utm_campaign=1'
  expect(at('https://www.rivage.example/%D8%AE%D8%A8%D8%B1/')).toBe(
    `https://www.rivage.example/%D8%AE%D8%A8%D8%B1/?${marks}`,
  )
  for (const url of [
    'https://rivage.example.evil.test/',
    'https://notrivage.example/',
    'mailto:a@rivage.example',
  ])
    expect(at(url)).toBe(url)
})
