import { expect, test } from 'vitest'
import { createFeedWriter } from '../../src/feeds/writer.ts'
import type { ArticleInput } from '../../src/services/articles/input.ts'
import { createSitemapService } from '../../src/services/feeds/sitemap.ts'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { recordStatements } from '../support/statements.ts'
import { aWeb, type Web } from '../support/web.ts'

const textOf = async (web: Web, path: string) => (await web.fetch(path)).text()
const hoursAgo = (n: number) => new Date(Date.now() - n * 3_600_000)
const today = `(now() at time zone (select zone from publication))::date`

test('the front: a lead, second stories, briefs in text alone, a band where a section has enough, then the box', async () => {
  const web = await aWeb()
  const picture = { url: 'https://pictures.example/a.jpg', alt: '' }
  const sections = ['une', 'port', 'une', 'port', 'ville', 'port', 'culture', 'port', 'ville']
  for (const [n, section] of sections.entries())
    await anArticle(web.context.database, {
      title: `Récit ${n}`,
      sections: [section],
      picture,
      firstPublicAt: hoursAgo(n + 1),
    })
  await aNewsletter(web.context.database, { slug: 'sabah', name: 'صباح', language: 'ar' })
  await aNewsletter(web.context.database, { slug: 'matin', name: 'Le Matin', language: 'fr' })
  const page = await textOf(web, '/fr')
  const within = (from: string, to: string) =>
    page.slice(page.indexOf(from), page.indexOf(to, page.indexOf(from)))
  const told = (part: string) =>
    [...part.matchAll(/<h[23]><a href="[^"]*">Récit (\d)/g)].map(([, n]) => n).join('')
  expect(told(within('card first', 'class="news"'))).toBe('0')
  expect(told(within('class="news"', 'class="briefs"'))).toBe('12')
  expect(told(within('class="briefs"', '<section'))).toBe('468')
  expect(within('class="briefs"', '<section')).not.toContain('<img')
  expect(told(within('<section class="band"', '</main>'))).toBe('357')
  expect(page).toContain('<h2><a href="/fr/sections/port">port</a></h2>')
  // A band shows one picture, and does not say over and over what it is.
  expect(within('<section class="band"', '</section>').match(/<img/g)).toHaveLength(1)
  expect(within('<section class="band"', '</section>')).not.toContain('kicker')
  expect(page.indexOf('newsletter-box')).toBeGreaterThan(page.indexOf('card first'))
  // The letter of the page's language first, and chosen.
  expect(page).toMatch(/value="matin" checked>[^]*value="sabah">/)
  expect(await textOf(web, '/ar')).toMatch(/value="sabah" checked>[^]*value="matin">/)
  expect(page).toMatch(/<title>Le Rivage\s: toute l’actualité<\/title>/)
})

test('the most read: from ten views on, each story once, and no list where there are none', async () => {
  const web = await aWeb()
  const ids: number[] = []
  for (const n of [0, 1, 2]) ids.push((await anArticle(web.context.database, { title: `Récit ${n}` })).id)
  await rowsOf(web, 'update articles set views_total = 9')
  expect(await textOf(web, '/fr')).not.toContain('most-read')
  await rowsOf(web, 'update articles set views_total = 10 + id where id = any($1)', [ids.slice(1)])
  await rowsOf(
    web,
    `insert into article_views (article_id, date, n) values ($1, ${today}, 10), ($2, ${today}, 9)`,
    [ids[1], ids[2]],
  )
  const page = await textOf(web, '/fr')
  const [list = ''] = /<section class="most-read">[^]*?<\/section>/.exec(page) ?? []
  expect([...list.matchAll(/>(Aujourd’hui|Depuis toujours|Récit \d)</g)].map(([, text]) => text)).toEqual([
    'Aujourd’hui',
    'Récit 1',
    'Depuis toujours',
    'Récit 2',
  ])
})

test('picks stand at the side of the front page of each language that has their articles, at their time', async () => {
  const web = await aWeb()
  const api = await web.api('editor')
  await anArticle(web.context.database, { externalId: 'a', title: 'Récit a' })
  await anArticle(web.context.database, { externalId: 'b', title: 'Récit b' })
  const wish = { names: { fr: 'À ne pas manquer' }, articles: ['b', 'a'], onFront: true }
  expect(await (await api('PUT', '/picks/en-une', wish)).json()).toMatchObject({ onFront: true })
  const side =
    /<section class="headlines">\s*<h2><a href="\/fr\/picks\/en-une">À ne pas manquer<[^]*?Récit b[^]*?Récit a/
  expect(await textOf(web, '/fr')).toMatch(side)
  expect(await textOf(web, '/ar')).not.toContain('picks/en-une')
  await api('PUT', '/picks/en-une', { ...wish, from: hoursAgo(-1).toISOString() })
  expect(await textOf(web, '/fr')).not.toContain('picks/en-une')
  await api('PUT', '/picks/en-une', { ...wish, onFront: undefined })
  expect(await textOf(web, '/fr')).not.toContain('picks/en-une')
})

test('an article: when it was published and rewritten, what else its dossier has, and the box of its language', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const story: ArticleInput = {
    title: 'Le bac reprend la mer',
    html: '<p>Ce matin.</p>',
    language: 'fr',
    dossiers: ['port'],
    publishedAt: '2026-03-14T08:00:00Z',
  }
  const { article } = await services.articles.put('bac', story)
  await anArticle(database, { title: 'Le rapport', dossiers: ['port'] })
  await anArticle(database, { title: 'Ailleurs', dossiers: [] })
  await aNewsletter(database, { slug: 'sabah', language: 'ar' })
  await aNewsletter(database, { slug: 'matin', language: 'fr' })
  const path = `/articles/${article.slug}`
  const first = await textOf(web, path)
  expect(first).toContain('>Publié le 14 mars 2026 à 09:00</time>')
  expect(first).not.toMatch(/Mis à jour|modified_time/)
  expect(first).toMatch(/<section class="headlines">[^]*Dans ce dossier[^]*>Le rapport</)
  expect(first).not.toContain('Ailleurs')
  expect(first).toMatch(/newsletter-box[^]*value="matin" checked>[^]*value="sabah">/)
  // Another tag is no other text.
  await services.articles.put('bac', { ...story, tags: ['mer'] })
  expect(await textOf(web, path)).not.toContain('Mis à jour')
  await services.articles.put('bac', { ...story, html: '<p>Ce midi.</p>' })
  expect(await textOf(web, path)).toMatch(/article:modified_time[^]*<time datetime="[^"]+">Mis à jour le /)
})

test('lists of all sections and newsletters, each with its feeds; every page tells of its own in three formats', async () => {
  const web = await aWeb()
  const { database } = web.context
  const { slug } = await anArticle(database, { sections: ['culture'], dossiers: ['port'], responses: 'open' })
  await aNewsletter(database, { slug: 'matin', name: 'Le Matin', language: 'fr' })
  const hidden = await aNewsletter(database, { slug: 'cache', name: 'Cachée', language: 'fr' })
  await web.context.services.newsletters.change(
    hidden.slug,
    { state: 'hidden' },
    { kind: 'cli', role: 'admin' },
  )
  for (const [path, feeds] of [
    ['/fr/sections', '/fr/sections/culture/'],
    ['/fr/dossiers', '/fr/dossiers/port/'],
    ['/newsletters', '/newsletters/matin/'],
    ['/ar/newsletters', '/newsletters/matin/'],
  ] as const)
    for (const format of ['rss.xml', 'atom.xml', 'feed.json'])
      expect(await textOf(web, path), path).toContain(`href="${feeds}${format}"`)
  expect(await textOf(web, '/newsletters')).not.toContain('Cachée')

  for (const [path, own] of [
    ['/fr', '/fr'],
    ['/fr/sections', '/fr'],
    ['/fr/newsletters', '/fr'],
    ['/fr/sections/culture', '/fr/sections/culture'],
    ['/dossiers/port', '/dossiers/port'],
    ['/authors/lina-marsa', '/authors/lina-marsa'],
    ['/newsletters/matin', '/newsletters/matin'],
    [`/articles/${slug}`, ''],
    ['/subscribe', ''],
  ] as const) {
    const page = await textOf(web, path)
    const told = [...page.matchAll(/<link rel="alternate" type="application\/(\S+)"[^>]* href="([^"]+)"/g)]
    expect(
      told.slice(0, 3).map(([, type, url]) => [type, url]),
      path,
    ).toEqual([
      ['rss+xml', `${web.origin}${own}/rss.xml`],
      ['atom+xml', `${web.origin}${own}/atom.xml`],
      ['feed+json', `${web.origin}${own}/feed.json`],
    ])
  }
  expect(await textOf(web, `/articles/${slug}`)).toContain(`/articles/${slug}/responses/feed.json`)
})

test('a sitemap of the pages here, polled politely, in parts where it is long; none where links lead home', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const mine = await anArticle(database, { language: 'ar', title: 'عودة العبّارة' })
  const old = await anArticle(database, { canonicalUrl: `${web.origin}/2012/03/le-bac/` })
  await anArticle(database, { canonicalUrl: 'https://www.ailleurs.example/le-bac' })
  await anArticle(database, { state: 'draft' })
  const gone = await anArticle(database, { externalId: 'gone' })
  await services.articles.withdraw('gone', 'faux', { kind: 'cli', role: 'admin' })
  const response = await web.fetch('/sitemap.xml')
  expect(response.headers.get('content-type')).toContain('xml')
  const xml = await response.text()
  const pages = [mine, old].map(({ slug }) => `${web.origin}/articles/${encodeURIComponent(slug)}`)
  expect([...xml.matchAll(/<loc>([^<]+)/g)].map(([, url]) => url)).toEqual([
    ...['/', '/fr', '/ar'].map((path) => web.origin + path),
    ...pages,
  ])
  expect(xml).toContain(`<lastmod>${mine.updatedAt.toISOString()}</lastmod>`)
  expect(xml).not.toContain(gone.slug)
  const again = await web.fetch('/sitemap.xml', {
    headers: { 'if-none-match': response.headers.get('etag') ?? '' },
  })
  expect(again.status).toBe(304)
  expect((await web.fetch('/sitemap-1.xml')).status).toBe(404)
  expect(await textOf(web, '/robots.txt')).toContain(`\nSitemap: ${web.origin}/sitemap.xml\n`)

  const inTwos = createSitemapService({ ...web.context, feedWriter: createFeedWriter() }, 2)
  await anArticle(database)
  const locsOf = async (part?: number) =>
    [...((await inTwos.read(part)) ?? '').matchAll(/<loc>([^<]+)/g)].map(([, url]) => url)
  expect(await locsOf()).toEqual([1, 2].map((n) => `${web.origin}/sitemap-${n}.xml`))
  expect(await locsOf(1)).toEqual(pages)
  expect(await locsOf(2)).toHaveLength(1)
  expect(await inTwos.read(3)).toBeUndefined()

  await services.publication.set({ links: 'canonical' }, { kind: 'cli', role: 'admin' })
  expect((await web.fetch('/sitemap.xml')).status).toBe(404)
  expect(await textOf(web, '/robots.txt')).not.toContain('Sitemap')
})

test('what all articles are counted for is counted once for each change that any process makes', async () => {
  const web = await aWeb()
  const other = await aWeb({ databaseUrl: web.context.config.databaseUrl, hasNewsroom: true })
  const put = async (id: string) => {
    const call = await other.api('editor')
    await call('PUT', `/articles/${id}`, { title: id, language: 'fr', html: '', sections: ['culture'] })
  }
  const statements = recordStatements()
  const read = async () => {
    statements.splice(0)
    const page = await textOf(web, '/fr/sections')
    const map = await textOf(web, '/sitemap.xml')
    return {
      articles: /(\d+) article/.exec(page)?.[1],
      inMap: [...map.matchAll(/<loc>[^<]*\/articles\//g)].length,
      counts: statements.filter((text) => text.includes('count(*)')).length,
    }
  }
  await put('le-phare')
  const counted = (await read()).counts
  expect(await read()).toEqual({ articles: '1', inMap: 1, counts: counted - 2 })
  await put('le-bac')
  expect(await read()).toEqual({ articles: '2', inMap: 2, counts: counted })
  expect(await read()).toEqual({ articles: '2', inMap: 2, counts: counted - 2 })
})

test('a page has its menu whatever its reader would rather have: a cache keeps one for all', async () => {
  const web = await aWeb()
  const { slug } = await anArticle(web.context.database, { sections: ['culture'] })
  const read = async (path: string, accept: string) => (await web.fetch(path, { headers: { accept } })).text()
  for (const path of ['/', '/sections', `/articles/${slug}`]) {
    const page = await read(path, 'text/html')
    expect(page, path).toMatch(/<nav[^>]*>(?:(?!<\/nav>)[^])*\/sections\/culture"/)
    expect(await read(path, 'application/json'), path).toBe(page)
  }
})
