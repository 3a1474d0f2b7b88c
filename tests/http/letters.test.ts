import { expect, test } from 'vitest'
import type { DigestShape } from '../../src/services/digests/shape.ts'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aSubscriber, subscribe } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

const intro = 'Chers lecteurs,\n\nla rédaction **déménage** : [le plan](/fr).'

async function aNewsroom(env: Record<string, string> = {}) {
  const web = await aWeb({ env })
  const newsletter = await aNewsletter(web.context.database, { slug: 'le-matin', name: 'Le Matin' })
  return { web, newsletter, database: web.context.database, call: await web.api('editor') }
}
type Call = Awaited<ReturnType<Web['api']>>

const json = async <Body>(response: Response): Promise<Body> => (await response.json()) as Body
const codeOf = async (response: Response) =>
  `${response.status} ${(await json<{ code: string }>(response)).code}`

async function write(call: Call, body: object = {}, slug = 'le-matin'): Promise<DigestShape> {
  const response = await call('POST', `/newsletters/${slug}/digests`, { kind: 'letter', ...body })
  expect(response.status).toBe(201)
  return json(response)
}

const post = async (call: Call, { id }: { id: number }, action: string, body: object = {}) => {
  const { version } = await json<DigestShape>(await call('GET', `/digests/${id}`))
  const headers = { 'if-match': `"${version}"`, 'idempotency-key': `click-${id}` }
  return call('POST', `/digests/${id}/${action}`, body, headers)
}

async function send(web: Web, call: Call, digest: DigestShape): Promise<DigestShape> {
  expect((await post(call, digest, 'send')).status).toBe(202)
  await web.context.services.preparing.prepare(digest.id)
  return json(await call('GET', `/digests/${digest.id}`))
}

test('a letter without an article goes to everyone who is subscribed, and says its words as they were written', async () => {
  const sink = await aSmtpSink()
  const { web, newsletter, database, call } = await aNewsroom({ SMTP_URL: sink.url })
  await anArticle(database)
  const readers = [
    await aSubscriber(database, { newsletter }),
    await aSubscriber(database, { newsletter, cadence: 'weekly' }),
    await aSubscriber(database, { newsletter, cadence: 'alert' }),
  ]
  await aSubscriber(database, { newsletter, state: 'pending' })
  await aSubscriber(database, { newsletter, pausedUntil: new Date(Date.now() + 86_400_000) })
  const empty = await write(call)
  expect(empty).toMatchObject({ kind: 'letter', cadence: null, articles: [], audience: 3 })
  for (const action of ['approve', 'send'])
    expect(await codeOf(await post(call, empty, action))).toBe('409 letter_unfinished')
  const sendAt = new Date(Date.now() + 60_000).toISOString()
  expect(await codeOf(await post(call, empty, 'schedule', { sendAt }))).toBe('409 letter_unfinished')
  const changed = await call(
    'PATCH',
    `/digests/${empty.id}`,
    { subject: 'Nous déménageons', intro },
    { 'if-match': `"${empty.version}"` },
  )
  const letter = await json<DigestShape>(changed)
  const preview = async (format: string) =>
    (await call('GET', `/digests/${letter.id}/preview?format=${format}`)).text()
  const html = await preview('html')
  expect(html).toContain('<strong>déménage</strong>')
  expect(html).toContain(`href="${web.origin}/fr"`)
  expect(html).toContain('Chers lecteurs, la rédaction déménage : le plan.')
  expect(await preview('text')).toContain(
    `Chers lecteurs,\n\nla rédaction déménage : le plan (${web.origin}/fr).`,
  )
  expect(await send(web, call, letter)).toMatchObject({
    state: 'sending',
    audience: 3,
    counts: { pending: 3, skipped: 0 },
  })
  await web.context.services.presence.beat()
  await web.context.services.sending.deliverDigest(letter.id)
  expect(sink.received.map(({ to }) => to[0]).sort()).toEqual(readers.map(({ address }) => address).sort())
  const page = await (await web.fetch('/newsletters/le-matin')).text()
  expect(page).toContain('Nous déménageons')
  expect(await (await web.fetch(`/digests/${letter.id}`)).text()).toContain('<strong>déménage</strong>')
  const [reader] = readers
  const why = await call('GET', `/subscribers/${reader?.id ?? 0}/explain?digest=${letter.id}`)
  expect(await json(why)).toMatchObject({ got: true })
})

test('its articles are those it names: who has one gets the letter without it, and its last withdrawal stops nobody', async () => {
  const { web, newsletter, database, call } = await aNewsroom()
  await anArticle(database, { externalId: 'phare', title: 'Le phare' })
  await anArticle(database, { externalId: 'port', title: 'Le port' })
  const known = await aSubscriber(database, { newsletter })
  const daily = await call('POST', '/newsletters/le-matin/digests', { cadence: 'daily', articles: ['phare'] })
  const first = await send(web, call, await json(daily))
  await rowsOf(web, `update deliveries set state = 'accepted' where digest_id = ${first.id}`)
  const fresh = await aSubscriber(database, { newsletter })
  const letter = await write(call, { subject: 'Un mot', articles: ['phare'] })
  expect(letter.articles.map(({ externalId }) => externalId)).toEqual(['phare'])
  expect(await send(web, call, letter)).toMatchObject({ audience: 2, counts: { pending: 2 } })
  const held = () =>
    rowsOf(
      web,
      `select subscriber_id::int as id, cardinality(article_ids) as n, state from deliveries d join variants v on v.id = coalesce((select replaced_by from variants r where r.id = d.variant_id), d.variant_id) where d.digest_id = ${letter.id} order by 1`,
    )
  expect(await held()).toEqual([
    { id: known.id, n: 0, state: 'pending' },
    { id: fresh.id, n: 1, state: 'pending' },
  ])
  expect((await call('POST', '/articles/phare/withdraw', { reason: 'faux' })).status).toBe(200)
  expect(await held()).toEqual([
    { id: known.id, n: 0, state: 'pending' },
    { id: fresh.id, n: 0, state: 'pending' },
  ])
})

test('a copy leaves out who has the letter, or is about to, whichever goes first', async () => {
  const { web, newsletter, database, call } = await aNewsroom()
  const evening = await aNewsletter(database, { slug: 'le-soir', name: 'Le Soir' })
  const weekly = await aNewsletter(database, { slug: 'hebdo', name: 'Hebdo' })
  const both = await aSubscriber(database, { newsletter })
  await subscribe(database, both.id, { newsletter: evening, cadence: 'alert' })
  await aSubscriber(database, { newsletter: evening })
  const later = await aSubscriber(database, { newsletter: evening })
  await subscribe(database, later.id, { newsletter: weekly })
  const letter = await write(call, { subject: 'Un mot', intro })
  const copyTo = async (slug: string, { id }: DigestShape) =>
    json<DigestShape>(await call('POST', `/digests/${id}/copy`, { newsletter: slug }))
  const copy = await copyTo('le-soir', letter)
  expect(copy).toMatchObject({
    newsletter: 'le-soir',
    kind: 'letter',
    copyOf: letter.id,
    subject: 'Un mot',
    intro,
    state: 'draft',
    audience: 3,
  })
  // Judged when it is sent, not when it was copied.
  await send(web, call, letter)
  expect(await send(web, call, copy)).toMatchObject({ audience: 3, counts: { pending: 2, skipped: 1 } })
  const why = await call('GET', `/subscribers/${both.id}/explain?digest=${copy.id}`)
  expect(await json(why)).toMatchObject({ got: false, reason: 'has_copy' })
  // A copy of the copy is one of the same letter.
  const third = await copyTo('hebdo', copy)
  expect(third.copyOf).toBe(letter.id)
  expect(await send(web, call, third)).toMatchObject({ state: 'skipped', audience: 1 })
  const other = await json<DigestShape>(
    await call('POST', '/newsletters/le-matin/digests', { cadence: 'daily' }),
  )
  expect(await codeOf(await call('POST', `/digests/${other.id}/copy`, { newsletter: 'le-soir' }))).toBe(
    '409 not_a_letter',
  )
})

test('on the desk a letter is written, finished, filled and copied by forms alone', async () => {
  const { web, newsletter, database } = await aNewsroom()
  await aNewsletter(database, { slug: 'le-soir', name: 'Le Soir' })
  await anArticle(database, { externalId: 'phare', title: 'Le phare' })
  await aSubscriber(database, { newsletter, cadence: 'alert' })
  const desk = await signedIn(web, 'editor')
  for (const path of ['/digests', '/newsletters/le-matin'])
    expect(await (await desk.get(path)).text()).toContain('Écrire aux abonnés')
  const made = await desk.post('/digests', { kind: 'letter', newsletter: 'le-matin' })
  expect(made.status).toBe(303)
  const path = (made.headers.get('location') ?? '').replace('/desk', '')
  const page = async () => (await desk.get(path)).text()
  const version = (html: string) => /name="version" value="(\d+)"/.exec(html)?.[1] ?? ''
  const blank = await page()
  expect(blank).toContain('Rien ne part encore')
  expect(blank).not.toContain(`action="/desk${path}/send"`)
  expect(blank.indexOf('id="texts"')).toBeLessThan(blank.indexOf('id="stories"'))
  await desk.post(`${path}/texts`, { version: version(blank), subject: 'Un mot', preheader: '', intro })
  const written = await page()
  expect(written).toContain(`action="/desk${path}/send"`)
  await desk.post(`${path}/stories`, { version: version(written), article: 'phare', do: 'pin' })
  const filled = await page()
  expect(filled).toContain('Le phare')
  await desk.post(`${path}/stories`, { version: version(filled), article: 'phare', do: 'exclude' })
  expect(await rowsOf(web, 'select from newsletter_exclusions')).toEqual([])
  const copied = await desk.post(`${path}/copy`, { newsletter: 'le-soir' })
  expect(
    await (await desk.get((copied.headers.get('location') ?? '').replace('/desk', ''))).text(),
  ).toContain('Même texte que')
  expect(await (await desk.get('/digests')).text()).toContain('Message aux abonnés')
  const entries = await rowsOf<{ action: string; detail: unknown }>(
    web,
    `select action, detail from audit where action = 'digest.composed' order by id`,
  )
  expect(entries.map(({ detail }) => detail)).toEqual([expect.anything(), { copyOf: 1 }])
})

test('no letter goes while a worker of an older version lives, and one that was to go waits', async () => {
  const { web, newsletter, database, call } = await aNewsroom()
  await aSubscriber(database, { newsletter })
  const { id } = await write(call, { subject: 'Nous déménageons', intro })
  const scheduled = await write(call, { subject: 'Bientôt', intro })
  const sendAt = new Date(Date.now() + 60_000).toISOString()
  expect((await post(call, scheduled, 'schedule', { sendAt })).status).toBe(200)
  await rowsOf(web, 'insert into workers (id) values (gen_random_uuid())')
  expect(await codeOf(await post(call, { id }, 'send'))).toBe('409 older_worker')
  const desk = await signedIn(web, 'editor')
  const page = await (await desk.get(`/digests/${id}`)).text()
  expect(page).toContain('version précédente')
  expect(page).not.toContain('Envoyer…')

  await rowsOf(web, "update digests set send_at = now() where state = 'scheduled'")
  const states = () => rowsOf(web, "select state from digests where kind = 'letter' order by id")
  await web.context.services.schedules.run()
  expect(await states()).toEqual([{ state: 'draft' }, { state: 'scheduled' }])
  await rowsOf(web, "update workers set beat_at = now() - interval '1 minute'")
  await web.context.services.schedules.run()
  expect((await post(call, { id }, 'send')).status).toBe(202)
  expect(await states()).toEqual([{ state: 'preparing' }, { state: 'preparing' }])
})

test('a test goes to whoever of the desk is chosen, and to nobody else', async () => {
  const { web, newsletter, database, call } = await aNewsroom()
  await aSubscriber(database, { newsletter })
  const { id } = await write(call, { subject: 'Nous déménageons', intro })
  const desk = await signedIn(web, 'editor')
  const colleague = await signedIn(web, 'viewer')
  const [{ email } = { email: '' }] = await rowsOf<{ email: string }>(
    web,
    `select email from editors where id = ${colleague.editorId}`,
  )
  expect(await (await desk.get(`/digests/${id}`)).text()).toContain(`<option>${email}</option>`)
  expect((await desk.post(`/digests/${id}/test`, { to: email })).status).toBe(303)
  expect((await desk.post(`/digests/${id}/test`, { to: 'somebody@elsewhere.example' })).status).toBe(422)
  const tests = "select editor_id::int from outbox where kind = 'digest-test'"
  expect(await rowsOf(web, tests)).toEqual([{ editor_id: colleague.editorId }])
})
