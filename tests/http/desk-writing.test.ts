import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn, type DeskClient } from '../support/desk.ts'
import { aWeb } from '../support/web.ts'

const fieldOf = (html: string, name: string) =>
  new RegExp(`name="${name}"[^>]*? value="([^"]*)"`).exec(html)?.[1] ?? ''

/** The form as a browser without scripts would send it, with what is changed. */
async function write(desk: DeskClient, path: string, change: Record<string, string>, fresh = true) {
  const page = await (await desk.get(path)).text()
  const action = /action="\/desk(\/articles\/[^"/]+)" class="writing"/.exec(page)?.[1] ?? ''
  const fields = { version: fieldOf(page, 'version'), language: 'fr', ...change }
  return { action, fields, answer: fresh ? await desk.post(action, fields) : undefined }
}

const story = { title: 'Le bac reprend', markdown: 'Le **bac** reprend.\n\nDès lundi.', state: 'published' }

test('a story is written on the desk: published, with what it is filed under, in the audit, and twice is once', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'editor')
  const { action, fields, answer } = await write(desk, '/articles/new', {
    ...story,
    authors: 'Lina Marsa، Nour B.',
    tags: 'Le Port, بحر',
    url: 'https://img.example/bac.jpg',
    alt: 'Le bac',
  })
  expect(answer?.status).toBe(303)
  const id = decodeURIComponent(action.split('/')[2] ?? '')
  expect(id).toMatch(/^desk:/)
  expect((await desk.post(action, fields)).status).toBe(303)
  const { articles, audit } = web.context.services
  const { data } = await articles.list({ limit: 5, after: undefined })
  expect(data).toHaveLength(1)
  const [article] = data
  expect(article).toMatchObject({
    externalId: id,
    state: 'published',
    html: '<p>Le <strong>bac</strong> reprend.</p>\n<p>Dès lundi.</p>',
    markdown: story.markdown,
    picture: { url: 'https://img.example/bac.jpg', alt: 'Le bac' },
    authors: [{ slug: 'lina-marsa' }, { slug: 'nour-b' }],
    tags: [{ slug: 'le-port', names: { und: 'Le Port' } }, { slug: 'بحر' }],
  })
  const { data: entries } = await audit.list({ limit: 5, after: undefined })
  expect(entries.filter(({ subject }) => subject === `article:${id}`)).toMatchObject([
    { action: 'article.created', actor: `editor:${desk.editorId}` },
  ])
  expect((await (await signedIn(web, 'viewer')).post(action, fields)).status).toBe(403)
})

test('a form at fault comes back as it was filled in, with a sentence at each field, and nothing is stored', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'editor')
  const faulty = { title: '', url: 'https://img.example/a.jpg', translationOf: '/articles/nulle-part' }
  const { answer } = await write(desk, '/articles/new', { ...story, ...faulty, alt: '' })
  expect(answer?.status).toBe(422)
  const page = (await answer?.text()) ?? ''
  expect(page).toContain('id="alt-fault"')
  expect(page).toContain('Dès lundi.')
  const { answer: again } = await write(desk, '/articles/new', { ...story, ...faulty, alt: 'Le bac' })
  const second = (await again?.text()) ?? ''
  expect(second).toContain('id="title-fault"')
  const { answer: third } = await write(desk, '/articles/new', {
    ...story,
    translationOf: '/articles/nulle-part',
    state: 'scheduled',
  })
  expect(await third?.text()).toContain('id="translationOf-fault"')
  const { answer: fourth } = await write(desk, '/articles/new', { ...story, state: 'scheduled' })
  const untimed = await fourth?.text()
  expect(untimed).toContain('id="publishedAt-fault"')
  expect(untimed).not.toContain('Algeria Time')
  expect((await web.context.services.articles.list({ limit: 5, after: undefined })).data).toEqual([])
})

test('what came as HTML is corrected as HTML, what the form does not show stays, and what a source owns is held', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'editor')
  await anArticle(web.context.database, {
    externalId: 'wp:rivage.example:7',
    html: '<p>Le phare &amp; la mer</p>',
    summary: 'En bref',
    canonicalUrl: 'https://rivage.example/7/',
    enclosure: { url: 'https://rivage.example/7.mp3', type: 'audio/mpeg', length: 9 },
  })
  const page = await (await desk.get('/articles/wp%3Arivage.example%3A7')).text()
  expect(page).toContain('&lt;p&gt;Le phare &amp;amp; la mer&lt;/p&gt;</textarea>')
  const { answer } = await write(desk, '/articles/wp%3Arivage.example%3A7', {
    title: 'Le phare, corrigé',
    html: '<p>Le phare et la mer</p><script>alert(1)</script>',
    correction: 'Une première version nommait un autre phare.',
  })
  expect(answer?.status).toBe(303)
  expect(await web.context.services.articles.get('wp:rivage.example:7')).toMatchObject({
    title: 'Le phare, corrigé',
    html: '<p>Le phare et la mer</p>',
    summary: 'En bref',
    canonicalUrl: 'https://rivage.example/7/',
    enclosure: { type: 'audio/mpeg' },
    heldAt: expect.any(Date) as Date,
    correction: 'Une première version nommait un autre phare.',
    markdown: undefined,
  })
  const corrected = await web.context.services.articles.get('wp:rivage.example:7')
  const form = await (await desk.get('/articles/wp%3Arivage.example%3A7')).text()
  const body = { html: '<p>Un</p>\r\n<p>Deux</p>', version: fieldOf(form, 'version') }
  await desk.post('/articles/wp%3Arivage.example%3A7', { title: corrected.title, language: 'fr', ...body })
  expect((await web.context.services.articles.get('wp:rivage.example:7')).html).toBe('<p>Un</p>\n<p>Deux</p>')
})

test('two who write at once: the second loses nothing, sees the other’s text, and decides', async () => {
  const web = await aWeb()
  const one = await signedIn(web, 'editor')
  const other = await signedIn(web, 'editor')
  const { action } = await write(one, '/articles/new', story)
  const mine = await write(one, action, { ...story, markdown: 'Le mien' }, false)
  await write(other, action, { ...story, markdown: 'Le sien' })
  const refused = await one.post(action, mine.fields)
  expect(refused.status).toBe(422)
  const page = await refused.text()
  expect(page).toContain('Le mien')
  expect(page).toContain('Le sien')
  expect((await one.post(action, { ...mine.fields, version: fieldOf(page, 'version') })).status).toBe(303)
  const latest = await (await one.get(action)).text()
  expect(latest).toContain('Le mien')
  const former = /href="\/desk(\/articles\/[^"]+\?body=\d+)#said"/.exec(latest)?.[1] ?? ''
  const shown = await (await one.get(former)).text()
  expect(shown).toMatch(/<textarea name="markdown"[^>]*>\s*Le mien/)
  expect(shown).toMatch(/<textarea readonly[^>]*>\s*Le sien/)
  const used = await (await one.get(`${former}&use=1`)).text()
  expect(used).toMatch(/<textarea name="markdown"[^>]*>\s*Le sien/)
})

test('a story is looked at as a feed and as a mail would have it', async () => {
  const web = await aWeb()
  await web.context.services.publication.set(
    { name: 'Le Courrier', accent: '#0b5563' },
    { kind: 'cli', role: 'admin' },
  )
  const desk = await signedIn(web, 'editor')
  const { action, fields } = await write(desk, '/articles/new', { ...story, deck: 'Dès lundi matin' }, false)
  const shown = async (as: string) => desk.post(`${action}/preview`, { ...fields, as })
  const feed = await (await shown('feed')).text()
  expect(feed).toMatch(/Dès lundi matin[^]*<strong>bac<\/strong>/)
  await web.context.services.publication.set({ feedText: 'summary' }, { kind: 'cli', role: 'admin' })
  expect(await (await shown('feed')).text()).not.toContain('<strong>bac')
  const mail = await shown('mail')
  expect(mail.headers.get('content-security-policy')).toContain('sandbox')
  expect(await mail.text()).toMatch(/<table[^]*Le Courrier[^]*Le bac reprend[^]*Dès lundi matin/)
  expect(await web.context.services.articles.list({ limit: 5, after: undefined })).toMatchObject({ data: [] })
})

test('the preview is the page to be, and stores nothing', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'editor')
  const { action, fields } = await write(desk, '/articles/new', { ...story, language: 'ar' }, false)
  const shown = await desk.post(`${action}/preview`, fields)
  expect(shown.status).toBe(200)
  const page = await shown.text()
  expect(page).toContain('<strong>bac</strong>')
  expect(page).toContain('dir="rtl"')
  expect(page).not.toContain('data-views')
  const { articles } = web.context.services
  expect((await articles.list({ limit: 5, after: undefined })).data).toEqual([])
})
