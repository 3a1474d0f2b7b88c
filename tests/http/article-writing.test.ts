import { expect, test } from 'vitest'
import { signedIn } from '../support/desk.ts'
import { aNewsroom } from '../support/feeds.ts'
import { poll } from '../support/poll.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb } from '../support/web.ts'

const story = { title: 'Le bac reprend', markdown: 'Le **bac** <b>', language: 'fr' }

interface Shape {
  outcome: string
  html: string
  code: string
  url: string
  errors: { field: string }[]
  data: (Record<string, unknown> & { externalId: string })[]
}
const jsonOf = async (response: Response) => (await response.json()) as Shape

test('Markdown in place of HTML, never both and never neither; tags in it are words', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const put = (body: object) => call('PUT', '/articles/a', body)
  expect(await jsonOf(await put(story))).toMatchObject({
    html: '<p>Le <strong>bac</strong> &lt;b&gt;</p>',
    markdown: story.markdown,
    outcome: 'created',
  })
  expect(await jsonOf(await put(story))).toMatchObject({ outcome: 'unchanged' })
  expect(await jsonOf(await put({ ...story, markdown: 'Le \u0000**bac** <b>\uD800' }))).toMatchObject({
    html: '<p>Le <strong>bac</strong> &lt;b&gt;</p>',
  })
  const { markdown: _markdown, ...neither } = story
  for (const body of [neither, { ...story, html: '<p>Le bac</p>' }]) {
    const refused = await put(body)
    expect(refused.status).toBe(422)
    expect((await jsonOf(refused)).errors.map(({ field }) => field)).toEqual(['html'])
  }
  expect(await jsonOf(await put({ ...neither, html: '<p>Le bac</p>' }))).toMatchObject({ markdown: null })
})

test('HTML that something else has written since is what an editor gets, not the Markdown before it', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  await call('PUT', '/articles/a', story)
  await rowsOf(web, `update articles set html = '<p>Autrement</p>' where external_id = 'a'`)
  expect(await jsonOf(await call('GET', '/articles/a'))).toMatchObject({
    html: '<p>Autrement</p>',
    markdown: null,
  })
})

test('If-Match refuses what was changed since it was read, says nothing of views, and allows what is so already', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const put = (title: string, etag?: string) =>
    call('PUT', '/articles/a', { ...story, title }, etag === undefined ? {} : { 'If-Match': etag })
  const first = (await put('Un')).headers.get('etag') ?? ''
  expect((await call('GET', '/articles/a')).headers.get('etag')).toBe(first)
  await call('PUT', '/articles/a', { ...story, title: 'Un', viewsTotal: 9 })
  const second = await put('Deux', first)
  expect(second.status).toBe(200)
  const refused = await put('Trois', first)
  expect([refused.status, (await jsonOf(refused)).code]).toEqual([412, 'version_changed'])
  expect((await put('Deux', first)).status).toBe(200)
  expect((await put('Trois', second.headers.get('etag') ?? '')).status).toBe(200)
})

test('If-None-Match: * creates only, even of two at once and of the same again', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const create = (id: string, body: object = story) =>
    call('PUT', `/articles/${id}`, body, { 'If-None-Match': '*' })
  const statuses = (await Promise.all([create('a'), create('a')])).map(({ status }) => status)
  expect(statuses.sort()).toEqual([201, 412])
  for (const body of [story, { ...story, title: 'Autre' }]) {
    const refused = await create('a', body)
    expect([refused.status, (await jsonOf(refused)).code]).toEqual([412, 'article_exists'])
  }
  expect(await jsonOf(await call('GET', '/articles/a'))).toMatchObject({ title: story.title })
})

test('the last twenty texts are kept, with who wrote them; what changes no text makes none, but an entry in the audit', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  const { articles } = web.context.services
  const by = { actor: { kind: 'cli', role: 'admin' } } as const
  for (let n = 0; n < 23; n += 1) await articles.put('a', { ...story, title: `Le bac ${n}` }, by)
  await articles.put('a', { ...story, title: 'Le bac 22', tags: ['port'] }, by)
  await articles.put('a', { ...story, title: 'Le bac 22', tags: ['port'], viewsTotal: 3 }, by)
  const { data } = await jsonOf(await call('GET', '/articles/a/bodies'))
  expect(data.map(({ title }) => title)).toEqual(Array.from({ length: 21 }, (_, n) => `Le bac ${22 - n}`))
  expect(data[3]).toMatchObject({ body: story.markdown, format: 'markdown', writtenBy: 'cli' })
  const entries = await jsonOf(await call('GET', '/audit?limit=200'))
  const actions = entries.data.filter(({ subject }) => subject === 'article:a').map(({ action }) => action)
  expect(actions).toEqual([...Array<string>(23).fill('article.changed'), 'article.created'])
})

test('the desk’s list is found in: parts of words without accents or vowel signs, state, language, section, source', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const put = (id: string, title: string, wish: object = {}) =>
    call('PUT', `/articles/${id}`, { ...story, title, ...wish })
  await put('fr', 'L’Évènement : un œuf 100 % bleu', {
    publishedAt: '2026-03-02T08:00:00Z',
    sections: ['une'],
  })
  await put('ar', 'عودة المِيناءِ الجديد إلى العمل', { language: 'ar', publishedAt: '2026-03-01T08:00:00Z' })
  await put('alef', 'أخبار على ضفاف البحر', { language: 'ar', publishedAt: '2026-03-03T08:00:00Z' })
  await put('draft', 'Brouillon', { state: 'draft' })
  const find = async (query: Record<string, string>) =>
    (await jsonOf(await call('GET', `/articles?${new URLSearchParams(query).toString()}`))).data.map(
      (one) => one.externalId,
    )
  expect(await find({})).toEqual(['draft', 'alef', 'fr', 'ar'])
  for (const [q, found] of [
    ["l'evenement OEUF", ['fr']],
    ['100 %', ['fr']],
    ['_', []],
    ['ميناء', ['ar']],
    ['اخبار', ['alef']],
    ['جَدِيد', ['ar']],
    ['علي', ['alef']],
  ] as const)
    expect([q, await find({ q })]).toEqual([q, found])
  expect(await find({ state: 'draft' })).toEqual(['draft'])
  expect(await find({ language: 'ar', q: 'ال' })).toEqual(['alef', 'ar'])
  expect(await find({ section: 'une' })).toEqual(['fr'])
  expect(await find({ source: '1' })).toEqual([])
  const pages: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { data: Shape['data']; next: string | null } = (await (
      await call('GET', `/articles?limit=1${cursor && `&cursor=${cursor}`}`)
    ).json()) as Shape & { next: string | null }
    pages.push(...page.data.map((one) => one.externalId))
    cursor = page.next
  }
  expect(pages).toEqual(['draft', 'alef', 'fr', 'ar'])
  const desk = await signedIn(web, 'viewer')
  const shown = await (await desk.get('/articles?q=evenement&state=published&language=fr')).text()
  expect(shown).toContain('100 % bleu')
  expect(shown).not.toContain('Brouillon')
})

test('a translation leads to its original, and back, whichever came first; an unknown one is refused', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const refused = await call('PUT', '/articles/ar', { ...story, translationOf: 'fr' })
  expect([refused.status, (await jsonOf(refused)).code]).toEqual([422, 'no_original'])
  const batch = await call('PUT', '/articles', {
    articles: [
      { ...story, externalId: 'fr' },
      { ...story, externalId: 'ar', language: 'ar', title: 'عودة العبارة', translationOf: 'fr' },
    ],
  })
  expect((await jsonOf(batch)).data).toMatchObject([{ outcome: 'created' }, { outcome: 'created' }])
  // Said from both sides: a circle ends.
  expect((await call('PUT', '/articles/fr', { ...story, translationOf: 'ar' })).status).toBe(200)
  expect((await call('PUT', '/articles/fr', { ...story, translationOf: 'fr' })).status).toBe(422)
  const { url: french } = await jsonOf(await call('GET', '/articles/fr'))
  const { url: arabic } = await jsonOf(await call('GET', '/articles/ar'))
  const linkTo = (url: string) => `rel="alternate" hreflang="${url === arabic ? 'ar' : 'fr'}" href="${url}"`
  expect(await (await fetch(french)).text()).toContain(linkTo(arabic))
  expect(await (await fetch(arabic)).text()).toContain(linkTo(french))
  await call('POST', '/articles/ar/withdraw', { reason: 'Erreur' })
  expect(await (await fetch(french)).text()).not.toContain('hreflang="ar" href="http')
})

test('a correction stands below the text, on the page and in every feed; without one no feed changes', async () => {
  const { put, render, origin } = await aNewsroom()
  await put('a', { title: 'Le bac' })
  await render()
  const read = () =>
    Promise.all(
      ['rss.xml', 'atom.xml', 'feed.json'].map(async (name) => (await poll(`${origin}/${name}`)).text),
    )
  for (const feed of await read()) expect(feed).not.toContain('Correction')
  await put('a', { title: 'Le bac', deck: 'Après onze mois.', correction: 'Il reprend <lundi>.' })
  await render()
  // What a person wrote to stand for the story, not the beginning of its text.
  for (const feed of await read()) expect(feed).toContain('Après onze mois.')
  for (const feed of await read())
    expect(feed).toMatch(/Correction du \d[^:]+20\d\d.{1,3}: Il reprend (?:&lt;|&amp;lt;)lundi/)
  const corrected = (await poll(`${origin}/articles/le-bac`)).text
  expect(corrected).toMatch(/Correction du \d.* 20\d\d\u00a0: Il reprend &lt;lundi&gt;\./)
})
