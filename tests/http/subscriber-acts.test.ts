import { expect, test } from 'vitest'
import { signedIn } from '../support/desk.ts'
import { importCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

const amina = 'amina@reader.example'
const basis = 'asked by letter, 3 March 2026'

async function aNewsroom() {
  const web = await aWeb()
  const { database } = web.context
  const matin = await aNewsletter(database, { slug: 'le-matin' })
  const soir = await aNewsletter(database, { slug: 'le-soir', name: 'Le Soir' })
  return { web, matin, soir, admin: await web.api('admin'), editor: await web.api('editor') }
}

const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]
const audited = (web: Web, action: string) =>
  rowsOf<{ subject: string; detail: object }>(web, 'select subject, detail from audit where action = $1', [
    action,
  ])

test('with the ground of consent a reader is active at once and it is on record; without it they are asked', async () => {
  const { web, admin, editor } = await aNewsroom()
  const added = await admin('POST', '/subscribers', {
    email: amina,
    newsletters: ['le-matin'],
    language: 'ar',
    basis,
  })
  expect(added.status).toBe(201)
  const body = (await added.json()) as { id: number; consents: object[] }
  expect(body).toMatchObject({
    ...{ email: amina, language: 'ar', suppressed: false },
    subscriptions: [{ newsletter: 'le-matin', state: 'active' }],
    consents: [{ event: 'imported', newsletter: 'le-matin', basis }],
  })
  expect(await audited(web, 'subscriber.add')).toEqual([
    { subject: `subscriber:${body.id}`, detail: { newsletters: 'le-matin' } },
  ])
  const again = { email: amina.toUpperCase(), newsletters: ['le-matin'], basis }
  expect(await codeOf(await admin('POST', '/subscribers', again))).toEqual([409, 'subscriber_exists'])
  expect(await codeOf(await editor('POST', '/subscribers', { email: 'b@reader.example', basis }))).toEqual([
    403,
    'basis_needs_admin',
  ])
  const asked = await editor('POST', '/subscribers', { email: 'b@reader.example', newsletters: ['le-soir'] })
  expect([asked.status, await asked.json()]).toEqual([202, { status: 'check-your-inbox' }])
  await web.context.services.signupDecisions.decideAll()
  expect(await rowsOf(web, 'select form, decision from activations')).toEqual([
    { form: 'desk', decision: 'mailed' },
  ])
  expect(
    await rowsOf(
      web,
      `select state from subscriptions where newsletter_id = (select id from newsletters where slug = 'le-soir')`,
    ),
  ).toEqual([{ state: 'pending' }])
})

test('nobody who left, was suppressed or erased comes back by being added', async () => {
  const { web, matin, admin } = await aNewsroom()
  const { database } = web.context
  await aSubscriber(database, { address: 'left@reader.example', newsletter: matin, ended: 'unsubscribed' })
  await admin('POST', '/suppressions', { email: 'never@reader.example' })
  const gone = await aSubscriber(database, { address: amina, newsletter: matin })
  expect((await admin('DELETE', `/subscribers/${gone.id}`)).status).toBe(204)
  const add = async (email: string) =>
    codeOf(await admin('POST', '/subscribers', { email, newsletters: ['le-matin'], basis }))
  expect(await add('left@reader.example')).toEqual([409, 'subscriber_left'])
  expect(await add('never@reader.example')).toEqual([409, 'suppressed'])
  expect(await add(amina)).toEqual([409, 'suppressed'])
  expect(await rowsOf(web, `select 1 from subscriptions where state <> 'ended'`)).toEqual([])
  expect(await rowsOf(web, `select reason from suppressions order by id`)).toEqual([
    { reason: 'manual' },
    { reason: 'erased' },
  ])
  expect((await admin('GET', `/subscribers/${gone.id}/data`)).status).toBe(404)
  expect((await admin('DELETE', `/subscribers/${gone.id}`)).status).toBe(404)
  expect(await audited(web, 'subscriber.erase')).toHaveLength(1)
})

test('a language changes, one subscription ends and another rests; all data are handed out', async () => {
  const { web, matin, soir, admin, editor } = await aNewsroom()
  const { id } = await aSubscriber(web.context.database, { address: amina, newsletter: matin })
  await web.context.database.stores.subscriptions.activate(
    { subscriberId: id, newsletterId: soir.id },
    { cadence: 'daily', alerts: false, sections: [] },
    new Date(),
  )
  const until = new Date(Date.now() + 7 * 24 * 3_600_000).toISOString()
  const changed = await editor('PATCH', `/subscribers/${id}`, {
    language: 'en',
    subscriptions: [
      { newsletter: 'le-matin', state: 'ended' },
      { newsletter: 'le-soir', pausedUntil: until },
    ],
  })
  expect([changed.status, await changed.json()]).toMatchObject([
    200,
    {
      language: 'en',
      subscriptions: [
        { newsletter: 'le-matin', state: 'ended' },
        { newsletter: 'le-soir', state: 'active', pausedUntil: until },
      ],
      consents: [{ event: 'ended', newsletter: 'le-matin', reason: 'desk' }],
    },
  ])
  for (const [pausedUntil, code] of [
    ['2099-01-01T00:00:00Z', 'paused_until_far'],
    ['2020-01-01T00:00:00Z', 'paused_until_past'],
  ]) {
    const subscriptions = [{ newsletter: 'le-soir', pausedUntil }]
    const refused = await editor('PATCH', `/subscribers/${id}`, { subscriptions })
    expect([refused.status, await refused.json()]).toMatchObject([422, { code }])
  }
  const resumed = await editor('PATCH', `/subscribers/${id}`, {
    subscriptions: [{ newsletter: 'le-soir', pausedUntil: null }],
  })
  expect(await resumed.json()).toMatchObject({ subscriptions: [{}, { pausedUntil: null }] })
  const details = (await audited(web, 'subscriber.change')).map(({ detail }) => detail)
  expect(details).toEqual([
    { language: 'fr → en', 'le-matin': 'ended', 'le-soir': until.slice(0, 10) },
    { 'le-soir': 'active' },
  ])
  const none = { subscriptions: [{ newsletter: 'le-matin', state: 'ended' }] }
  const other = await aSubscriber(web.context.database, {})
  expect(await codeOf(await editor('PATCH', `/subscribers/${other.id}`, none))).toEqual([
    404,
    'no_subscription',
  ])
  expect((await editor('GET', `/subscribers/${id}/data`)).status).toBe(403)
  const data = (await (await admin('GET', `/subscribers/${id}/data`)).json()) as object
  expect(Object.keys(data)).toEqual([
    ...[
      'email',
      'language',
      'createdAt',
      'subscriptions',
      'consents',
      'deliveries',
      'olderDigests',
      'requests',
      'mails',
      'bounces',
      'responses',
    ],
    'suppression',
  ])
})

test('on the desk: found by a part, newsletter and state, counted; added, paused, ended, handed out, erased', async () => {
  const { web, matin } = await aNewsroom()
  const { database } = web.context
  for (const n of [1, 2, 3])
    await aSubscriber(database, { address: `n${n}@reader.example`, newsletter: matin })
  await aSubscriber(database, { address: 'n4@reader.example', newsletter: matin, ended: 'unsubscribed' })
  const desk = await signedIn(web, 'admin')
  const found = async (query: string) => {
    const page = await (await desk.get(`/subscribers${query}`)).text()
    const people = /<p>([^<]*personnes?)<\/p>/.exec(page)?.[1] ?? ''
    return { people, rows: [...page.matchAll(/href="\/desk\/subscribers\/\d+"/g)].length }
  }
  expect(await found('')).toEqual({ people: '4 personnes', rows: 4 })
  expect(await found('?state=active&newsletter=le-matin')).toEqual({ people: '3 personnes', rows: 3 })
  expect(await found('?q=N2')).toEqual({ people: '1 personne', rows: 1 })
  expect(await found('?newsletter=le-soir')).toEqual({ people: '0 personne', rows: 0 })
  const broken = await desk.post('/subscribers', {
    email: 'n1@reader.example',
    newsletters: 'le-matin',
    basis,
  })
  const page = await broken.text()
  expect([broken.status, page.includes(`value="${basis}"`), page.includes('cherchez-la')]).toEqual([
    422,
    true,
    true,
  ])
  const added = await desk.post('/subscribers', {
    email: amina,
    newsletters: 'le-matin',
    language: 'ar',
    basis,
  })
  expect(added.headers.get('location')).toMatch(/^\/desk\/subscribers\/\d+\?notice=subscriber-added$/)
  const [path = ''] = /\/subscribers\/\d+/.exec(added.headers.get('location') ?? '') ?? []
  expect(await (await desk.get(path)).text()).toMatch(
    /à la rédaction, par <bdi>admin-\w+@rivage\.example<\/bdi>/,
  )
  const asked = await desk.post('/subscribers', {
    email: 'c@reader.example',
    newsletters: 'le-matin',
    basis: '',
  })
  expect(asked.headers.get('location')).toBe('/desk/subscribers?notice=subscriber-asked')
  const state = () =>
    rowsOf(
      web,
      `select s.state, s.paused_until is not null as rests, p.language from subscriptions s join subscribers p on p.id = s.subscriber_id where p.address = $1`,
      [amina],
    )
  await desk.post(`${path}/subscription`, { newsletter: 'le-matin', act: '30' })
  await desk.post(`${path}/language`, { language: 'fr' })
  expect(await state()).toEqual([{ state: 'active', rests: true, language: 'fr' }])
  await desk.post(`${path}/subscription`, { newsletter: 'le-matin', act: 'end' })
  expect(await state()).toEqual([{ state: 'ended', rests: false, language: 'fr' }])
  const data = await desk.get(`${path}/data`)
  expect([data.headers.get('content-disposition'), ((await data.json()) as { email: string }).email]).toEqual(
    ['attachment; filename=depeche.json', amina],
  )
  expect((await desk.post(`${path}/erase`, {})).status).toBe(422)
  expect((await desk.post(`${path}/erase`, { sure: 'yes' })).status).toBe(303)
  expect(await state()).toEqual([])
  expect(await (await desk.get(path)).text()).not.toContain('/erase')
})

test('whoever said that they had asked for nothing comes back neither by being added nor by an import', async () => {
  const { web, admin } = await aNewsroom()
  const { activations, signupDecisions } = web.context.services
  const row = 'email,status\namina+news@reader.example,\n'
  await importCsv(web, row)
  await signupDecisions.decideAll()
  const [request] = await rowsOf<{ id: string }>(web, 'select id from activations')
  await activations.refuse(request?.id ?? '')
  const wanted = { newsletters: ['le-matin'], basis }
  expect(await codeOf(await admin('POST', '/subscribers', { ...wanted, email: amina }))).toEqual([
    409,
    'subscriber_left',
  ])
  for (const wish of [{ isDryRun: true, basis }, { basis }, {}])
    expect(await importCsv(web, row, wish)).toMatchObject({ active: 0, pending: 0, left: 1 })
  expect(await rowsOf(web, 'select address from subscribers')).toEqual([])
  // Another system's goodbye is kept all the same.
  expect(await importCsv(web, row.replace(',\n', ',Unsubscribed\n'))).toMatchObject({ ended: 1 })
})
