import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { expect, test } from 'vitest'
import type { Actor } from '../../src/domain/editor.ts'
import { rowsOf } from '../support/query.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { until } from '../support/until.ts'
import { aWeb, type Web } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

/** The key that the desk shows once. */
async function aKeyOf(desk: { post: Awaited<ReturnType<typeof signedIn>>['post'] }, role: string) {
  const page = await (await desk.post('/settings/keys', { name: 'CMS', role, lifetimeDays: '90' })).text()
  return /depeche_[\w-]{43}/.exec(page)?.[0] ?? ''
}

const withKey =
  (web: Web, key: string) =>
  (path: string, method = 'GET', body?: unknown) =>
    web.fetch(`/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })

test('a key may do what its maker may, ends with them, and manages nobody', async () => {
  const web = await aWeb()
  const { editors } = web.context.services
  await editors.add({ email: 'chief@rivage.example', role: 'admin' }, cli)
  const desk = await signedIn(web, 'admin')
  const call = withKey(web, await aKeyOf(desk, 'admin'))
  const child = (await (
    await call('/keys', 'POST', { name: 'child', role: 'admin', expiresAt: null })
  ).json()) as {
    key: string
    expiresAt: string
  }
  const { data } = (await (await call('/keys')).json()) as { data: { maker: string; expiresAt: string }[] }
  expect(data.map(({ maker }) => maker.slice(0, 6))).toEqual(['admin-', 'admin-'])
  expect(child.expiresAt).toBe(data[0]?.expiresAt)

  const again = { email: 'again@rivage.example', role: 'admin' }
  for (const [path, method, body] of [
    ['/editors', 'POST', again],
    [`/editors/${desk.editorId}`, 'PATCH', { role: 'admin' }],
    [`/editors/${desk.editorId}`, 'DELETE', undefined],
  ] as const) {
    const refused = await call(path, method, body)
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'needs_person'])
  }

  await editors.changeRole(desk.editorId, 'viewer', cli)
  expect((await call('/newsletters')).status).toBe(200)
  expect((await call('/keys')).status).toBe(403)
  await editors.remove(desk.editorId, cli)
  expect((await call('/newsletters')).status).toBe(401)
  expect((await withKey(web, child.key)('/newsletters')).status).toBe(401)
  expect(await web.context.services.keys.list()).toEqual([])
})

test('a key that nobody gave an end lives for a year; the desk shows its maker and its end', async () => {
  const web = await aWeb({ now: () => new Date('2026-03-01T12:00:00Z') })
  const { record } = await web.context.services.keys.create({ name: 'k', role: 'viewer' }, cli)
  expect(record.expiresAt).toEqual(new Date('2027-03-01T12:00:00Z'))
  const forEver = await web.context.services.keys.create({ name: 'k', role: 'viewer', lifetimeDays: 0 }, cli)
  expect(forEver.record.expiresAt).toBeNull()
})

test('who an approval stops does not weaken it, nor set a sender; the audit tells old and new', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database, { slug: 'le-matin', approval: 'four-eyes' })
  const desk = await signedIn(web, 'editor')
  const call = await web.api('editor')
  for (const change of [
    { approval: 'none' },
    { approval: 'one' },
    { from: 'Le Matin <matin@rivage.example>' },
  ]) {
    const refused = await call('PATCH', '/newsletters/le-matin', change)
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'needs_admin'])
  }
  const form = await (await desk.get('/newsletters/le-matin')).text()
  expect(form).toMatch(/<select name="approval" disabled>/)
  expect(form).toMatch(/<input name="from" disabled/)
  const posted = await desk.post('/newsletters/le-matin', [
    ...Object.entries({ name: 'Le Matin', language: 'fr', minArticles: '1', maxArticles: '5' }),
    ...Object.entries({
      repeats: 'never',
      template: 'digest',
      cadences: 'daily',
      zone: 'UTC',
      approval: 'none',
    }),
  ])
  expect(posted.status).toBe(422)
  expect((await web.context.services.newsletters.get('le-matin')).approval).toBe('four-eyes')

  const admin = await web.api('admin')
  expect((await admin('PATCH', '/newsletters/le-matin', { approval: 'one', maxArticles: 7 })).status).toBe(
    200,
  )
  const [entry] = (await web.context.services.audit.list({ limit: 1, after: undefined })).data
  expect(entry?.detail).toEqual({ approval: 'four-eyes → one', maxArticles: '12 → 7' })
})

test.each([
  ['fr', 'adresses de tous les abonnés'],
  ['ar', 'عناوين جميع المشتركين'],
  ['en', 'addresses of all subscribers'],
])('who gives a role reads there that a viewer sees every address, in %s', async (language, words) => {
  const web = await aWeb()
  const desk = await signedIn(web, 'admin')
  await web.context.services.editors.changeLanguage(desk.editorId, language)
  const page = await (await desk.get('/settings')).text()
  expect(page.slice(page.indexOf('action="/desk/settings/editors"') - 3_000)).toContain(words)
})

test('of two changes at once the later one knows the earlier: no rule goes back, and an admin stays', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const { id } = await aNewsletter(database, { slug: 'le-matin', approval: 'none' })
  const [one, other] = await Promise.all(
    ['one', 'other'].map((name) =>
      services.editors.add({ email: `${name}@rivage.example`, role: 'admin' }, cli),
    ),
  )
  const waiting = (n: number) =>
    until(
      `${n} changes wait`,
      async () =>
        (
          await rowsOf(
            web,
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
        ).length === n,
    )
  const later = await database.transaction(async (stores) => {
    const { id: _i, createdAt: _c, updatedAt: _u, ...kept } = await stores.newsletters.get(id)
    await stores.newsletters.update(id, { ...kept, approval: 'four-eyes' })
    await stores.publication.update({ ...(await stores.publication.get()), links: 'canonical' })
    await stores.editors.update(one?.id ?? 0, { role: 'viewer' })
    const changes = Promise.allSettled([
      services.newsletters.change('le-matin', { maxArticles: 7 }, { kind: 'editor', id: 1, role: 'editor' }),
      services.publication.set({ name: 'La Rive' }, cli),
      services.editors.remove(other?.id ?? 0, cli),
    ])
    await waiting(3)
    return { changes }
  })
  const outcomes = await later.changes
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect(outcomes[2]).toMatchObject({ reason: { code: 'last_admin' } })
  expect(await services.newsletters.get('le-matin')).toMatchObject({ approval: 'four-eyes', maxArticles: 7 })
  expect(await database.stores.publication.get()).toMatchObject({ name: 'La Rive', links: 'canonical' })
  const { data } = await services.audit.list({ limit: 2, after: undefined })
  expect(data.map(({ detail }) => detail)).toContainEqual({ maxArticles: '12 → 7' })
})

test('keys that were made with a key before their maker was kept get the maker from the log', async () => {
  const web = await aWeb()
  const { editors, keys } = web.context.services
  const maker = await editors.add({ email: 'chief@rivage.example', role: 'admin' }, cli)
  const make = async (actor: Parameters<typeof keys.create>[1]) =>
    (await keys.create({ name: 'k', role: 'admin' }, actor)).record.id
  const first = await make({ kind: 'editor', id: maker.id, role: 'admin' })
  const child = await make({ kind: 'key', id: first, role: 'admin' })
  const grandchild = await make({ kind: 'key', id: child, role: 'admin' })
  const ofTheMachine = await make(cli)
  await rowsOf(web, 'update api_keys set created_by = null where id <> $1', [first])
  await rowsOf(web, await readFile('src/store/migrations/0018_key_makers.sql', 'utf8'))
  expect((await keys.list()).map(({ id, maker }) => [id, maker])).toEqual([
    [first, maker.email],
    [child, maker.email],
    [grandchild, maker.email],
    [ofTheMachine, null],
  ])
})

test('who asks for a link to the desk is answered before anybody is looked for: no clock tells who works here', async () => {
  const web = await aWeb()
  await web.context.services.editors.add({ email: 'nadia@rivage.example', role: 'editor' }, cli)
  const ask = async (email: string) => {
    const answer = await web.fetch('/desk/sign-in', { method: 'POST', body: new URLSearchParams({ email }) })
    return [answer.status, await answer.text()]
  }
  const client = new pg.Client({ connectionString: web.context.config.databaseUrl })
  await client.connect()
  await client.query('begin; lock table editors in access exclusive mode')
  try {
    expect(await ask('nadia@rivage.example')).toEqual(await ask('nobody@rivage.example'))
  } finally {
    await client.end()
  }
  // What was begun after the answers ends before the database goes.
  await until(
    'the mail',
    async () => (await rowsOf(web, `select from outbox where kind = 'sign-in'`)).length === 1,
  )
})

test('whoever asks for links in an editor’s name causes one mail, and keeps nobody out', async () => {
  let now = new Date('2026-03-01T12:00:10Z')
  const web = await aWeb({ now: () => now })
  const { context } = web
  const editor = await context.services.editors.add({ email: 'nadia@rivage.example', role: 'editor' }, cli)
  const ask = (email: string) =>
    web.fetch('/desk/sign-in', { method: 'POST', body: new URLSearchParams({ email }) })
  const mails = (n: number) =>
    until(
      `${n} mails`,
      async () => (await rowsOf(web, `select from outbox where kind = 'sign-in'`)).length === n,
    )

  await Promise.all(Array.from({ length: 12 }, () => ask('nadia@rivage.example')))
  await mails(1)
  const link = new URL(await context.services.signIn.createLinkFor(editor.id)).pathname
  // Used: who asks from another browser gets a new one at once.
  expect((await web.fetch(link, { method: 'POST' })).status).toBe(303)
  await ask('nadia@rivage.example')
  await mails(2)
  now = new Date('2026-03-01T12:10:10Z')
  await ask('nadia@rivage.example')
  await mails(3)

  const answers = await Promise.all(Array.from({ length: 30 }, () => ask('nobody@elsewhere.example')))
  expect(answers.filter(({ status }) => status === 429).length).toBe(14)
})

test('a key whose end has passed is not made', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  const key = { name: 'CMS', role: 'editor' }
  const refused = await call('POST', '/keys', { ...key, expiresAt: '2020-01-01T00:00:00Z' })
  expect([refused.status, await refused.json()]).toEqual([
    422,
    expect.objectContaining({
      code: 'expires_at_past',
      errors: [{ field: 'expiresAt', message: 'must be in the future' }],
    }),
  ])
  expect((await web.context.services.keys.list()).map(({ name }) => name)).not.toContain('CMS')
  const soon = new Date(Date.now() + 60_000).toISOString()
  expect((await call('POST', '/keys', { ...key, expiresAt: soon })).status).toBe(201)
})

test('a key that is revoked takes along what was made with it, told in the log one by one', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  const make = async (by: typeof call, name: string) => {
    const { id, key } = (await (await by('POST', '/keys', { name, role: 'admin' })).json()) as {
      id: number
      key: string
    }
    const use = withKey(web, key)
    return { id, call: (method: string, path: string, body?: unknown) => use(path, method, body) }
  }
  const leaked = await make(call, 'leaked')
  const child = await make(leaked.call, 'child')
  const grandchild = await make(child.call, 'grandchild')
  const other = await make(call, 'other')
  // As an older version did it: this key alone.
  await rowsOf(web, 'update api_keys set revoked_at = now() where id = $1', [child.id])

  expect((await other.call('DELETE', `/keys/${leaked.id}`)).status).toBe(204)
  for (const one of [leaked, child, grandchild])
    expect((await one.call('GET', '/newsletters')).status).toBe(401)
  expect((await other.call('GET', '/newsletters')).status).toBe(200)
  const { data } = (await (await call('GET', '/audit?action=key.revoked')).json()) as {
    data: { subject: string }[]
  }
  expect(data.map(({ subject }) => subject).sort()).toEqual([`key:${leaked.id}`, `key:${grandchild.id}`])
  expect((await other.call('DELETE', `/keys/${leaked.id}`)).status).toBe(404)
})

test('a key that the desk revokes takes along the invitations that were sent with it, and no others', async () => {
  const web = await aWeb()
  const { keys, invitations } = web.context.services
  const invite = async (email: string, actor: Actor) =>
    (await invitations.invite({ email, role: 'editor' }, actor)).id
  const { record } = await keys.create({ name: 'leaked', role: 'admin' }, cli)
  const theirs = await invite('elsewhere@rivage.example', { kind: 'key', id: record.id, role: 'admin' })
  const ours = await invite('lina@rivage.example', cli)
  await keys.revoke(record.id, cli)
  expect((await invitations.list()).map(({ id }) => id)).toEqual([ours])
  const [withdrawn] = await rowsOf(web, "select subject from audit where action = 'invitation.withdrawn'")
  expect(withdrawn).toEqual({ subject: `invitation:${theirs}` })
})

test('a program that changes its key keeps the new one, whichever of the two revokes the old', async () => {
  const web = await aWeb()
  const { keys } = web.context.services
  const by = (id: number) => ({ kind: 'key', id, role: 'admin' }) as const
  const names = async () => (await keys.list()).map(({ name }) => name).sort()
  const { record: first } = await keys.create({ name: 'first', role: 'admin' }, cli)
  const { record: second } = await keys.create({ name: 'second', role: 'admin' }, by(first.id))
  await keys.create({ name: 'of the first', role: 'admin' }, by(first.id))
  await keys.revoke(first.id, by(second.id))
  expect(await names()).toEqual(['second'])
  await keys.create({ name: 'third', role: 'admin' }, by(second.id))
  await keys.revoke(second.id, by(second.id))
  expect(await names()).toEqual(['third'])
  await keys.revoke(first.id, cli)
  expect(await names()).toEqual([])
})

test('a key that is being made while its maker is revoked ends too, and none is made after that', async () => {
  const web = await aWeb()
  const { keys } = web.context.services
  const { record: leaked } = await keys.create({ name: 'leaked', role: 'admin' }, cli)
  const actor = { kind: 'key', id: leaked.id, role: 'admin' } as const
  const waiting = (n: number) =>
    until(`${n} wait for a lock`, async () => {
      const [row] = await rowsOf<{ n: number }>(
        web,
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return row?.n === n
    })
  const holder = new pg.Client({ connectionString: web.context.config.databaseUrl })
  await holder.connect()
  await holder.query('begin; lock table audit in exclusive mode')
  const making = keys.create({ name: 'child', role: 'admin' }, actor)
  await waiting(1)
  const revoking = keys.revoke(leaked.id, cli)
  await waiting(2)
  await holder.query('commit')
  await holder.end()
  await Promise.all([making, revoking])
  expect(await keys.list()).toEqual([])
  await expect(keys.create({ name: 'late', role: 'admin' }, actor)).rejects.toMatchObject({
    code: 'no_valid_key',
  })
})
