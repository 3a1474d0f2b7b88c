import { request } from 'node:http'
import { expect, test } from 'vitest'
import { signedIn, type DeskClient } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { until } from '../support/until.ts'
import { aWeb, type Web } from '../support/web.ts'

async function aDesk(role: 'admin' | 'editor' | 'viewer' = 'admin') {
  const web = await aWeb()
  await aNewsletter(web.context.database, { slug: 'le-matin', name: 'Le Matin' })
  return { web, desk: await signedIn(web, role) }
}

/** As a browser sends the form, without a script. */
function send(web: Web, desk: DeskClient, csv: string | undefined, fields: Record<string, string> = {}) {
  const form = new FormData()
  for (const [name, value] of Object.entries({ csrf: desk.csrf, basis: '', ...fields }))
    form.append(name, value)
  if (csv !== undefined) form.append('file', new Blob([csv]), 'abonnés.csv')
  return web.fetch('/desk/imports', {
    method: 'POST',
    headers: { cookie: desk.cookie, accept: 'text/html' },
    body: form,
  })
}

const csv =
  'Adresse e-mail;Prénom;Statut\na@reader.example;A;Abonné\nb@reader.example;B;Désabonné\nc@reader.example;C;VIP\n'

test('an import on the desk: tried, then done, with what became of each row, in the editor’s language', async () => {
  const { web, desk } = await aDesk()
  const { imports } = web.context.services
  const tried = await send(web, desk, csv, { basis: 'ancien WordPress', trial: '1' })
  expect([tried.status, tried.headers.get('location')]).toEqual([303, '/desk/imports/1'])
  const waiting = await (await desk.get('/imports/1')).text()
  expect(waiting).toContain('Aucun processus d’envoi ne tourne')
  await imports.work(1)
  const trial = await (await desk.get('/imports/1')).text()
  for (const text of [
    'Essai 1',
    'rien n’a été changé',
    'Prénom',
    'Le Matin',
    'Désabonné',
    'qui n’est pas un état connu ici',
  ])
    expect(trial).toContain(text)
  expect(trial).not.toContain('data-reload')
  expect(await rowsOf(web, 'select id from subscribers')).toEqual([])
  await send(web, desk, csv, { basis: 'ancien WordPress' })
  await imports.work(2)
  expect(await rowsOf(web, 'select state from subscriptions order by subscriber_id')).toEqual([
    { state: 'active' },
    { state: 'ended' },
  ])
  expect(await rowsOf(web, 'select actor from audit where subject = $1 order by id', ['import:2'])).toEqual([
    { actor: `editor:${desk.editorId}` },
    { actor: `editor:${desk.editorId}` },
  ])
  expect(await (await desk.get('/imports')).text()).toContain('Import 2</a> · ')
})

test('a file that is none, no file, too short a basis: said at its field, what was typed stays, nothing is kept', async () => {
  const { web, desk } = await aDesk()
  for (const [file, fields, text] of [
    ['PK\x03\x04workbook', { basis: 'ancien site' }, 'Enregistrer sous'],
    ['nom\nAmina\n', { basis: 'ancien site' }, 'pas de colonne d’adresses'],
    [undefined, { basis: 'ancien site' }, 'Choisissez un fichier'],
    [csv, { basis: 'a' }, '3 à 500 caractères'],
  ] as const) {
    const answer = await send(web, desk, file, fields)
    const page = await answer.text()
    expect([text, answer.status]).toEqual([text, 422])
    expect(page).toContain(text)
    expect(page).toContain(`value="${fields.basis}"`)
  }
  expect(await rowsOf(web, 'select id from imports')).toEqual([])
  expect(await rowsOf(web, 'select import_id from import_pieces')).toEqual([])
})

test('an upload needs the form’s token, the role editor, and an admin for a basis', async () => {
  const { web, desk } = await aDesk('editor')
  expect((await send(web, desk, csv, { csrf: 'x' })).status).toBe(403)
  expect((await send(web, desk, csv, { basis: 'ancien WordPress' })).status).toBe(403)
  expect((await send(web, await signedIn(web, 'viewer'), csv)).status).toBe(403)
  expect(await (await desk.get('/imports')).text()).not.toContain('name="basis"')
  expect(await rowsOf(web, 'select id from imports')).toEqual([])
  expect((await send(web, desk, csv)).status).toBe(303)
})

test.each([
  { by: 'API', path: '/api/v1/subscribers/import' },
  { by: 'desk', path: '/desk/imports' },
])('an upload that breaks off leaves nothing: $by', async ({ path }) => {
  const { web, desk } = await aDesk()
  const { key } = await web.context.services.keys.create(
    { name: 'k', role: 'admin' },
    { kind: 'cli', role: 'admin' },
  )
  const isDesk = path.startsWith('/desk')
  const part = (name: string, more: string) =>
    `--b\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n`
  const sent = request(`${web.origin}${path}`, {
    method: 'POST',
    headers: {
      'content-length': '9000000',
      cookie: desk.cookie,
      authorization: `Bearer ${key}`,
      'content-type': isDesk ? 'multipart/form-data; boundary=b' : 'text/csv',
    },
  })
  sent.on('error', () => undefined)
  if (isDesk) sent.write(`${part('csrf', '')}${desk.csrf}\r\n${part('file', '; filename="a.csv"')}`)
  sent.write(`email\n${'a@reader.example\n'.repeat(40_000)}`)
  await until('pieces are kept', async () => (await rowsOf(web, 'select 1 from import_pieces')).length > 0)
  sent.destroy()
  await until('it is forgotten', async () => (await rowsOf(web, 'select 1 from imports')).length === 0)
  expect(await rowsOf(web, 'select 1 from import_pieces')).toEqual([])
  expect(await rowsOf(web, "select 1 from audit where action like 'subscribers.%'")).toEqual([])
})

test('a dry run shows the columns, another says what they are for, and the import takes the same file', async () => {
  const { web, desk } = await aDesk()
  const { imports, subscribers } = web.context.services
  const strange = 'Contact;Quoi;Email\nx@reader.example;Abonné;nul\ny@reader.example;Parti;nul\n'
  await send(web, desk, 'Contact;Quoi\nx@reader.example;Abonné\ny@reader.example;Parti\n', { trial: '1' })
  await imports.work(1)
  // Nobody knows the name of the column, and an address stands below it.
  expect((await imports.get(1)).report).toMatchObject({ pending: 2, invalid: 0, ignoredColumns: ['Quoi'] })
  await send(web, desk, strange, { trial: '1' })
  await imports.work(2)
  expect((await imports.get(2)).report).toMatchObject({ pending: 0, invalid: 2 })
  const page = await (await desk.get('/imports/2')).text()
  expect(page).toMatch(/<bdi>Email<\/bdi> <select name="use">.*?value="email" selected/)
  const pairs = (more: [string, string][], uses = ['email', 'status', 'ignored']): [string, string][] => [
    ...uses.map((use): [string, string] => ['use', use]),
    ...more,
  ]
  const faulty = await desk.post('/imports/2', pairs([['basis', 'x']]))
  expect([faulty.status, (await faulty.text()).includes('3 à 500 caractères')]).toEqual([422, true])
  const tried = await desk.post('/imports/2', pairs([['trial', '1']]))
  expect(tried.headers.get('location')).toBe('/desk/imports/3')
  await imports.work(3)
  expect(await rowsOf(web, 'select id from subscribers')).toEqual([])
  expect(await (await desk.get('/imports/2')).text()).not.toContain('name="use"')
  await desk.post('/imports/3', pairs([['basis', 'ancien site']]))
  await imports.work(4)
  expect((await imports.get(4)).report).toMatchObject({ active: 1, ended: 1, invalid: 0 })
  expect(await rowsOf(web, 'select import_id from import_pieces where import_id > 1')).toEqual([])
  const api = await web.api('editor')
  const gone = await api('POST', '/imports/3/again', { columns: { Contact: 'email' } })
  expect([gone.status, await gone.json()]).toMatchObject([409, { code: 'no_upload' }])
  const again = await api('POST', '/imports/1/again', { dryRun: true, columns: { Contact: 'email' } })
  expect([again.status, await again.json()]).toEqual([202, { id: expect.any(Number) as number }])
  const csvOut = await (await desk.get('/subscribers/export')).text()
  expect(csvOut).toContain('x@reader.example')
  expect((await (await signedIn(web, 'editor')).get('/subscribers/export')).status).toBe(403)
  expect(await subscribers.count({ text: '', newsletter: undefined, state: undefined })).toBe(2)
})
