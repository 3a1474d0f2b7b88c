import { expect, test } from 'vitest'
import { rowsOf } from '../support/query.ts'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

async function aNewsroom() {
  const web = await aWeb()
  const { context } = web
  for (const externalId of ['a', 'b', 'c'])
    await anArticle(context.database, { externalId, title: `Récit ${externalId}` })
  const inText = (text: string) =>
    [...new Set([...text.matchAll(/Récit [a-z]/g)].map(([title]) => title.slice(-1)))].join('')
  const titlesIn = async (path: string) => inText(await (await web.fetch(path)).text())
  /** As it is stored: what a process has in memory follows. A feed changes once a second at most. */
  const titlesOf = async (path: string) => {
    await context.services.feeds.renderChanged()
    const found = await context.services.feeds.read(path)
    return found.kind === 'feed' ? inText(found.feed.body.toString()) : found.kind
  }
  return { web, services: context.services, database: context.database, titlesIn, titlesOf }
}

test('picks by API: put, shown in order on their page and in their feeds, by their time, and gone', async () => {
  const { web, services, titlesIn, titlesOf } = await aNewsroom()
  const { key } = await services.keys.create({ name: 'cms', role: 'editor' }, cli)
  const call = (method: string, body?: object, slug = 'en-une') =>
    web.fetch(`/api/v1/picks/${slug}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
  const wish = { names: { fr: 'À ne pas manquer' }, articles: ['c', 'a', 'b'] }
  const put = await call('PUT', wish)
  expect(put.status).toBe(200)
  expect(await put.json()).toMatchObject({ ...wish, slug: 'en-une', from: null, to: null })
  for (const path of [
    '/picks/en-une',
    '/picks/en-une/rss.xml',
    '/picks/en-une/atom.xml',
    '/fr/picks/en-une/feed.json',
  ])
    expect(await titlesIn(path), path).toBe('cab')
  expect(await (await web.fetch('/feeds')).text()).toContain('/picks/en-une/rss.xml')
  expect(await (await web.fetch('/picks/en-une/rss.xml')).text()).toMatch(/<title>[^<[]+ – À ne pas manquer</)

  await services.articles.withdraw('a', 'erreur', cli)
  expect(await titlesIn('/picks/en-une')).toBe('cb')
  await expect.poll(() => titlesOf('/picks/en-une/rss.xml'), { timeout: 10_000 }).toBe('cb')
  expect((await call('PUT', wish)).status).toBe(422)

  const later = { ...wish, articles: ['b'], from: new Date(Date.now() + 3_600_000).toISOString() }
  await call('PUT', later)
  expect(await titlesIn('/picks/en-une')).toBe('')
  await expect.poll(() => titlesOf('/picks/en-une/rss.xml'), { timeout: 10_000 }).toBe('')
  const wrong = await call('PUT', { ...later, to: new Date().toISOString() })
  expect(wrong.status).toBe(422)
  expect(await wrong.json()).toMatchObject({ errors: [{ field: 'to' }] })

  expect((await call('DELETE')).status).toBe(204)
  expect((await call('GET')).status).toBe(404)
  expect((await web.fetch('/picks/en-une')).status).toBe(404)
  expect(await titlesOf('/picks/en-une/rss.xml')).toBe('retired')
})

test('on the desk a list is made, filled by search, put in order, given a time and deleted', async () => {
  const { web, services, titlesIn } = await aNewsroom()
  const desk = await signedIn(web, 'editor')
  const made = await desk.post('/picks', { name: 'À lire' })
  expect(made.headers.get('location')).toBe('/desk/picks/a-lire')
  for (const name of ['À lire', '★']) {
    const refused = await desk.post('/picks', { name })
    const page = await refused.text()
    expect([
      refused.status,
      page.includes(`value="${name}"`),
      page.includes('que rien ne porte encore'),
    ]).toEqual([422, true, true])
  }
  expect(await (await desk.get('/picks/a-lire?find=récit')).text()).toContain('name="article" value="b"')
  for (const article of ['a', 'b', 'c']) await desk.post('/picks/a-lire/stories', { article, do: 'add' })
  for (const [article, step] of [
    ['c', 'top'],
    ['a', 'down'],
    ['b', 'remove'],
  ] as const)
    await desk.post('/picks/a-lire/stories', { article, do: step })
  expect(await titlesIn('/picks/a-lire')).toBe('ca')
  const moved = async () => (await desk.get('/picks/a-lire?moved=a&by=up')).text()
  expect(await moved()).toMatch(/Monter\u00a0: Récit a" autofocus/)
  await rowsOf(web, `update editors set language = 'en'`)
  expect(await moved()).toMatch(/aria-label="[^":]+\w: Récit a" autofocus/)
  await rowsOf(web, `update editors set language = 'fr'`)
  const list = await (await desk.get('/picks/a-lire')).text()
  // The first goes no further up, the last no further down.
  const stuck = [...list.matchAll(/value="(up|down|top)"[^>]*Récit (\w)" disabled/g)].map(([, ...one]) =>
    one.join(' '),
  )
  expect(stuck).toEqual(['up c', 'top c', 'down a'])
  const times = { from: '2026-01-01T08:00', to: '2026-01-01T07:00' }
  const wrong = await desk.post('/picks/a-lire', { 'name.fr': 'À relire', ...times })
  expect(wrong.status).toBe(422)
  expect(await wrong.text()).toMatch(/value="À relire".*id="to-fault"/s)
  await desk.post('/picks/a-lire', { 'name.fr': 'À relire', from: '2026-01-01T08:00', to: '' })
  const [pick] = await services.picks.list()
  expect(pick).toMatchObject({
    names: { fr: 'À relire' },
    startsAt: new Date('2026-01-01T07:00:00Z'),
    endsAt: null,
  })
  expect((await desk.post('/picks/a-lire/delete', {})).status).toBe(303)
  expect(await services.picks.list()).toEqual([])
})

test('a block of a newsletter: under its name, behind the lead, whatever its date, and to nobody twice', async () => {
  const { services, database } = await aNewsroom()
  await anArticle(database, {
    externalId: 'old',
    title: 'Récit z',
    firstPublicAt: new Date(Date.now() - 40 * 86_400_000),
  })
  await services.picks.put('en-une', { names: { fr: 'À ne pas manquer' }, articles: ['old', 'a'] }, cli)
  const blocks = [{ kind: 'lead' as const }, { kind: 'picks' as const, slug: 'en-une' }]
  const newsletter = await aNewsletter(database, { blocks, maxArticles: 3 })
  await aSubscriber(database, { newsletter })
  const digest = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  expect(digest.articles.map(({ externalId, block }) => [externalId, block])).toEqual([
    ['c', 'lead'],
    ['old', 'picks'],
    ['a', 'picks'],
  ])
  const preview = await services.digestPreview.get(digest.id, { format: 'html' })
  expect(preview.body).toContain('À ne pas manquer')
  await services.digestTransitions.send(digest.id, {
    ...{ actor: cli, idempotencyKey: 'k', body: {}, version: () => digest.version },
  })
  await services.preparing.prepare(digest.id)
  const next = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  expect(next.articles.map(({ externalId }) => externalId)).toEqual(['b'])
})
