import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { signedIn } from '../support/desk.ts'
import { aNameServer } from '../support/dns-server.ts'
import { postCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { activationPath } from '../support/readers.ts'
import { aSubscriber, subscribe } from '../support/subscribers.ts'
import { runSql } from '../support/sql.ts'
import { aWeb } from '../support/web.ts'

const base = '?consentBasis=moved%20from%20our%20old%20system'

async function aDesk() {
  const web = await aWeb()
  const newsletter = await aNewsletter(web.context.database, { slug: 'le-matin' })
  return { web, newsletter }
}

test('CSV import: a dry run reports, and changes nothing', async () => {
  const { web } = await aDesk()
  const csv = 'email\na@reader.example\nnot-an-address\nb@reader.example\n'
  expect(await postCsv(web, csv, '?dryRun=true')).toMatchObject({
    state: 'done',
    dryRun: true,
    progress: { rows: 3, total: 3 },
    report: {
      rows: 3,
      pending: 2,
      invalid: 1,
      errors: [{ line: 3, field: 'email', message: 'email is not one e-mail address' }],
    },
  })
  expect(await rowsOf(web, 'select id from subscribers')).toEqual([])
})

test('CSV import: pending without a basis, paced; again, everybody is known', async () => {
  const { web } = await aDesk()
  const csv = '\ufeffEmail,language,newsletters\r\na@reader.example,ar,le-matin\r\n"b@reader.example",fr,\r\n'
  expect(await postCsv(web, csv)).toMatchObject({ report: { rows: 2, pending: 2, active: 0 } })
  expect(await postCsv(web, csv)).toMatchObject({ report: { rows: 2, pending: 0, known: 2 } })
  const [wait] = await rowsOf<{ ms: number }>(
    web,
    'select (extract(epoch from max(decide_at) - min(decide_at)) * 1000)::int as ms from activations',
  )
  expect(wait).toEqual({ ms: 3_000 })
})

test('CSV import: nobody who left, bounced, complained or was erased comes back, even with a basis', async () => {
  const { web, newsletter } = await aDesk()
  const { database } = web.context
  await aSubscriber(database, { address: 'left@reader.example', newsletter, ended: 'unsubscribed' })
  const api = await web.api('admin')
  await api('POST', '/suppressions', { email: 'barred@reader.example' })
  const csv = 'email\nleft@reader.example\nbarred@reader.example\nnew@reader.example\n'
  expect(await postCsv(web, csv, base)).toMatchObject({ report: { left: 1, suppressed: 1, active: 1 } })
  expect(
    await rowsOf(
      web,
      "select address from subscriptions join subscribers on id = subscriber_id where state = 'active'",
    ),
  ).toEqual([{ address: 'new@reader.example' }])
  expect(await rowsOf(web, "select basis from consents where event = 'imported'")).toEqual([
    { basis: 'moved from our old system' },
  ])
  expect(
    await rowsOf(web, "select detail->>'basis' as basis from audit where action = 'subscribers.import'"),
  ).toEqual([{ basis: 'moved from our old system' }])
})

test('CSV import: a basis needs an admin, a header needs an email, a broken file says so', async () => {
  const { web } = await aDesk()
  expect(await postCsv(web, 'email\n', base, 'editor')).toMatchObject({
    code: 'basis_needs_admin',
  })
  expect(await postCsv(web, 'name\nx\n')).toMatchObject({ code: 'csv_header' })
  expect(await postCsv(web, `email\na@reader.example\n"${'x'.repeat(200_000)}`)).toMatchObject({
    report: {
      pending: 1,
      errors: [{ line: 3, message: expect.stringContaining('CSV_MAX_RECORD_SIZE') as string }],
    },
  })
})

test('export is a CSV that an import takes and a spreadsheet does not run', async () => {
  const { web, newsletter } = await aDesk()
  await aSubscriber(web.context.database, { address: '=cmd|x@reader.example', newsletter })
  const { id } = await aSubscriber(web.context.database, { address: 'a@reader.example' })
  await subscribe(web.context.database, id, { newsletter, ended: 'unsubscribed' })
  const api = await web.api('admin')
  const lines = (await (await api('GET', '/subscribers/export')).text()).split('\n')
  expect(lines[0]).toBe(
    'email,language,newsletters,sections,cadence,alerts,status,state_reason,consent_date,paused_until,suppressed,consent_source,consent_basis',
  )
  expect(lines[1]).toMatch(/^'=cmd\|x@reader\.example,fr,le-matin,,daily,false,active,,/)
  expect(lines[2]).toMatch(/^a@reader\.example,fr,le-matin,,daily,false,ended,unsubscribed,/)
  expect((await (await web.api('viewer'))('GET', '/subscribers/export')).status).toBe(403)
})

test('subscribers are listed, found by a part of the address, and read', async () => {
  const { web, newsletter } = await aDesk()
  const { id } = await aSubscriber(web.context.database, { address: 'Amina.B@reader.example', newsletter })
  await aSubscriber(web.context.database)
  const api = await web.api('viewer')
  const found = (await (await api('GET', '/subscribers?q=amina.b')).json()) as {
    data: unknown[]
    next: unknown
  }
  expect(found).toMatchObject({ data: [{ id, email: 'Amina.B@reader.example' }], next: null })
  expect(await (await api('GET', `/subscribers/${id}`)).json()).toEqual({
    id,
    email: 'Amina.B@reader.example',
    language: 'fr',
    subscriptions: [
      {
        newsletter: 'le-matin',
        state: 'active',
        cadence: 'daily',
        alerts: false,
        sections: [],
        pausedUntil: null,
      },
    ],
    suppressed: false,
    consents: [],
  })
  const first = (await (await api('GET', '/subscribers?limit=1')).json()) as { next: string }
  expect(await (await api('GET', `/subscribers?limit=1&cursor=${first.next}`)).json()).toMatchObject({
    data: [{ id }],
    next: null,
  })
})

test('a suppression ends what the address receives, is listed without it, and is lifted by an admin', async () => {
  const { web, newsletter } = await aDesk()
  const { id } = await aSubscriber(web.context.database, { address: 'a@reader.example', newsletter })
  const api = await web.api('admin')
  expect(
    (await api('POST', '/suppressions', { email: 'a@reader.example', detail: 'by letter' })).status,
  ).toBe(201)
  const list = await (await api('GET', '/suppressions')).text()
  expect(list).toContain('by letter')
  expect(list).not.toContain('reader.example')
  expect(await (await api('GET', `/subscribers/${id}`)).json()).toMatchObject({
    suppressed: true,
    subscriptions: [{ state: 'ended' }],
  })
  expect((await api('DELETE', '/suppressions', { email: 'a@reader.example' })).status).toBe(204)
  expect((await api('DELETE', '/suppressions', { email: 'a@reader.example' })).status).toBe(404)
})

test('a newsroom’s backend signs readers up under the same rules', async () => {
  const { web } = await aDesk()
  const api = await web.api('editor')
  const body = { email: 'a@reader.example', newsletters: ['le-matin'], ip: '2001:db8::1', language: 'ar' }
  const answer = await api('POST', '/subscriptions', body)
  expect([answer.status, await answer.json()]).toEqual([202, { status: 'check-your-inbox' }])
  expect(await rowsOf(web, 'select ip_prefix, form from consents')).toEqual([
    { ip_prefix: '2001:db8::/48', form: 'api' },
  ])
  expect((await api('POST', '/subscriptions', { ...body, ip: 'x' })).status).toBe(422)
  expect((await api('POST', '/subscriptions', { ...body, email: 'x' })).status).toBe(422)
})

test('the hook of the guide for WordPress sends what a signup needs, and takes its answer for one', async () => {
  const { web } = await aDesk()
  const [, php = ''] = /```php\n(.+?)\n```/s.exec(readFileSync('docs/wordpress.md', 'utf8')) ?? []
  const [, path = ''] = /'https:\/\/depeche\.example\.org\/api\/v1([^']+)'/.exec(php) ?? []
  const [, fields = ''] = /wp_json_encode\(\[(.+?)\n {8}\]\)/s.exec(php) ?? []
  const values: Record<string, unknown> = {
    $email: 'a@reader.example',
    '[$newsletter]': ['le-matin'],
    $language: 'fr',
    "$_SERVER['REMOTE_ADDR']": '203.0.113.9',
  }
  const body = Object.fromEntries(
    [...fields.matchAll(/'(\w+)' => (.+),/g)].map(([, name = '', value = '']) => [name, values[value]]),
  )
  expect(Object.values(body).sort()).toEqual(Object.values(values).sort())
  const answer = await (await web.api('editor'))('POST', path, body)
  expect(php).toContain(`=== ${answer.status};`)
  await web.context.services.signupDecisions.decideAll()
  expect(await activationPath(web, 'a@reader.example')).toMatch(/^\/activate\//)
})

test('suppressions of one instant are each on one page, and on one alone', async () => {
  const web = await aWeb()
  const api = await web.api('admin')
  for (let n = 0; n < 5; n++) await api('POST', '/suppressions', { email: `barred-${n}@reader.example` })
  await runSql(web.context.config.databaseUrl, "update suppressions set created_at = '2026-03-14T10:00:00Z'")
  const seen: number[] = []
  let cursor = ''
  for (let page = 0; page < 3; page++) {
    const answer = await api('GET', `/suppressions?limit=2${cursor}`)
    const { data, next } = (await answer.json()) as { data: { id: number }[]; next: string | null }
    seen.push(...data.map(({ id }) => id))
    cursor = next === null ? '' : `&cursor=${next}`
  }
  expect(cursor).toBe('')
  expect(new Set(seen).size).toBe(5)
  expect(seen).toHaveLength(5)
})

test('the desk is told of an address whose domain takes no mail, and of no other', async () => {
  const { resolver } = await aNameServer({ 'journal.fr MX': 'mx.journal.fr' }, ['panne.fr'])
  const web = await aWeb({ dns: resolver })
  const viewer = await signedIn(web, 'viewer')
  const page = async (address: string) => {
    const { id } = await aSubscriber(web.context.database, { address })
    return (await viewer.get(`/subscribers/${id}`)).text()
  }
  expect(await page('amina@jornal.fr')).toContain('D’après le DNS, jornal.fr ne reçoit pas de courrier')
  for (const address of ['amina@journal.fr', 'amina@panne.fr', 'amina@reader.example'])
    expect(await page(address)).not.toContain('DNS')
})
