import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

async function aNewsroom() {
  const web = await aWeb()
  const { database, services } = web.context
  await services.feedMemory.start()
  const api = await web.api('editor')
  const send = async (method: string, path: string, body?: unknown) => {
    const answer = await api(method, path, body)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  /** Where a path of the site leads, in one step. */
  const leads = async (path: string) => {
    const { status, headers } = await web.fetch(path)
    return [status, headers.get('location')?.replace(web.origin, '')]
  }
  const guidsOf = async (path: string) =>
    [...(await (await web.fetch(path)).text()).matchAll(/<guid[^>]*>([^<]*)/g)].map(([, guid]) => guid).sort()
  const sectionsOf = (externalId: string) =>
    rowsOf<{ slug: string }>(
      web,
      `select s.slug from article_selections x join selections s on s.id = x.selection_id join articles a on a.id = x.article_id
       where s.kind = 'section' and a.external_id = '${externalId}' order by s.slug`,
    )
  return { web, database, send, leads, guidsOf, sectionsOf }
}

const story = { title: 'Le phare', html: '<p>Il brille.</p>', language: 'fr' }

test('a section gets another slug, and another: pages and feeds lead on in one step, and who writes an old slug means it', async () => {
  const { web, database, send, leads, sectionsOf } = await aNewsroom()
  await anArticle(database, { externalId: 'a', sections: ['sport'] })
  await anArticle(database, { externalId: 'b', sections: ['culture'] })
  await aNewsletter(database, {
    sections: ['sport'],
    blocks: [{ kind: 'lead' }, { kind: 'section', slug: 'sport' }],
  })
  // One feed that has readers, and others that nobody has asked for.
  expect((await web.fetch('/sections/sport/rss.xml')).status).toBe(200)
  expect((await send('PATCH', '/sections/sport', { slug: 'culture' })).body).toMatchObject({
    code: 'selection_exists',
  })
  expect((await send('PATCH', '/sections/sport', { slug: 'sports' })).body).toMatchObject({
    slug: 'sports',
    formerly: ['sport'],
  })
  expect((await web.fetch('/sections/sports/rss.xml')).status).toBe(200)
  expect((await send('PATCH', '/sections/sport', { slug: 'les-sports' })).status).toBe(200)
  for (const old of ['sport', 'sports']) {
    expect(await leads(`/sections/${old}`)).toEqual([301, '/sections/les-sports'])
    expect(await leads(`/fr/sections/${old}`)).toEqual([301, '/fr/sections/les-sports'])
    for (const feed of ['rss.xml', 'atom.xml'])
      await expect
        .poll(() => leads(`/sections/${old}/${feed}`))
        .toEqual([301, `/sections/les-sports/${feed}`])
    expect(await leads(`/fr/sections/${old}/feed.json`)).toEqual([301, '/fr/sections/les-sports/feed.json'])
  }
  expect(await leads('/sections/les-sports')).toEqual([200, undefined])
  // Nobody else may have a slug that leads somewhere.
  expect((await send('POST', '/sections', { slug: 'sport', names: { fr: 'S' } })).body).toMatchObject({
    code: 'selection_exists',
  })
  expect((await send('PATCH', '/sections/culture', { slug: 'sport' })).status).toBe(409)
  await send('PUT', '/articles/c', { ...story, sections: ['sport', 'les-sports', 'culture'] })
  expect(await sectionsOf('c')).toEqual([{ slug: 'culture' }, { slug: 'les-sports' }])
  const [newsletter] = await database.stores.newsletters.list()
  expect([newsletter?.sections, newsletter?.blocks]).toEqual([
    ['les-sports'],
    [{ kind: 'lead' }, { kind: 'section', slug: 'les-sports' }],
  ])

  // And back.
  expect((await send('PATCH', '/sections/les-sports', { slug: 'sport' })).body).toMatchObject({
    slug: 'sport',
  })
  await web.context.services.feeds.renderChanged()
  await expect.poll(() => leads('/sections/sport/rss.xml')).toEqual([200, undefined])
  for (const old of ['sports', 'les-sports']) {
    await expect.poll(() => leads(`/sections/${old}/rss.xml`)).toEqual([301, '/sections/sport/rss.xml'])
    expect(await leads(`/sections/${old}`)).toEqual([301, '/sections/sport'])
  }
})

test('two sections become one on the desk: articles, readers and newsletters go over, and nothing brings the old one back', async () => {
  const { web, database, send, leads, guidsOf, sectionsOf } = await aNewsroom()
  await anArticle(database, { externalId: 'a', sections: ['sports'], guid: 'urn:a' })
  await anArticle(database, { externalId: 'b', sections: ['sport'], guid: 'urn:b' })
  await anArticle(database, {
    externalId: 'both',
    sections: ['sport', 'sports', 'culture'],
    guid: 'urn:both',
  })
  const newsletter = await aNewsletter(database, {
    sections: ['culture', 'sports', 'sport'],
    blocks: [{ kind: 'section', slug: 'sports' }, { kind: 'lead' }, { kind: 'section', slug: 'sport' }],
  })
  const choices = [['sports'], ['sports', 'sport'], ['culture'], []]
  const readers = []
  for (const sections of choices) readers.push((await aSubscriber(database, { newsletter, sections })).id)
  await send('PATCH', '/sections/sports', { names: { fr: 'Les sports', ar: 'رياضة' } })
  expect(await guidsOf('/sections/sports/rss.xml')).toEqual(['urn:a', 'urn:both'])
  await web.fetch('/sections/sport/rss.xml')
  const desk = await signedIn(web, 'editor')
  const page = await (await desk.get('/sections/section/sports')).text()
  expect(page).toMatch(/articles\s: 2 · [^<·]*\s: 2 · [^<·]*\s: 1\./)
  for (const wish of [{ into: 'sport' }, { into: 'sports', sure: 'yes' }, { into: 'rien', sure: 'yes' }]) {
    const refused = await desk.post('/sections/section/sports/merge', wish)
    expect([refused.status, (await refused.text()).includes('aria-invalid="true"')]).toEqual([422, true])
  }
  const merged = await desk.post('/sections/section/sports/merge', { into: 'sport', sure: 'yes' })
  expect(merged.headers.get('location')).toBe('/desk/sections/section/sport?notice=selection-merged')

  expect(await sectionsOf('a')).toEqual([{ slug: 'sport' }])
  expect(await sectionsOf('both')).toEqual([{ slug: 'culture' }, { slug: 'sport' }])
  const chosen = readers.map(async (id) => (await database.stores.subscriptions.list(id))[0]?.sections)
  expect(await Promise.all(chosen)).toEqual([['sport'], ['sport'], ['culture'], []])
  const after = await database.stores.newsletters.get(newsletter.id)
  expect([after.sections, after.blocks]).toEqual([
    ['culture', 'sport'],
    [{ kind: 'lead' }, { kind: 'section', slug: 'sport' }],
  ])
  for (const tail of ['', '/rss.xml', '/atom.xml'])
    await expect.poll(() => leads(`/sections/sports${tail}`)).toEqual([301, `/sections/sport${tail}`])
  // A feed changes once in a second.
  const render = () => web.context.services.feeds.renderChanged()
  await expect.poll(render, { timeout: 5_000 }).toBe(false)
  await expect.poll(() => guidsOf('/sections/sport/rss.xml')).toEqual(['urn:a', 'urn:b', 'urn:both'])

  await send('PUT', '/articles/new', { ...story, sections: ['sports'] })
  expect(await sectionsOf('new')).toEqual([{ slug: 'sport' }])
  const asked = {
    email: 'lou@reader.example',
    newsletters: [newsletter.slug],
    sections: ['sports'],
  }
  const { signups } = web.context.services
  expect((await signups.read({ form: 'page', ...asked }, 'fr')).wanted.sections).toEqual(['sports'])
  const known = await database.stores.selections.list('section')
  expect(known.map(({ slug, formerly }) => [slug, formerly])).toEqual([
    ['sport', ['les-sports', 'sports', 'رياضة']],
    ['culture', []],
  ])
  expect(await rowsOf(web, `select subject, detail from audit where action = 'selection.merged'`)).toEqual([
    { subject: 'section:sports', detail: { into: 'sport', articles: 2, readers: 2, newsletters: 1 } },
  ])

  // A rule that is written with the old slug means the new one.
  await send('PATCH', `/newsletters/${newsletter.slug}`, { sections: ['sports'] })
  const next = await send('POST', `/newsletters/${newsletter.slug}/digests`, { cadence: 'daily' })
  expect((next.body['articles'] as unknown[]).length).toBe(4)

  // Tags too, and a chain is one step.
  for (const [slug, into] of [['culture', 'sport']] as const)
    await send('POST', `/sections/${slug}/merge`, { into })
  await send('PUT', '/articles/new', { ...story, tags: ['phares', 'mer', 'cote'] })
  expect((await send('POST', '/tags/phares/merge', { into: 'mer' })).status).toBe(200)
  expect((await send('POST', '/tags/mer/merge', { into: 'cote' })).status).toBe(200)
  expect(await leads('/tags/phares')).toEqual([301, '/tags/cote'])
  expect(await leads('/sections/culture/rss.xml')).toEqual([301, '/sections/sport/rss.xml'])
})

test('articles that are written while their section is merged are all there, in the one that stays', async () => {
  const { database, send, sectionsOf, web } = await aNewsroom()
  await anArticle(database, { sections: ['sports', 'sport', 'culture'] })
  const put = (n: number) =>
    send('PUT', `/articles/a${n}`, { ...story, title: `Le phare, ${n}`, sections: ['sports'] })
  const [merged, crosswise, ...written] = await Promise.all([
    put(0).then(() => send('POST', '/sections/sports/merge', { into: 'sport' })),
    put(1).then(() => send('POST', '/sections/sport/merge', { into: 'sports' })),
    ...Array.from({ length: 20 }, (_, n) => put(n + 2)),
  ])
  expect([merged.status, crosswise.status].sort()).toEqual([200, 409])
  expect(new Set(written.map(({ status }) => status))).toEqual(new Set([201]))
  const [kept] = await sectionsOf('a21')
  expect(
    await rowsOf(
      web,
      `select count(*)::int n from article_selections x join selections s on s.id = x.selection_id
    where s.slug = '${kept?.slug}'`,
    ),
  ).toEqual([{ n: 23 }])
  expect((await database.stores.selections.list('section')).map(({ slug }) => slug)).toEqual([
    kept?.slug,
    'culture',
  ])
})
