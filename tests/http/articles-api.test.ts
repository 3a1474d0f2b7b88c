import { expect, test } from 'vitest'
import { aWeb } from '../support/web.ts'

const story = {
  title: 'Le port rouvre',
  html: '<p>Voir <a href="/plan">le plan</a>.</p><script>alert(1)</script>',
  language: 'fr',
  sections: ['evenement'],
  authors: ['Lina Marsa'],
  picture: {
    url: 'https://img.example/port.jpg',
    alt: 'Le port',
    type: 'image/jpeg',
    width: 1200,
    height: 800,
  },
}

interface Shape {
  externalId: string
  outcome: string
  html: string
  url: string
  code: string
  errors: { field: string; message: string }[]
  data: Shape[]
  next: string | null
}
const jsonOf = async (response: Response) => (await response.json()) as Shape

test('PUT answers 201 created, 200 unchanged, 200 updated, in the shape of the article', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const first = await call('PUT', '/articles/cms:2026~1', story)
  expect(first.status).toBe(201)
  const created = await jsonOf(first)
  expect(created).toMatchObject({
    ...story,
    html: `<p>Voir <a href="${web.origin}/plan">le plan</a>.</p>`,
    externalId: 'cms:2026~1',
    outcome: 'created',
    slug: 'le-port-rouvre',
    url: `${web.origin}/articles/le-port-rouvre`,
    shortUrl: expect.stringMatching(new RegExp(`^${web.origin}/s/[a-z0-9]{7}$`)) as string,
    guid: expect.stringMatching(/^urn:uuid:/) as string,
    state: 'published',
    responses: 'closed',
    summary: 'Voir le plan.',
    viewsTotal: 0,
  })
  const second = await call('PUT', '/articles/cms:2026~1', story)
  expect(second.status).toBe(200)
  expect(await jsonOf(second)).toEqual({ ...created, outcome: 'unchanged' })
  const third = await jsonOf(await call('PUT', '/articles/cms:2026~1', { ...story, deck: 'Enfin' }))
  expect(third).toMatchObject({ outcome: 'updated', deck: 'Enfin', url: created.url })
})

test('an article is listed, read and withdrawn; drafts are in the list too', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  await call('PUT', '/articles/a', story)
  await call('PUT', '/articles/b', { ...story, state: 'draft' })
  const page = await jsonOf(await call('GET', '/articles?limit=1'))
  expect(page.data.map((one) => one.externalId)).toEqual(['b'])
  const rest = await jsonOf(await call('GET', `/articles?limit=1&cursor=${page.next}`))
  expect(rest).toMatchObject({ data: [{ externalId: 'a' }], next: null })
  expect(await jsonOf(await call('GET', '/articles?state=published&language=fr'))).toMatchObject({
    data: [{ externalId: 'a' }],
  })
  const withdrawn = await call('POST', '/articles/a/withdraw', { reason: 'Erreur' })
  expect(await withdrawn.json()).toMatchObject({ state: 'withdrawn', withdrawnReason: 'Erreur' })
  expect((await call('POST', '/articles/b/withdraw', { reason: 'x' })).status).toBe(409)
  expect((await call('POST', '/articles/c/withdraw', { reason: 'x' })).status).toBe(404)
  expect((await call('GET', '/articles/c')).status).toBe(404)
})

test('responses are put, unchanged, updated and removed', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  await call('PUT', '/articles/a', { ...story, responses: 'open' })
  const response = { author: 'Nour', html: '<p>Bravo</p><img src=x onerror=alert(1)>' }
  const created = await call('PUT', '/articles/a/responses/1', response)
  expect(created.status).toBe(201)
  expect(await created.json()).toMatchObject({
    id: '1',
    author: 'Nour',
    kind: 'response',
    outcome: 'created',
  })
  expect(await jsonOf(await call('PUT', '/articles/a/responses/1', response))).toMatchObject({
    outcome: 'unchanged',
  })
  const edited = await jsonOf(
    await call('PUT', '/articles/a/responses/1', { ...response, author: 'Nour B.' }),
  )
  expect(edited).toMatchObject({ outcome: 'updated' })
  expect(edited.html).not.toContain('onerror')
  expect(await (await call('GET', '/articles/a')).json()).toMatchObject({ responsesCount: 1 })
  const own = { ...response, guid: 'urn:x:1' }
  expect((await call('PUT', '/articles/a/responses/2', own)).status).toBe(201)
  expect((await call('PUT', '/articles/a/responses/2', own)).status).toBe(200)
  expect((await call('PUT', '/articles/a/responses/3', own)).status).toBe(409)
  expect((await call('DELETE', '/articles/a/responses/2')).status).toBe(204)
  expect((await call('DELETE', '/articles/a/responses/1')).status).toBe(204)
  expect((await call('DELETE', '/articles/a/responses/1')).status).toBe(404)
  expect((await call('PUT', '/articles/none/responses/1', response)).status).toBe(404)
})

test('sections and dossiers are created, listed and renamed; their slugs stay', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const made = await call('POST', '/sections', { slug: 'ثقافة', names: { ar: 'ثقافة', fr: 'Culture' } })
  expect(made.status).toBe(201)
  expect((await call('POST', '/sections', { slug: 'ثقافة', names: { fr: 'x' } })).status).toBe(409)
  const path = `/sections/${encodeURIComponent('ثقافة')}`
  const renamed = await call('PATCH', path, { names: { ar: 'ثقافة وفنون', fr: 'Culture et arts' } })
  expect(await renamed.json()).toMatchObject({
    slug: 'ثقافة',
    names: { fr: 'Culture et arts' },
    url: web.origin + path,
  })
  expect((await jsonOf(await call('GET', '/sections'))).data).toHaveLength(1)
  expect((await jsonOf(await call('GET', '/dossiers'))).data).toHaveLength(0)
  expect((await call('PATCH', '/dossiers/none', { names: { fr: 'x' } })).status).toBe(404)
})

test('bodies and external ids that do not fit are refused, each naming its field', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const hostile: [field: string, change: object][] = [
    ['title', { title: '  ' }],
    ['language', { language: 'français' }],
    ['html', { html: ['<p>'] }],
    ['publishedAt', { publishedAt: '2026-03-14 07:00' }],
    ['publishedAt', { publishedAt: '0026-03-14T07:00:00Z' }],
    ['sections.0', { sections: ['A la Une'] }],
    ['canonicalUrl', { canonicalUrl: 'javascript:alert(1)' }],
    ['picture.url', { picture: { url: 'data:text/html,x', alt: '' } }],
    ['state', { state: 'withdrawn' }],
    ['guid', { guid: 'a\nb' }],
    ['guid', { guid: ' \u00A0' }],
    ['firstPublicAt', { firstPublicAt: '2020-01-01T00:00:00Z' }],
  ]
  for (const [field, change] of hostile) {
    const response = await call('PUT', '/articles/a', { ...story, ...change })
    expect(response.status, field).toBe(422)
    const problem = await jsonOf(response)
    expect(problem.code).toBe('invalid_input')
    expect(problem.errors.map((error) => error.field)).toContain(field)
  }
  const withPrototype = JSON.stringify(story).replace('{', '{"__proto__":{"state":"draft"},')
  expect((await call('PUT', '/articles/a', withPrototype)).status).toBe(422)
  for (const id of ['a b', 'x'.repeat(201), '<script>']) {
    expect((await call('PUT', `/articles/${encodeURIComponent(id)}`, story)).status).toBe(422)
  }
  expect((await call('GET', '/articles/a')).status).toBe(404)
})
