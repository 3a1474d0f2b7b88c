import { expect, test } from 'vitest'
import type { DigestShape } from '../../src/services/digests/shape.ts'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsboat } from '../support/feed-readers.ts'
import { aNewsroom as aFeedNewsroom } from '../support/feeds.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { poll } from '../support/poll.ts'
import { aFollowedSite } from '../support/sources.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import type { Web } from '../support/web.ts'

const home = 'https://www.rivage-journal.example'
const pageOf = (externalId: string) => `${home}/2026/${externalId}/`
const desk = { kind: 'cli', role: 'admin' } as const
const formats = ['rss.xml', 'atom.xml', 'feed.json']
const html = { headers: { accept: 'text/html' } }

/** A newsroom whose articles stand on its own site, in every place that shows articles. */
async function aNewsroom() {
  const web = await aFeedNewsroom()
  const { database, services } = web.context
  for (const externalId of ['phare', 'criee', 'marche', 'faux']) {
    await anArticle(database, {
      externalId,
      title: `Nouvelles : ${externalId}`,
      html: `<p>Le début de l’histoire.</p><p>${'Le corps entier. '.repeat(40)}Et la fin.</p>`,
      canonicalUrl: pageOf(externalId),
      dossiers: ['port'],
      tags: ['mer'],
      responses: 'open',
      viewsTotal: 9,
    })
  }
  await anArticle(database, { externalId: 'souq', language: 'ar', canonicalUrl: pageOf('سوق <1>') })
  await services.responses.put('phare', 'r1', { author: 'Nadir', html: '<p>Enfin.</p>' })
  await services.articles.withdraw('faux', 'Une erreur.', desk)
  await rowsOf(
    web,
    `insert into article_views (article_id, date, n) select id, current_date - d, 5 from articles, generate_series(0, 2) d`,
  )
  return { web, services, articles: await services.articles.list({ limit: 50, after: undefined }) }
}

const leadHome = (web: Web, more: object = {}) =>
  web.context.services.publication.set({ links: 'canonical', ...more }, desk)

const slugOf = async (web: Web, externalId: string) =>
  (await web.context.services.articles.get(externalId)).slug

/** The links of a page, feed or mail to pages of articles here; the desk has pages of its own. */
const linksHere = (text: string) => text.match(/(?<!\/desk|value=")\/articles\/[^"'<>\s]*/g) ?? []

async function everyText(web: Web, languages: string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  const selections = ['', '/sections/a-la-une', '/dossiers/port', '/tags/mer', '/authors/lina-marsa']
  for (const language of languages) {
    for (const path of [...selections, '/dossiers', '/feeds']) {
      texts.set(
        `${language}${path || '/'}`,
        await (await web.fetch(`${language}${path || '/'}`, html)).text(),
      )
    }
    for (const path of [...selections, '/most-read', '/most-read/today', '/responses']) {
      for (const format of formats) {
        const { status, text } = await poll(`${web.origin}${language}${path}/${format}`)
        expect([path, status]).toEqual([path, 200])
        texts.set(`${language}${path}/${format}`, text)
      }
    }
  }
  texts.set('/feeds.opml', await (await web.fetch('/feeds.opml')).text())
  const editor = await signedIn(web, 'editor')
  for (const path of ['/', '/articles', '/articles/phare', '/articles/faux', '/feeds']) {
    texts.set(`/desk${path}`, await (await editor.get(path)).text())
  }
  const call = await web.api('editor')
  for (const path of ['/articles', '/articles/phare'])
    texts.set(`/api/v1${path}`, await (await call('GET', path)).text())
  return texts
}

test('SRC-1 where links lead home, no page, feed or answer leads to a copy here', async () => {
  const { web } = await aNewsroom()
  await web.render()
  const before = await everyText(web, [''])
  expect([...before].filter(([, text]) => linksHere(text).length > 0).length).toBeGreaterThan(20)
  await leadHome(web)
  await web.render()
  const after = await everyText(web, ['', '/fr', '/ar'])
  expect([...after].filter(([, text]) => linksHere(text).length > 0).map(([path]) => path)).toEqual([])
  for (const path of [
    '/',
    '/rss.xml',
    '/atom.xml',
    '/feed.json',
    '/most-read/rss.xml',
    '/responses/rss.xml',
  ]) {
    expect(after.get(path), path).toContain(pageOf('phare'))
  }
  // As a standard writes it, in whatever form it came.
  for (const format of formats) expect(after.get(`/ar/${format}`)).toContain(encodeURI(pageOf('سوق <1>')))
  const follow = await poll(`${web.origin}/articles/${await slugOf(web, 'phare')}/responses/rss.xml`)
  expect(follow.text).toContain(`<link>${pageOf('phare')}</link>`)
  expect(follow.text).toContain(`<link>${pageOf('phare')}#response-`)
  // What is left is the address of this feed alone.
  expect(linksHere(follow.text).filter((link) => !link.endsWith('/responses/rss.xml'))).toEqual([])
})

test('SRC-1 digests and alerts lead home, as HTML and as text; a frozen one keeps what was frozen', async () => {
  const { web } = await aNewsroom()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database, { blocks: [{ kind: 'lead' }, { kind: 'most-read' }] })
  await aSubscriber(database, { newsletter })
  const call = await web.api('editor')
  const compose = async (body: object) =>
    (await (await call('POST', `/newsletters/${newsletter.slug}/digests`, body)).json()) as DigestShape
  const shown = async ({ id }: DigestShape) =>
    Promise.all(
      ['html', 'text'].map(async (format) =>
        (await call('GET', `/digests/${id}/preview?format=${format}`)).text(),
      ),
    )
  const frozen = await compose({ cadence: 'daily' })
  await call('POST', `/digests/${frozen.id}/approve`, {}, { 'if-match': `"${frozen.version}"` })
  const draft = await compose({ cadence: 'daily' })
  const alert = await compose({ cadence: 'alert', articles: ['phare'] })
  const kept = await shown(frozen)
  for (const text of [...kept, ...(await shown(draft)), ...(await shown(alert))]) {
    expect(text).toMatch(/\/(?:articles|s)\//)
  }
  await leadHome(web)
  await services.drafts.refreshAll()
  expect(await shown(frozen)).toEqual(kept)
  for (const text of [...(await shown(draft)), ...(await shown(alert))]) {
    expect(text).not.toMatch(/\/(?:articles|s)\//)
    expect(text).toContain(pageOf('phare'))
  }
  expect((await shown(draft))[1]).toContain(pageOf('criee'))
})

test('SRC-1 an article’s addresses here send readers on to its own page, as long as they are to', async () => {
  const { web } = await aNewsroom()
  const { database, services } = web.context
  await anArticle(database, { externalId: 'ici', title: 'Seulement ici' })
  // The newsroom's old address is ours now, and leads to the page here.
  await anArticle(database, { externalId: 'ancien', canonicalUrl: `${web.origin}/2019/ancien/` })
  const answers = async (externalId: string) => {
    const { slug, shortCode } = await services.articles.get(externalId)
    const paths = [`/articles/${slug}`, `/fr/articles/${slug}`, `/s/${shortCode}`]
    const responses = await Promise.all(paths.map((path) => web.fetch(path, html)))
    return responses.map(({ status, headers }) => [status, headers.get('location')].join(' ').trim())
  }
  const here = async (externalId: string) => `301 /articles/${await slugOf(web, externalId)}`
  expect(await answers('phare')).toEqual(['200', '200', await here('phare')])
  await leadHome(web)
  expect(await answers('phare')).toEqual(Array(3).fill(`302 ${pageOf('phare')}`))
  expect(await answers('faux')).toEqual(['410', '410', await here('faux')])
  expect(await answers('ici')).toEqual(['200', '200', await here('ici')])
  expect(await answers('ancien')).toEqual(['200', '200', await here('ancien')])
  await services.publication.set({ links: 'here' }, desk)
  expect(await answers('phare')).toEqual(['200', '200', await here('phare')])
})

/** What readers know an item by, and what makes it news to them. */
const identities = (text: string) =>
  text.match(/<guid[^>]*>[^<]*|<id>[^<]*|<atom:updated>[^<]*|<pubDate>[^<]*|<published>[^<]*/g)

test('SRC-1 guids and dates stay; a feed changes once; its text follows, unless the newsroom says otherwise', async () => {
  const { web } = await aNewsroom()
  await web.render()
  const newsboat = aNewsboat(['rss.xml', 'atom.xml'].map((format) => `${web.origin}/${format}`))
  await newsboat.reload()
  newsboat.markRead()
  const read = async () => {
    await web.render()
    return Promise.all(formats.map((format) => poll(`${web.origin}/${format}`)))
  }
  const isFull = (texts: { text: string }[]) => texts.map(({ text }) => text.includes('Et la fin.'))
  const before = await read()
  expect(isFull(before)).toEqual([true, true, true])
  await leadHome(web)
  const after = await read()
  expect(after.map(({ text }) => identities(text))).toEqual(before.map(({ text }) => identities(text)))
  expect(isFull(after)).toEqual([false, false, false])
  expect((await newsboat.reload()).filter(({ unread }) => unread !== 0)).toEqual([])
  for (const [n, { headers }] of after.entries()) expect(headers.etag).not.toBe(before[n]?.headers.etag)
  await web.context.services.publication.set({ description: 'Le journal du port' }, desk)
  await web.context.services.publication.set({ description: '' }, desk)
  expect((await read()).map(({ headers }) => headers.etag)).toEqual(after.map(({ headers }) => headers.etag))
  await leadHome(web, { feedText: 'full' })
  expect(isFull(await read())).toEqual([true, true, true])
  await web.context.services.publication.set({ links: 'here', feedText: 'summary' }, desk)
  expect(isFull(await read())).toEqual([false, false, false])
})

test('SRC-1 a source says for its own articles where links lead, and how much of them feeds show', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => wordpress.add({ title: 'Le bac', html: '<p>Entier.</p>', excerpt: 'En bref.' }),
  })
  const { sources } = site.context.services
  await anArticle(site.context.database, { externalId: 'autre', canonicalUrl: pageOf('autre') })
  const link =
    (
      await site.context.services.articles.get(
        (await site.sql<{ external_id: string }>(`select external_id from articles order by id`))[0]
          ?.external_id ?? '',
      )
    ).canonicalUrl ?? ''
  const rss = async () => {
    await site.render()
    const { text } = await poll(`${site.origin}/rss.xml`)
    return {
      leadHome: [link, pageOf('autre')].map((url) => text.includes(`<link>${url}`)),
      isFull: text.includes('<p>Entier.'),
    }
  }
  expect(await rss()).toEqual({ leadHome: [false, false], isFull: true })
  await sources.change(site.sourceId, { links: 'canonical' }, desk)
  expect(await rss()).toEqual({ leadHome: [true, false], isFull: false })
  await sources.change(site.sourceId, { feedText: 'full' }, desk)
  expect(await rss()).toEqual({ leadHome: [true, false], isFull: true })
  await leadHome(site)
  await sources.change(site.sourceId, { links: 'here', feedText: 'summary' }, desk)
  expect(await rss()).toEqual({ leadHome: [false, true], isFull: false })
  const [entry] = (await site.context.services.audit.list({ limit: 1, after: undefined })).data
  expect(entry).toMatchObject({
    action: 'source.changed',
    detail: { links: 'canonical → here', feedText: 'full → summary' },
  })
  await sources.remove(site.sourceId, desk)
  expect((await rss()).leadHome).toEqual([true, true])
})

test('SRC-1 the desk and the API set where links lead; what they do not know is told at its field', async () => {
  const web = await aFeedNewsroom()
  const admin = await signedIn(web, 'admin')
  const call = await web.api('admin')
  const settings = async () => (await (await call('GET', '/publication')).json()) as Record<string, unknown>
  expect(await settings()).toMatchObject({ links: 'here', feedText: null })
  const form = {
    name: 'Le Rivage',
    description: '',
    deskName: 'La rédaction',
    postalAddress: '',
    contactEmail: '',
  }
  const post = (more: Record<string, string>) =>
    admin.post('/settings/publication', { ...form, ambiguousPolicy: 'hold', ...more })
  expect((await post({ links: 'canonical', feedText: 'full' })).status).toBe(303)
  expect(await settings()).toMatchObject({ links: 'canonical', feedText: 'full' })
  // A form that was open since before there was the choice changes nothing of it.
  expect((await post({})).status).toBe(303)
  expect(await settings()).toMatchObject({ links: 'canonical', feedText: 'full' })
  expect((await post({ links: 'canonical', feedText: '' })).status).toBe(303)
  expect(await settings()).toMatchObject({ links: 'canonical', feedText: null })
  const refused = await post({ links: 'elsewhere', feedText: 'half' })
  expect(refused.status).toBe(422)
  const page = await refused.text()
  for (const field of ['links', 'feedText']) expect(page).toContain(`<small id="${field}-fault"`)
  const problem = await call('PATCH', '/publication', { links: 'elsewhere', feedText: 'half' })
  expect([problem.status, await problem.json()]).toMatchObject([
    422,
    {
      errors: [
        { field: 'links', message: 'must be here or canonical' },
        { field: 'feedText', message: 'must be full or summary' },
      ],
    },
  ])
  expect((await call('PATCH', '/publication', { links: 'here' })).status).toBe(200)
  expect(await settings()).toMatchObject({ links: 'here', feedText: null })
})
