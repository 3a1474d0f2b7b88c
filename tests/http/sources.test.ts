import { expect, test } from 'vitest'
import { openCarrier } from '../../src/queue/bullmq.ts'
import { createJobs } from '../../workers/jobs.ts'
import { startWorker } from '../../workers/run-job.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aFollowedSite } from '../support/sources.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { until } from '../support/until.ts'
import { aWeb } from '../support/web.ts'
import { aWordpress } from '../support/wordpress.ts'

test('SRC-5 what is published there and rung for stands in /rss.xml and in the open draft, by rings alone', async () => {
  const site = await aFollowedSite({
    web: { env: { FEED_LIMIT: 'off' } },
    prepare: (wordpress) => wordpress.add({ title: 'Avant' }),
  })
  const { services, database, queueBackend, queueFaults: faults, log, metrics } = site.context
  const newsletter = await aNewsletter(database)
  await aSubscriber(database, { newsletter })
  const [draft] = await services.digests.listNext(newsletter.slug)
  const inDraft = async () => {
    const rows = await site.sql<{ title: string }>(
      'select a.title from digest_articles d join articles a on a.id = d.article_id where d.digest_id = $1',
      [draft?.id],
    )
    return rows.map(({ title }) => title)
  }
  const inFeed = async () => (await site.fetch('/rss.xml')).text()
  expect(await inDraft()).toEqual(['Avant'])
  const { pingUrl } = await services.sources.get(site.sourceId)
  // Without the rounds that come by for what no ring was heard for.
  const carrier = openCarrier(queueBackend, faults, 3)
  const jobs = createJobs(services)
  const rung = ['sync-source', 'render-feeds', 'refresh-drafts'] as const
  const workers = rung.map((name) => startWorker(name, jobs[name], { carrier, faults, log, metrics }))
  try {
    site.wordpress.add({ title: 'Tout de suite' })
    expect((await site.wordpress.ping(pingUrl)).status).toBe(200)
    await until('in /rss.xml', async () => (await inFeed()).includes('Tout de suite'))
    await until('in the open draft', async () => (await inDraft()).includes('Tout de suite'))
  } finally {
    await Promise.all(workers.map((worker) => worker.close()))
    await carrier.close()
  }
  // Due within five seconds of the ring, and the one look that followed has brought it.
  expect(await site.sql(`select looked_at - rung_at < interval '5 seconds' as is_soon from sources`)).toEqual(
    [{ is_soon: true }],
  )
  expect(await services.sources.get(site.sourceId)).toMatchObject({ rings: true })
  expect(await services.sources.listRuns(site.sourceId)).toMatchObject([
    { reason: 'ring', created: 1 },
    { created: 1 },
  ])
})

test('SRC-5 whoever rings is thanked as WordPress understands it, whatever it is', async () => {
  const { origin, wordpress, ...site } = await aFollowedSite()
  const { pingUrl } = await site.context.services.sources.get(site.sourceId)
  const answer = await wordpress.ping(pingUrl)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/xml; charset=utf-8'])
  const body = await answer.text()
  expect(body).toContain('<name>flerror</name><value><boolean>0</boolean></value>')
  expect(body).not.toContain('<fault>')
  for (const [url, init] of [
    [`${origin}/ping/nobody`, { body: '<methodCall/>' }],
    [pingUrl, { body: 'x'.repeat(1_000_000) }],
    [pingUrl, {}],
    [pingUrl, { body: '{"post":{}}', headers: { 'content-type': 'application/json' } }],
  ] as const) {
    expect((await fetch(url, { method: 'POST', ...init })).status).toBe(200)
  }
  expect((await fetch(pingUrl)).status).toBe(404)
})

test('SRC-5 who rings all the time is thanked and no longer heard, and drowns nobody else', async () => {
  const site = await aFollowedSite({ web: { env: { TRUST_PROXY: '127.0.0.1/32,::1/128' } } })
  const { pingUrl } = await site.context.services.sources.get(site.sourceId)
  const ring = async (from: string) => {
    const answer = await fetch(pingUrl, { method: 'POST', headers: { 'x-forwarded-for': from } })
    expect(answer.status).toBe(200)
  }
  const rung = () => site.sql('select 1 from sources where rung_at > looked_at')
  for (let n = 0; n < 30; n += 1) await ring('198.51.100.7')
  await until('heard', async () => (await rung()).length === 1)
  await site.look()
  await ring('198.51.100.7')
  await ring('198.51.100.8')
  await until('heard', async () => (await rung()).length === 1)
  await site.look()
  await ring('198.51.100.7')
  // Counted before the next one is, which is heard at once.
  await until(
    'counted',
    async () => (await site.sql(`select 1 from rate_limits where points = 32`)).length === 1,
  )
  // The ring of another site, which comes after it, is heard; by then it would have been.
  await site.sql(`insert into sources (kind, url, home, name, site_language, host, token)
    select kind, url || '?', home, 'another', site_language, host, 'another' from sources`)
  expect((await fetch(`${site.origin}/ping/another`, { method: 'POST' })).status).toBe(200)
  await until(
    'heard',
    async () =>
      (await site.sql(`select 1 from sources where rung_at > '-infinity' and name = 'another'`)).length === 1,
  )
  expect(await site.sql('select name from sources where rung_at > looked_at')).toEqual([])
  // Whoever rings with tokens of their own fills no counter with them; the last one is heard after all the others.
  for (let n = 0; n < 20; n += 1)
    await fetch(`${site.origin}/ping/${n}${'x'.repeat(8_000)}`, { method: 'POST' })
  await ring('198.51.100.9')
  await until('heard', async () => (await rung()).length === 1)
  expect(await site.sql(`select key from rate_limits where key like 'ring:%'`)).toHaveLength(4)
})

const always = () => Promise.resolve(true)

test('SRC-5 of many rings before a look one counts, and one that comes during a look is heard after it', async () => {
  const site = await aFollowedSite({ prepare: (wordpress) => wordpress.add() })
  const { sourceSync, sources } = site.context.services
  const { token } = await sources.get(site.sourceId)
  const rungAt = () =>
    site.sql<{ rung_at: Date; is_soon: boolean }>(
      `select rung_at, next_at <= now() + interval '5 seconds' as is_soon from sources`,
    )
  await sources.hearRing(token, always)
  const first = await rungAt()
  await Promise.all(Array.from({ length: 20 }, () => sources.hearRing(token, always)))
  expect(await rungAt()).toEqual(first)
  expect(first).toMatchObject([{ is_soon: true }])
  site.wordpress.onRequest = async () => {
    site.wordpress.onRequest = undefined
    await sources.hearRing(token, always)
  }
  await sourceSync.work(site.sourceId)
  const [after] = await rungAt()
  expect(after?.is_soon).toBe(true)
  expect(Number(after?.rung_at)).toBeGreaterThan(Number(first[0]?.rung_at))
})

test('SRC-9 by API: look first, follow, change, pause, resume, remove; a viewer sees no ping address', async () => {
  const wordpress = await aWordpress()
  wordpress.add({ title: 'Le bac' })
  const web = await aWeb({ env: { SOURCE_HOSTS: '127.0.0.1' } })
  const [admin, viewer] = [await web.api('admin'), await web.api('viewer')]
  const json = async (answer: Response) => (await answer.json()) as Record<string, unknown>
  const preview = await admin('POST', '/sources/preview', { address: wordpress.home })
  expect(await json(preview)).toMatchObject({
    kind: 'wordpress',
    kinds: ['wordpress', 'feed'],
    name: 'Journal Essai',
    articles: [{ title: 'Le bac', language: 'fr', sections: ['culture'], reason: null }],
  })
  const added = await admin('POST', '/sources', { address: wordpress.home })
  expect(added.status).toBe(201)
  const { id, pingUrl } = await json(added)
  expect(pingUrl).toContain(`${web.origin}/ping/`)
  expect((await admin('POST', '/sources', { address: wordpress.home })).status).toBe(409)
  expect((await admin('POST', '/sources', { address: wordpress.home, language: 'de' })).status).toBe(422)
  expect(await json(await viewer('GET', `/sources/${String(id)}`))).toMatchObject({
    state: 'catching-up',
    pingUrl: null,
    rings: null,
  })
  await web.context.services.sourceSync.work(Number(id))
  const runs = await json(await viewer('GET', `/sources/${String(id)}/runs`))
  expect(runs['data']).toMatchObject([{ created: 1, failure: null }])
  const path = `/sources/${String(id)}`
  expect(await json(await admin('PATCH', path, { links: 'canonical', feedText: 'summary' }))).toMatchObject({
    links: 'canonical',
    feedText: 'summary',
  })
  const list = await json(await viewer('GET', '/articles'))
  expect(list['data']).toMatchObject([
    { title: 'Le bac', url: expect.stringContaining(wordpress.home) as string },
  ])
  expect(await json(await admin('POST', `${path}/pause`))).toMatchObject({ state: 'paused', nextAt: null })
  expect((await admin('POST', `${path}/sync`)).status).toBe(409)
  expect((await admin('POST', `${path}/answer`, { answer: 'keep' })).status).toBe(409)
  expect(await json(await admin('POST', `${path}/resume`))).toMatchObject({ state: 'following' })
  expect((await admin('DELETE', path)).status).toBe(204)
  expect((await admin('GET', path)).status).toBe(404)
  expect((await viewer('GET', '/articles')).status).toBe(200)
})

test('SRC-9 on the desk: an address, five articles, followed; in three languages', async () => {
  const wordpress = await aWordpress()
  for (let n = 0; n < 7; n += 1) {
    wordpress.later(60)
    wordpress.add({ title: `Escale ${n} <b>` })
  }
  const web = await aWeb({ env: { SOURCE_HOSTS: '127.0.0.1' } })
  const desk = await signedIn(web, 'admin')
  expect(await (await desk.get('/sources')).text()).toContain('Aucun site n’est encore suivi.')
  const wrong = await desk.post('/sources/preview', { address: 'http://10.0.0.1/' })
  expect(wrong.status).toBe(422)
  expect(await wrong.text()).toContain('value="http://10.0.0.1/"')
  const preview = await (await desk.post('/sources/preview', { address: wordpress.home })).text()
  expect(preview.match(/Escale \d/g)).toEqual(['Escale 6', 'Escale 5', 'Escale 4', 'Escale 3', 'Escale 2'])
  const added = await desk.post('/sources', {
    address: wordpress.home,
    kind: 'wordpress',
    language: '',
    from: 'all',
  })
  expect(added.headers.get('location')).toMatch(/^\/desk\/sources\/\d+\?notice=source-added$/)
  const again = await desk.post('/sources/preview', { address: wordpress.home })
  expect(again.headers.get('location')).toBe(
    added.headers.get('location')?.replace('source-added', 'source-known'),
  )
  const { services } = web.context
  const [source] = await services.sources.list()
  await services.sourceSync.work(source?.id ?? 0)
  for (const [language, word] of [
    ['fr', 'Suivi'],
    ['ar', 'متابَع'],
    ['en', 'Following'],
  ] as const) {
    await desk.post('/settings/language', { language, back: '/settings' })
    const page = await (await desk.get(`/sources/${source?.id ?? 0}`)).text()
    expect(page).toContain(`<strong>${word}</strong>`)
    expect(page).toContain(source?.pingUrl)
  }
  const viewer = await signedIn(web, 'viewer')
  expect(await (await viewer.get(`/sources/${source?.id ?? 0}`)).text()).not.toContain('/ping/')
  expect((await viewer.post(`/sources/${source?.id ?? 0}/pause`, {})).status).toBe(403)
})

test('articles come a hundred at a time, each with an outcome of its own', async () => {
  const web = await aWeb()
  const editor = await web.api('editor')
  const article = (n: number) => ({
    externalId: `a:${n}`,
    title: `Titre ${n}`,
    html: '<p>x</p>',
    language: 'fr',
  })
  const put = async (articles: unknown[]) => {
    const answer = await editor('PUT', '/articles', { articles })
    return [answer.status, ((await answer.json()) as { data?: { outcome: string }[] }).data] as const
  }
  const hundred = Array.from({ length: 100 }, (_, n) => article(n))
  const [status, data] = await put(hundred)
  expect([status, new Set(data?.map(({ outcome }) => outcome))]).toEqual([200, new Set(['created'])])
  expect(
    await put([
      article(1),
      { ...article(2), title: 'Autre' },
      { ...article(3), title: '' },
      { externalId: 'é é' },
    ]),
  ).toMatchObject([
    200,
    [
      { externalId: 'a:1', outcome: 'unchanged' },
      { externalId: 'a:2', outcome: 'updated' },
      {
        externalId: 'a:3',
        outcome: 'failed',
        code: 'invalid_input',
        message: expect.stringContaining('title') as string,
      },
      { externalId: 'é é', outcome: 'failed', code: 'invalid_input' },
    ],
  ])
  expect((await put([...hundred, article(101)]))[0]).toBe(422)
})
