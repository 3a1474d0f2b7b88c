import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb } from '../support/web.ts'

test('a section is named in each language, put in order and taken out of the menu and the form, by desk and API', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  await aNewsletter(database)
  for (const slug of ['culture', 'sport'])
    await services.selections.create(
      'section',
      { slug, names: { fr: slug } },
      { kind: 'system', role: 'admin' },
    )
  await anArticle(database, { sections: ['sport'] })
  const desk = await signedIn(web, 'editor')
  const wish = { 'name.fr': 'Les sports', 'name.ar': 'رياضة', position: '1' }
  const saved = await desk.post('/sections/section/sport', { ...wish, listed: 'yes' })
  expect(saved.headers.get('location')).toBe('/desk/sections?notice=saved')
  const menu = async (path: string) => {
    const page = await (await web.fetch(path)).text()
    const head = page.slice(page.indexOf('<header'), page.indexOf('</header>'))
    return [...head.matchAll(/\/sections\/(\w+)"/g)].map(([, slug]) => slug)
  }
  expect(await menu('/fr')).toEqual(['sport', 'culture'])
  expect(await (await web.fetch('/ar')).text()).toContain('رياضة')

  await desk.post('/sections/section/sport', wish)
  expect(await menu('/fr')).toEqual(['culture'])
  expect(await (await web.fetch('/fr/subscribe')).text()).not.toContain('value="sport"')
  for (const path of ['/sections/sport', '/sections/sport/rss.xml'])
    expect((await web.fetch(path)).status).toBe(200)
  const api = await web.api('editor')
  const back = await api('PATCH', '/sections/sport', { listed: true })
  expect(await back.json()).toMatchObject({
    slug: 'sport',
    listed: true,
    position: 1,
    names: { ar: 'رياضة' },
  })
  expect(await menu('/fr')).toEqual(['sport', 'culture'])
  expect(
    await rowsOf(
      web,
      `select subject, detail->>'listed' as listed from audit where action = 'selection.changed' order by id`,
    ),
  ).toEqual([
    { subject: 'section:sport', listed: null },
    { subject: 'section:sport', listed: 'true → false' },
    { subject: 'section:sport', listed: 'false → true' },
  ])
  const broken = await desk.post('/sections/section/culture', { 'name.fr': 'La culture', position: 'haut' })
  const page = await broken.text()
  expect([broken.status, page.includes('value="La culture"'), page.includes('Un nombre de 0')]).toEqual([
    422,
    true,
    true,
  ])
  expect((await desk.post('/sections/section/nothing', wish)).status).toBe(404)

  await desk.post('/sections/section', { name: 'Nautisme' })
  expect(await menu('/fr')).toEqual(['sport', 'culture', 'nautisme'])
  for (const name of ['Nautisme', ' ', '★ !']) {
    const refused = await desk.post('/sections/section', { name })
    expect([refused.status, await refused.text()]).toEqual([
      422,
      expect.stringContaining('que rien ne porte encore'),
    ])
  }
})

test('a tag is found by its name; a name without a letter leads back to the list, and not round in a circle', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'editor')
  const ask = async (name: string) => {
    const found = await desk.get(`/sections/tag?name=${encodeURIComponent(name)}`)
    return found.headers.get('location')
  }
  expect(await ask('Transports publics')).toBe('/desk/sections/tag/transports-publics')
  for (const name of ['', '#', ' « » ']) expect(await ask(name)).toBe('/desk/sections')

  // Where a slug is changed and two are made one; who may do neither is led there by nothing.
  const pageOf = async (one: typeof desk) => (await one.get('/sections')).text()
  const way = 'action="/desk/sections/tag"'
  expect(await pageOf(desk)).toContain(way)
  expect(await pageOf(await signedIn(web, 'viewer'))).not.toContain(way)
})
