import { expect, test } from 'vitest'
import type { ArticleInput } from '../../src/services/articles/input.ts'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb, type Web } from '../support/web.ts'

const html = { headers: { accept: 'text/html' } }

const story: ArticleInput = {
  title: 'Le marché rouvre',
  html: '<p>Les étals sont revenus.</p>',
  language: 'fr',
  sections: ['a-la-une'],
  state: 'published',
}

const put = async (web: Web, externalId: string, change: Partial<ArticleInput> = {}) =>
  (await web.context.services.articles.put(externalId, { ...story, ...change })).article

const textOf = async (web: Web, path: string, headers: Record<string, string> = {}) =>
  (await web.fetch(path, { headers: { ...html.headers, ...headers } })).text()

test('drafts and scheduled articles are never public, on no page and under no address', async () => {
  const web = await aWeb()
  const draft = await put(web, 'draft', { title: 'Brouillon secret', state: 'draft' })
  const scheduled = await put(web, 'later', {
    title: 'Embargo secret',
    state: 'scheduled',
    publishedAt: '2199-01-01T00:00:00Z',
  })
  await put(web, 'public')
  for (const path of ['/', '/fr', '/sections/a-la-une', '/fr/sections/a-la-une']) {
    const page = await textOf(web, path)
    expect(page).toContain('Le marché rouvre')
    expect(page).not.toContain('secret')
  }
  for (const { slug, shortCode } of [draft, scheduled]) {
    expect((await web.fetch(`/articles/${slug}`)).status).toBe(404)
    expect((await web.fetch(`/s/${shortCode}`)).status).toBe(404)
  }
})

test('a withdrawn article is its notice alone, with 410', async () => {
  const web = await aWeb()
  const { slug, shortCode } = await put(web, 'wrong', { title: 'Titre faux', html: '<p>Texte faux.</p>' })
  await web.context.services.articles.withdraw('wrong', 'Les chiffres étaient faux.', {
    kind: 'cli',
    role: 'admin',
  })
  const response = await web.fetch(`/articles/${slug}`, html)
  expect(response.status).toBe(410)
  const page = await response.text()
  expect(page).toContain('Les chiffres étaient faux.')
  expect(page).not.toContain('Texte faux')
  expect(await textOf(web, '/')).not.toContain('Titre faux')
  expect((await web.fetch(`/s/${shortCode}`)).headers.get('location')).toBe(`/articles/${slug}`)
})

test('hostile titles, names and links stay words', async () => {
  const web = await aWeb()
  const hostile = '"><script>alert(1)</script>{{ publicUrl }}'
  const { slug } = await put(web, 'hostile', {
    title: hostile,
    deck: hostile,
    tags: ['mot'],
    authors: [hostile],
    picture: { url: 'https://pictures.example/a.jpg?"onerror=alert(1)', alt: hostile, credit: hostile },
  })
  for (const path of ['/', '/sections/a-la-une', '/tags/mot', `/articles/${slug}`]) {
    const page = await textOf(web, path)
    expect(page, path).toContain('&lt;script&gt;alert(1)&lt;/script&gt;{{ publicUrl }}')
    expect(page, path).not.toContain('<script>alert')
    expect(page, path).not.toMatch(/"onerror/)
  }
})

test('an article page is in its own language; a list in the path’s, else the browser’s', async () => {
  const web = await aWeb()
  const arabic = await put(web, 'ar', { title: 'السوق يفتح أبوابه', language: 'ar' })
  await put(web, 'fr')
  const opened = async (path: string, accept: string) =>
    /<html[^>]*>/.exec(await textOf(web, path, { 'accept-language': accept }))?.[0]
  expect(await opened(`/articles/${encodeURIComponent(arabic.slug)}`, 'fr')).toBe(
    '<html lang="ar" dir="rtl">',
  )
  expect(await opened('/', 'ar-DZ,fr;q=0.5')).toBe('<html lang="ar" dir="rtl">')
  expect(await opened('/', 'de')).toBe('<html lang="fr" dir="ltr">')
  expect(await opened('/fr', 'ar')).toBe('<html lang="fr" dir="ltr">')

  const everything = await textOf(web, '/', { 'accept-language': 'fr' })
  expect(everything).toContain('Le marché rouvre')
  expect(everything).toContain('السوق يفتح أبوابه')
  expect(await textOf(web, '/fr')).not.toContain('السوق يفتح أبوابه')
  expect(await textOf(web, '/ar/sections/a-la-une')).not.toContain('Le marché rouvre')
})

test('no link of a page follows the Host header', async () => {
  const web = await aWeb()
  const { slug } = await put(web, 'one')
  for (const path of ['/', `/articles/${slug}`, '/sections/a-la-une', '/nowhere']) {
    const page = await textOf(web, path, {
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
    })
    expect(page).not.toContain('evil.example')
  }
  const page = await textOf(web, `/articles/${slug}`)
  expect(page).toContain(`<link rel="canonical" href="${web.origin}/articles/${slug}">`)
})

test('old slugs and short URLs lead to the article for good', async () => {
  const web = await aWeb()
  const { database } = web.context
  const wish = { externalId: 'wp-7' }
  await anArticle(database, { ...wish, slug: 'le-marche' })
  const { shortCode } = await anArticle(database, { ...wish, slug: 'le-marche-rouvre' })
  for (const path of [`/s/${shortCode}`, '/articles/le-marche']) {
    const response = await web.fetch(path)
    expect(response.status, path).toBe(301)
    expect(response.headers.get('location'), path).toBe('/articles/le-marche-rouvre')
  }
})

test('a selection pages through all its articles, each once', async () => {
  const web = await aWeb()
  const published = Array.from({ length: 45 }, (_, index) => `Nouvelle ${index}.`)
  for (const [index, title] of published.entries()) {
    await put(web, `n-${index}`, {
      title,
      publishedAt: new Date(1_700_000_000_000 + (index >> 1) * 1000).toISOString(),
    })
  }
  const seen: string[] = []
  let path: string | undefined = '/sections/a-la-une'
  while (path !== undefined) {
    const page: string = await textOf(web, path)
    seen.push(...[...page.matchAll(/<h2><a href="[^"]*">([^<]+)/g)].map(([, title]) => title ?? ''))
    path = /rel="next" href="([^"]+)"/.exec(page)?.[1]
  }
  expect(seen).toHaveLength(45)
  expect(new Set(seen)).toEqual(new Set(published))
  expect((await web.fetch('/sections/a-la-une?before=nonsense')).status).toBe(400)
  expect((await web.fetch('/sections/nothing')).status).toBe(404)
})

test('a view is counted once, for readers and not for crawlers', async () => {
  const web = await aWeb()
  const { slug } = await put(web, 'one')
  const view = (agent: string) =>
    web.fetch(`/articles/${slug}/views`, { method: 'POST', headers: { 'user-agent': agent } })
  const reader = await view('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')
  expect(reader.status).toBe(204)
  expect(reader.headers.get('set-cookie')).toBeNull()
  await view('Googlebot/2.1')
  // The same reader again, another site's page, and another reader.
  await view('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')
  const elsewhere = await web.fetch(`/articles/${slug}/views`, {
    method: 'POST',
    headers: { 'user-agent': 'Mozilla/5.0 Chrome/140.0', 'sec-fetch-site': 'cross-site' },
  })
  expect(elsewhere.status).toBe(403)
  const page = await textOf(web, `/articles/${slug}`)
  expect(page).toContain('1 lecture, dont 1 aujourd’hui')
})

test('one machine that names another browser each time is no crowd of readers', async () => {
  const web = await aWeb()
  const { slug } = await put(web, 'one')
  const view = (n: number) =>
    web.fetch(`/articles/${slug}/views`, {
      method: 'POST',
      headers: { 'user-agent': `Mozilla/5.0 Firefox/${n}` },
    })
  for (let n = 0; n < 320; n += 40)
    await Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        expect((await view(n + at)).status).toBe(204)
      }),
    )
  expect(await rowsOf(web, 'select n::int from article_views')).toEqual([{ n: 300 }])
  expect(await rowsOf(web, `select count(*)::int as n from rate_limits where key like 'view:%'`)).toEqual([
    { n: 300 },
  ])
})

test('a player that an article may hold may also be shown; a frame from anywhere else may not', async () => {
  const web = await aWeb()
  const policy = (await web.fetch('/')).headers.get('content-security-policy') ?? ''
  expect(policy).toContain('https://www.youtube-nocookie.com')
  expect(policy).not.toMatch(/frame-src[^;]*\*/)
  expect(policy).not.toContain('unsafe-inline')
})

test('seventy imported categories leave menu and signup form short and in names, the desk’s own sections first', async () => {
  const web = await aWeb()
  const { selections } = web.context.services
  await selections.create(
    'section',
    { slug: 'actu', names: { fr: 'Actualité', ar: 'أخبار' }, position: 0 },
    { kind: 'system', role: 'admin' },
  )
  await selections.create(
    'section',
    { slug: 'faits-divers', names: { fr: 'Faits divers' }, position: 1 },
    { kind: 'system', role: 'admin' },
  )
  await selections.create(
    'section',
    { slug: 'culture', names: { fr: 'Culture' }, position: 2 },
    { kind: 'system', role: 'admin' },
  )
  const categories = Array.from({ length: 70 }, (_, n) => `rubrique-${n}`)
  await selections.ensure(
    categories.map((slug, n) => ({ kind: 'section', slug, names: { und: `Rubrique nº ${n}` } })),
  )
  // What the newsroom writes about now comes before what it once wrote about.
  await put(web, 'old', { sections: ['rubrique-3'], publishedAt: '2012-03-14T10:00:00Z' })
  for (const n of [1, 2]) await put(web, `new-${n}`, { sections: ['rubrique-60'] })

  const menuOf = async (path: string) => {
    const [, menu = ''] = /<nav class="sections"[^]*?<ul>([^]*?)<\/ul>/.exec(await textOf(web, path)) ?? []
    return [...menu.matchAll(/>([^<]+)<\/a>/g)].map(([, name]) => name)
  }
  const menu = await menuOf('/fr')
  expect(menu.slice(0, 5)).toEqual([
    'Actualité',
    'Faits divers',
    'Culture',
    'Rubrique nº 60',
    'Rubrique nº 3',
  ])
  expect(menu).toHaveLength(9)
  expect((await menuOf('/ar'))[0]).toBe('أخبار')

  await aNewsletter(web.context.database)
  const form = await textOf(web, '/fr/subscribe')
  const [, choices = ''] = /<div class="choices">([^]*?)<\/div>/.exec(form) ?? []
  const offered = [...choices.matchAll(/<bdi>([^<]+)<\/bdi>/g)].map(([, name]) => name)
  expect(offered).toHaveLength(12)
  expect(offered.slice(0, 4)).toEqual(['Actualité', 'Faits divers', 'Culture', 'Rubrique nº 60'])
  expect(offered.join()).not.toContain('rubrique-')
})
