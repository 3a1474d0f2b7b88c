import { request } from 'node:http'
import { expect, test } from 'vitest'
import { postCsv, uploadCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { runSql } from '../support/sql.ts'
import { aWeb } from '../support/web.ts'

const csv = 'email,consent_date,consent_source\na@reader.example,2019-03-04,fair\n'

async function aNewsroom() {
  const web = await aWeb()
  await aNewsletter(web.context.database, { slug: 'le-matin' })
  return { web, databaseUrl: web.context.config.databaseUrl }
}

test('an upload is answered with where to look; under one key it is one import, and another body is refused', async () => {
  const { web } = await aNewsroom()
  const api = await web.api('editor')
  const send = (body: string) =>
    api('POST', '/subscribers/import', body, { 'content-type': 'text/csv', 'idempotency-key': 'moving-day' })
  const first = await send(csv)
  expect([first.status, first.headers.get('location'), await first.json()]).toEqual([
    202,
    '/api/v1/imports/1',
    { id: 1 },
  ])
  expect(await (await send(csv)).json()).toEqual({ id: 1 })
  expect(await (await send(`${csv}b@reader.example,,\n`)).json()).toMatchObject({
    code: 'idempotency_key_reused',
  })
  expect(await rowsOf(web, 'select distinct import_id::int as id from import_pieces')).toEqual([{ id: 1 }])
  expect(await (await api('GET', '/imports')).json()).toMatchObject({
    data: [{ id: 1, state: 'waiting', progress: { rows: 0, total: 2 } }],
    next: null,
  })
  expect(await (await api('GET', '/imports/99')).json()).toMatchObject({ code: 'no_import' })
})

test('an upload that is announced as too large is refused before it is sent', async () => {
  const { web } = await aNewsroom()
  const { key } = await web.context.services.keys.create(
    { name: 'k', role: 'admin' },
    { kind: 'cli', role: 'admin' },
  )
  const status = await new Promise((resolve) => {
    const sent = request(`${web.origin}/api/v1/subscribers/import`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-length': String(300 * 1024 * 1024) },
    })
    sent.on('error', () => undefined)
    sent.on('response', (answer) => {
      resolve(answer.statusCode)
      sent.destroy()
    })
    sent.write('email\n')
  })
  expect(status).toBe(413)
  expect(await rowsOf(web, 'select 1 from imports')).toEqual([])
})

test('the audit row is written first, and the date, basis and source of consent are shown by the API', async () => {
  const { web } = await aNewsroom()
  const basis = 'moved from our old system'
  await uploadCsv(web, csv, { basis })
  expect(await rowsOf(web, "select action, subject, detail from audit where subject <> ''")).toEqual([
    { action: 'subscribers.import', subject: 'import:1', detail: { dryRun: false, basis } },
  ])
  await web.context.services.imports.work(1)
  const api = await web.api('admin')
  const [row] = await rowsOf<{ id: number }>(web, 'select id::int from subscribers')
  expect(await (await api('GET', `/subscribers/${row?.id ?? 0}`)).json()).toMatchObject({
    consents: [
      { event: 'imported', givenAt: '2019-03-04T00:00:00.000Z', basis, source: 'fair', method: 'import' },
    ],
  })
  const digest = (await (
    await api('POST', '/newsletters/le-matin/digests', { cadence: 'daily' })
  ).json()) as { id: number }
  expect(
    await (await api('GET', `/subscribers/${row?.id ?? 0}/explain?digest=${digest.id}`)).json(),
  ).toMatchObject({
    consent: { date: '2019-03-04T00:00:00.000Z', basis, source: 'fair', method: 'import' },
  })
})

test('a worker that was taken for dead commits nothing more, and imports go one after the other', async () => {
  const { web, databaseUrl } = await aNewsroom()
  const { stores } = web.context.database
  const first = await uploadCsv(web, csv)
  const second = await uploadCsv(web, csv)
  expect(await stores.imports.claim(second, 60)).toBeUndefined()
  const held = await stores.imports.claim(first, 60)
  if (!held) throw new Error('nobody else has it')
  expect(await stores.imports.claim(first, 60)).toBeUndefined()
  await runSql(databaseUrl, "update imports set lease_until = now() - interval '1 second'")
  await web.context.services.imports.work(first)
  const progress = { rowsRead: 1, report: {}, problems: [] }
  expect(await stores.imports.markProgress(held, 60, progress)).toBe(false)
  expect(await stores.imports.markEnded(held, 'done')).toBe(false)
  expect((await postCsv(web, csv)).state).toBe('waiting')
  for (const id of [second, 3]) await web.context.services.imports.work(id)
  expect(await rowsOf(web, "select count(*)::int as n from imports where state = 'done'")).toEqual([{ n: 3 }])
})

test('an import that fails again and again is given up; what nobody works on is forgotten, and old reports are', async () => {
  const { web, databaseUrl } = await aNewsroom()
  const { imports } = web.context.services
  const broken = await uploadCsv(web, csv)
  await runSql(databaseUrl, 'update imports set attempts = 5')
  await imports.work(broken)
  expect(await imports.get(broken)).toMatchObject({ state: 'failed', report: { rows: 0 } })
  const unworked = await uploadCsv(web, csv)
  await runSql(
    databaseUrl,
    `update imports set created_at = now() - interval '6 days' where id = ${unworked}`,
  )
  await imports.purge()
  expect(await rowsOf(web, 'select id::int from imports order by id')).toEqual([
    { id: broken },
    { id: unworked },
  ])
  await runSql(databaseUrl, "update imports set created_at = now() - interval '8 days'")
  await imports.purge()
  expect(await rowsOf(web, 'select id::int from imports')).toEqual([{ id: broken }])
  await runSql(databaseUrl, "update imports set created_at = now() - interval '91 days'")
  await imports.purge()
  expect(await rowsOf(web, 'select 1 from imports union all select 1 from import_pieces')).toEqual([])
})
