import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { DigestShape } from '../../src/services/digests/shape.ts'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { recordStatements } from '../support/statements.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

/** One story, one reader, and the open draft of the day, composed. */
async function aDraft(web: Web) {
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  await anArticle(database, { externalId: 'phare', title: 'Le phare se rallume' })
  await aSubscriber(database, { newsletter })
  const [draft] = await services.digests.listNext(newsletter.slug)
  if (!draft) throw new Error('a daily newsletter has an open draft')
  return { newsletter, draft, path: `/digests/${draft.id}` }
}

const aWorkerLives = (web: Web) => web.context.database.stores.workers.put(randomUUID())

/** What preparing a long list does: its row is held until `release`. */
async function hold(web: Web, digestId: number) {
  const client = new pg.Client({ connectionString: web.context.config.databaseUrl })
  await client.connect()
  await client.query('begin')
  await client.query('select from digests where id = $1 for update', [digestId])
  let isHeld = true
  const release = async () => {
    if (isHeld) await client.end()
    isHeld = false
  }
  onTestFinished(release)
  return { release, isHeld: () => isHeld }
}

test.for([true, false])(
  'fifty look at a digest that somebody holds, and the public site and the desk answer (a worker lives: %s)',
  async (isWorking) => {
    const web = await aWeb()
    const { draft, newsletter, path } = await aDraft(web)
    if (isWorking) await aWorkerLives(web)
    const call = await web.api('editor')
    const desk = await signedIn(web, 'editor')
    const held = await hold(web, draft.id)
    const looks = await Promise.all([
      ...Array.from({ length: 50 }, () => call('GET', path)),
      call('GET', `${path}/preview`),
      call('GET', `/newsletters/${newsletter.slug}/next`),
      call('GET', '/digests'),
      desk.get(path),
      desk.get('/'),
      ...['/', '/subscribe', `/newsletters/${newsletter.slug}`].map((page) => web.fetch(page)),
    ])
    expect(looks.map(({ status }) => status)).toEqual(looks.map(() => 200))
    expect(await looks[0]?.json()).toMatchObject({ version: draft.version, articles: [{ readers: 1 }] })
    expect(held.isHeld()).toBe(true)
  },
)

test('whoever must wait for a digest is told to come back, and readers do not wait with them', async () => {
  const web = await aWeb({ patience: { lock: 1 } })
  const { draft, path } = await aDraft(web)
  const call = await web.api('editor')
  const held = await hold(web, draft.id)
  const headers = { 'if-match': `"${draft.version}"` }
  const changes = Array.from({ length: 6 }, () => call('PATCH', path, { intro: 'Bonjour.' }, headers))
  let answered = 0
  for (const change of changes) void change.then(() => (answered += 1))
  const pages = await Promise.all(['/', '/subscribe', '/'].map((page) => web.fetch(page)))
  expect(pages.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(answered).toBe(0)
  for (const response of await Promise.all(changes)) {
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(await response.json()).toMatchObject({ code: 'database_busy' })
  }
  await held.release()
  expect((await call('PATCH', path, { intro: 'Bonjour.' }, headers)).status).toBe(200)
})

test('looking locks nothing, counts nobody and says as of when; the worker brings what is new', async () => {
  const web = await aWeb()
  const { draft, path } = await aDraft(web)
  await aWorkerLives(web)
  const call = await web.api('editor')
  const look = async () => (await (await call('GET', path)).json()) as DigestShape
  await anArticle(web.context.database, { externalId: 'fanfare', title: 'La fanfare répète' })
  const statements = recordStatements()
  expect(await look()).toMatchObject({
    version: draft.version,
    asOf: draft.asOf,
    articles: [{ externalId: 'phare' }],
  })
  // Of withdrawn stories it asks whom they reached; a draft has none, and reaches nobody.
  const asked = statements.filter((text) => !text.includes('withdrawn_at'))
  expect(asked.filter((text) => /for update|deliveries|from subscriptions/.test(text))).toEqual([])
  await web.context.services.drafts.refreshAll()
  const renewed = await look()
  expect(renewed.articles.map(({ externalId }) => externalId)).toEqual(['fanfare', 'phare'])
  expect(renewed.version).toBe(draft.version + 1)
  expect(String(renewed.asOf) > String(draft.asOf)).toBe(true)
})

test('another reader is a new number, and no new version: an If-Match holds', async () => {
  const web = await aWeb()
  const { draft, newsletter, path } = await aDraft(web)
  await aSubscriber(web.context.database, { newsletter })
  await web.context.services.drafts.getFresh(draft.id)
  const call = await web.api('editor')
  const headers = { 'if-match': `"${draft.version}"` }
  const changed = await call('PATCH', path, { intro: 'Bonjour.' }, headers)
  expect(changed.status).toBe(200)
  expect(await changed.json()).toMatchObject({ audience: 2 })
})

test('a send that is refused for a story nobody saw leaves the story to be seen', async () => {
  const web = await aWeb()
  const { draft, path } = await aDraft(web)
  await aWorkerLives(web)
  const call = await web.api('editor')
  await anArticle(web.context.database, { externalId: 'fanfare', title: 'La fanfare répète' })
  const send = (version: number) =>
    call('POST', `${path}/send`, {}, { 'if-match': `"${version}"`, 'idempotency-key': 'once' })
  expect((await send(draft.version)).status).toBe(412)
  const seen = (await (await call('GET', path)).json()) as DigestShape
  expect(seen.articles).toHaveLength(2)
  expect((await send(seen.version)).status).toBe(202)
})
