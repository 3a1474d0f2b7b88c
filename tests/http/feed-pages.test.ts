import sharp from 'sharp'
import { expect, test } from 'vitest'
import { aNewsroom } from '../support/feeds.ts'
import { signedIn } from '../support/desk.ts'
import { runSql } from '../support/sql.ts'
import { aPicture, makePictures, upload } from '../support/pictures.ts'
import { poll } from '../support/poll.ts'
import { until } from '../support/until.ts'

const aStory = (wish = {}) => ({
  title: 'Le phare se rallume',
  html: '<p>Hier soir.</p>',
  language: 'fr',
  sections: ['a-la-une'],
  dossiers: ['le-phare'],
  tags: ['mer'],
  authors: ['Lina Marsa'],
  ...wish,
})

test('every selection has its feeds, in every language of the publication', async () => {
  const { put, render, origin } = await aNewsroom()
  await put('a1', aStory({ responses: 'open' }))
  await put('a2', aStory({ language: 'ar', title: 'المنارة تضيء', sections: ['culture'] }))
  await render()
  const selections = ['', '/sections/a-la-une', '/dossiers/le-phare', '/tags/mer', '/authors/lina-marsa']
  for (const language of ['', '/fr', '/ar']) {
    for (const path of [...selections, '/most-read', '/most-read/today', '/responses']) {
      for (const format of ['rss.xml', 'atom.xml', 'feed.json']) {
        const url = `${origin}${language}${path}/${format}`
        expect([url, (await poll(url)).status]).toEqual([url, 200])
      }
    }
  }
  expect((await poll(`${origin}/articles/le-phare-se-rallume/responses/rss.xml`)).status).toBe(200)
  expect((await poll(`${origin}/ar/rss.xml`)).text).not.toContain('Le phare se rallume')
  expect((await poll(`${origin}/fr/sections/culture/rss.xml`)).text).not.toContain('<item>')
  expect((await poll(`${origin}/fr/articles/le-phare-se-rallume/responses/rss.xml`)).status).toBe(404)
})

test('a slug in Arabic letters is one feed, however its URL is percent-encoded', async () => {
  const { put, render, origin } = await aNewsroom()
  await put('a1', aStory({ tags: ['الميناء'] }))
  await render()
  const canonical = `/tags/${encodeURIComponent('الميناء')}/rss.xml`
  const first = await poll(origin + canonical)
  expect(first.status).toBe(200)
  expect(first.headers['link']).toBe(`<${origin}${canonical}>; rel="self"`)
  const lower = canonical.replace(/%[0-9A-F]{2}/g, (part) => part.toLowerCase())
  expect(
    (await poll(origin + lower, { headers: { 'if-none-match': first.headers.etag ?? '' } })).status,
  ).toBe(304)
})

test('/feeds shows every feed to people without a script, and as OPML to programs', async () => {
  const { put, render, origin, fetch } = await aNewsroom()
  await put('a1', aStory())
  await render()
  const page = await (await fetch('/fr/feeds')).text()
  for (const path of [
    '/rss.xml',
    '/ar/rss.xml',
    '/sections/a-la-une/rss.xml',
    '/dossiers/le-phare/rss.xml',
    '/most-read/rss.xml',
  ]) {
    expect(page).toContain(`<a href="${origin}${path}"`)
  }
  expect(page).toContain(`feedly.com/i/subscription/feed%2F${encodeURIComponent(origin)}`)
  expect((await fetch('/ar/feeds')).status).toBe(200)

  const opml = await poll(`${origin}/feeds.opml`)
  expect(opml.headers['content-type']).toContain('text/x-opml')
  expect(opml.text).toContain(`xmlUrl="${origin}/sections/a-la-une/rss.xml"`)
  const again = await poll(`${origin}/feeds.opml`, { headers: { 'if-none-match': opml.headers.etag ?? '' } })
  expect(again.status).toBe(304)
})

test('/ar/feeds and its OPML lead with what is Arabic, then each other language under its name, then the mixed feeds', async () => {
  const { put, origin, fetch, api } = await aNewsroom()
  await put('a1', aStory())
  const add = { slug: 'le-matin', name: 'Le Matin', language: 'fr', cadences: [] }
  await (
    await api('admin')
  )('POST', '/newsletters', add)
  const html = await (await fetch('/ar/feeds')).text()
  const rows = [...html.matchAll(/<h2>(?:<a [^>]*>)?([^<]+)|<h3><a href="([^"]+)"/g)].map(
    ([, heading, href]) => heading ?? href?.slice(origin.length),
  )
  const together = ['/', '/sections/a-la-une', '/dossiers/le-phare', '/responses/rss.xml']
  expect(rows).toEqual([
    ...['كل المقالات', '/ar', 'الأقسام', '/ar/sections/a-la-une', 'الملفات', '/ar/dossiers/le-phare'],
    ...['وأيضًا', '/ar/responses/rss.xml', '/ar/most-read/today/rss.xml', '/ar/most-read/rss.xml'],
    ...['Français', '/fr', '/newsletters/le-matin'],
    ...['كل اللغات معًا', ...together, '/most-read/today/rss.xml', '/most-read/rss.xml'],
  ])
  expect(html).toContain('href="/ar/feeds.opml"')
  const opml = await (await fetch('/ar/feeds.opml')).text()
  expect([...opml.matchAll(/<outline text="([^"]+)"/g)].map(([, title]) => title)).toEqual(
    rows.filter((row) => !row?.startsWith('/')).map((row) => row?.replace('Français', 'français')),
  )
})

test('every page tells of its own feed first', async () => {
  const { put, origin, fetch } = await aNewsroom()
  await put('a1', aStory({ responses: 'open' }))
  const feedsOf = async (path: string) => {
    const html = await (await fetch(path)).text()
    return [...html.matchAll(/<link rel="alternate" type="application\/rss\+xml"[^>]* href="([^"]*)"/g)].map(
      ([, href]) => href,
    )
  }
  expect(await feedsOf('/')).toEqual([`${origin}/rss.xml`])
  expect(await feedsOf('/ar')).toEqual([`${origin}/ar/rss.xml`])
  expect(await feedsOf('/fr/sections/a-la-une')).toEqual([
    `${origin}/fr/sections/a-la-une/rss.xml`,
    `${origin}/fr/rss.xml`,
  ])
  const article = '/articles/le-phare-se-rallume'
  expect(await feedsOf(article)).toEqual([`${origin}/rss.xml`, `${origin}${article}/responses/rss.xml`])
})

test('the desk sees every feed, who polls it with how many 304s, and what was left out', async () => {
  const newsroom = await aNewsroom()
  const { put, render, origin, context } = newsroom
  await put('good', aStory())
  await put('bad', aStory({ title: 'Une image cassée' }))
  await runSql(
    context.config.databaseUrl,
    `update articles set picture = '{"url": "not a URL", "alt": ""}' where external_id = 'bad'`,
  )
  await render()
  const headers = { 'user-agent': 'newsboat/2.21 (Linux x86_64)' }
  const {
    headers: { etag = '' },
  } = await poll(`${origin}/rss.xml`, { headers })
  for (let i = 0; i < 3; i++)
    await poll(`${origin}/rss.xml`, { headers: { ...headers, 'if-none-match': etag } })
  await context.services.feedPolls.close()

  const list = await (await newsroom.api('viewer'))('GET', '/feeds')
  const { data } = (await list.json()) as { data: { path: string }[] }
  expect(data.find(({ path }) => path === '/rss.xml')).toMatchObject({
    items: 1,
    polls: 4,
    notModified: 3,
    readers: [{ family: 'Newsboat', polls: 4, share: 0.75 }],
    leftOut: [
      { title: 'Une image cassée', reason: 'the URL of its picture is not an absolute http or https URL' },
    ],
  })
  const page = await (await (await signedIn(newsroom, 'viewer')).get('/feeds')).text()
  for (const text of [
    '/sections/a-la-une/atom.xml',
    'Newsboat',
    '75',
    'Une image cassée</strong>\u00a0: l’adresse de son image n’est pas',
  ])
    expect(page).toContain(text)
})

test('the icon of every format is the newsroom’s, square and there, in a size that RSS allows', async () => {
  const web = await aNewsroom()
  const { origin, render, put, fetch } = web
  await makePictures(web)
  const icon = await upload(web, aPicture(512, 512))
  await web.context.services.publication.set({ icon }, { kind: 'cli', role: 'admin' })
  await put('a1', aStory())
  await render()
  const widthOf = async (url: string) => {
    expect(url.startsWith(`${origin}/`)).toBe(true)
    const response = await fetch(url.slice(origin.length))
    const { width, height } = await sharp(Buffer.from(await response.arrayBuffer())).metadata()
    expect(height).toBe(width)
    return width
  }
  const { text } = await poll(`${origin}/fr/sections/a-la-une/rss.xml`)
  const [channel = ''] = text.split('<item>')
  const valuesOf = (name: string) =>
    [...channel.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, value]) => value)
  const [url = ''] = valuesOf('url')
  expect(await widthOf(url)).toBe(480)
  expect([...valuesOf('width'), ...valuesOf('height')]).toEqual(['144', '144'])
  for (const name of ['title', 'link']) {
    const [ofChannel, ...ofImage] = valuesOf(name)
    expect([name, ...ofImage]).toEqual([name, ofChannel])
  }
  const [, ofAtom = ''] = /<icon>(.*)<\/icon>/.exec((await poll(`${origin}/atom.xml`)).text) ?? []
  expect(await widthOf(ofAtom)).toBe(480)
  const json = JSON.parse((await poll(`${origin}/feed.json`)).text) as { icon: string; favicon: string }
  expect([await widthOf(json.icon), await widthOf(json.favicon)]).toEqual([512, 480])
  expect((await fetch('/favicon.ico')).headers.get('location')).toBe(url)
})

test('a feed moves in every format, ends, and comes back; every process hears of it, and the audit log keeps it', async () => {
  const newsroom = await aNewsroom()
  const { put, render, origin } = newsroom
  await put('a1', aStory())
  await put('b1', aStory({ sections: ['culture'] }))
  await render()
  const admin = await newsroom.api('admin')
  const answers = async (path: string, status: number) =>
    until(`${path} answers ${status}`, async () => {
      const answer = await poll(origin + path)
      return answer.status === status && answer
    })
  const path = '/sections/culture/rss.xml'
  const held = await poll(origin + path)

  expect((await admin('POST', '/feeds/move', { path, to: '/sections/a-la-une/rss.xml' })).status).toBe(204)
  const conditional = { headers: { 'if-none-match': held.headers.etag ?? '' } }
  expect((await answers(path, 301)).headers.location).toBe(`${origin}/sections/a-la-une/rss.xml`)
  expect((await poll(origin + path, conditional)).status).toBe(301)
  expect((await answers('/sections/culture/feed.json', 301)).headers.location).toBe(
    `${origin}/sections/a-la-une/feed.json`,
  )
  expect((await poll(`${origin}/fr${path}`)).status).toBe(200)
  expect((await poll(`${origin}/feeds.opml`)).text).not.toContain(path)
  await put('b1', aStory({ sections: ['culture'], title: 'Corrigé' }))
  await render()
  expect((await poll(origin + path)).status).toBe(301)
  // Nobody renders what has moved: it is no work that waits, and no feed that is behind.
  const { waitingWork } = newsroom.context.database.stores
  expect([(await waitingWork.get()).feeds, await waitingWork.getFeedLagSeconds()]).toEqual([false, 0])
  expect(await waitingWork.getOldestWaitingSeconds()).toBe(0)

  const circle = await admin('POST', '/feeds/move', { path: '/sections/a-la-une/atom.xml', to: path })
  expect([circle.status, await circle.json()]).toEqual([
    409,
    expect.objectContaining({ code: 'feed_not_served' }),
  ])
  const itself = { path: '/rss.xml', to: '/atom.xml' }
  expect((await admin('POST', '/feeds/move', itself)).status).toBe(409)
  expect(
    (await admin('POST', '/feeds/move', { path: '/rss.xml', to: '/sections/none/rss.xml' })).status,
  ).toBe(404)

  expect((await admin('POST', '/feeds/retire', { path })).status).toBe(204)
  expect((await answers(path, 410)).text).toBe('This feed has ended.\n')
  expect((await admin('POST', '/feeds/restore', { path })).status).toBe(204)
  await render()
  await until('the feed is back, with what changed meanwhile', async () =>
    (await answers(path, 200)).text.includes('Corrigé'),
  )
  expect((await poll(`${origin}/feeds.opml`)).text).toContain(path)

  const { data } = (await (await admin('GET', '/audit')).json()) as {
    data: { action: string; subject: string }[]
  }
  const decided = data.filter(({ subject }) => subject === `feed:${path}`)
  expect(decided.map(({ action }) => action)).toEqual(['feed.restored', 'feed.retired', 'feed.moved'])
  expect((await (await newsroom.api('editor'))('POST', '/feeds/retire', { path })).status).toBe(403)
})

test('no page, list or OPML names a feed that has moved or ended: the new address stands in its place', async () => {
  const newsroom = await aNewsroom()
  await newsroom.put('b1', aStory({ sections: ['culture'], tags: ['mer'], responses: 'open' }))
  await newsroom.render()
  const admin = await newsroom.api('admin')
  const page = async (path: string) => (await newsroom.fetch(path)).text()
  const linksOf = (html: string) => [...html.matchAll(/[^"\s]*\/(?:rss|atom)\.xml/g)].map(([link]) => link)
  const move = (path: string, to: string) => admin('POST', '/feeds/move', { path, to })
  const story = '/articles/le-phare-se-rallume'
  const responses = `${story}/responses/rss.xml`
  expect(linksOf(await page(story))).toContain(responses)

  await move('/sections/culture/rss.xml', '/tags/mer/rss.xml')
  await move('/tags/mer/rss.xml', '/authors/lina-marsa/rss.xml')
  await move('/rss.xml', '/fr/rss.xml')
  expect((await admin('POST', '/feeds/retire', { path: responses })).status).toBe(204)
  const { origin } = newsroom
  expect(linksOf(await page('/sections/culture'))).toEqual([
    `${origin}/authors/lina-marsa/rss.xml`,
    `${origin}/authors/lina-marsa/atom.xml`,
    `${origin}/fr/rss.xml`,
    `${origin}/fr/atom.xml`,
    '/authors/lina-marsa/rss.xml',
    '/authors/lina-marsa/atom.xml',
  ])
  expect(linksOf(await page(story))).toEqual([`${origin}/fr/rss.xml`, `${origin}/fr/atom.xml`])
  for (const list of [await page('/feeds'), await page('/feeds.opml')]) {
    expect(list).toContain(`"${origin}/authors/lina-marsa/rss.xml"`)
    expect(list).not.toContain(`"${origin}/rss.xml"`)
    expect(list).not.toContain('/culture/rss.xml')
  }
  expect((await page('/feeds.opml')).match(/\/fr\/rss\.xml/g)).toHaveLength(1)
})

test('on the desk an admin moves, ends and brings back a feed on its page; an editor only sees it', async () => {
  const newsroom = await aNewsroom()
  await newsroom.put('a1', aStory())
  await newsroom.render()
  const path = '/sections/a-la-une/rss.xml'
  const page = `/feeds/feed?path=${encodeURIComponent(path)}`
  const editor = await signedIn(newsroom, 'editor')
  expect(await (await editor.get('/feeds')).text()).toContain(`/desk${page}`)
  expect(await (await editor.get(page)).text()).not.toContain('<form method="post" action="/desk/feeds')
  expect((await editor.post('/feeds/retire', { path })).status).toBe(403)
  expect((await editor.get('/feeds/feed?path=%2Fnowhere%2Frss.xml')).status).toBe(404)

  const admin = await signedIn(newsroom, 'admin')
  const shown = async () => (await admin.get(page)).text()
  const actions = async () =>
    [...(await shown()).matchAll(/action="\/desk\/feeds\/(\w+)"/g)].map(([, name]) => name)
  expect(await actions()).toEqual(['move', 'retire'])
  expect((await admin.post('/feeds/move', { path, to: `${newsroom.origin}/rss.xml` })).status).toBe(303)
  expect(await shown()).toContain('>/rss.xml</a>')
  expect(await actions()).toEqual(['restore'])
  expect((await admin.post('/feeds/restore', { path })).status).toBe(303)
  expect((await admin.post('/feeds/retire', { path })).status).toBe(303)
  expect(await shown()).toContain('fermé')
})
