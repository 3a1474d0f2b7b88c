import { expect, test } from 'vitest'
import { mayActAs, roles, type Role } from '../../src/domain/editor.ts'
import { deskRoutes } from '../../src/routes/desk/routes.ts'
import { signedIn } from '../support/desk.ts'
import { aWeb, type Web } from '../support/web.ts'

async function aWebWithNadia(): Promise<Web> {
  const web = await aWeb()
  await web.context.services.editors.add(
    { email: 'nadia@rivage.example', role: 'editor' },
    { kind: 'cli', role: 'admin' },
  )
  return web
}

test('a sign-in link changes nothing on GET and HEAD, opens one session on POST, and only one', async () => {
  const web = await aWebWithNadia()
  const { pathname } = new URL(await web.context.services.signIn.createLink('nadia@rivage.example'))
  for (const method of ['GET', 'HEAD', 'GET']) {
    const seen = await web.fetch(pathname, { method })
    expect(seen.status).toBe(200)
    expect(seen.headers.get('set-cookie')).toBeNull()
  }
  const [first, second] = await Promise.all([1, 2].map(() => web.fetch(pathname, { method: 'POST' })))
  expect([first?.status, second?.status].sort()).toEqual([303, 410])
  const cookies = [first, second].flatMap((response) => response?.headers.getSetCookie() ?? [])
  expect(cookies).toHaveLength(1)
  expect(cookies[0]).toMatch(/^depeche_session=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
})

test('who wanted a page of the desk comes to it after signing in, and to no other address', async () => {
  const web = await aWebWithNadia()
  const comeTo = async (next: string) => {
    const door = `/desk/sign-in?next=${encodeURIComponent(next)}`
    const [cookie = ''] = (await web.fetch(door)).headers.getSetCookie()
    const { pathname } = new URL(await web.context.services.signIn.createLink('nadia@rivage.example'))
    const opened = await web.fetch(pathname, {
      method: 'POST',
      headers: { cookie: cookie.split(';')[0] ?? '' },
    })
    return opened.headers.get('location')
  }
  const wanted = '/desk/digests?newsletter=le-matin&x=%D8%A3'
  const asked = await web.fetch(wanted, { headers: { accept: 'text/html' } })
  expect(asked.headers.get('location')).toBe(`/desk/sign-in?next=${encodeURIComponent(wanted)}`)
  expect(await comeTo(wanted)).toBe(wanted)
  for (const elsewhere of [
    'https://elsewhere.example/desk/',
    '//elsewhere.example',
    '/desk\\\\elsewhere.example',
    '/articles',
  ])
    expect(await comeTo(elsewhere)).toBe('/desk')
})

test('asking for a link answers alike for an editor and a stranger', async () => {
  const web = await aWebWithNadia()
  const ask = async (email: string) => {
    const response = await web.fetch('/desk/sign-in', {
      method: 'POST',
      body: new URLSearchParams({ email }),
    })
    return { status: response.status, body: await response.text() }
  }
  expect(await ask('nadia@rivage.example')).toEqual(await ask('nobody@elsewhere.example'))
})

test('a session ends with sign-out, with a role change and with removal', async () => {
  const web = await aWeb()
  const { editors } = web.context.services
  const admin = { kind: 'cli', role: 'admin' } as const
  await editors.add({ email: 'chief@rivage.example', role: 'admin' }, admin)

  const leaving = await signedIn(web, 'editor')
  expect((await leaving.get('/settings')).status).toBe(200)
  await leaving.post('/sign-out', {})
  expect((await leaving.get('/settings')).status).toBe(303)

  const promoted = await signedIn(web, 'viewer')
  await editors.changeRole(promoted.editorId, 'editor', admin)
  expect((await promoted.get('/settings')).status).toBe(303)

  const removed = await signedIn(web, 'admin')
  await editors.remove(removed.editorId, admin)
  expect((await removed.get('/settings')).status).toBe(303)
})

test('a form from another site, or without its token, changes nothing', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'admin')
  const form = { name: 'Taken over' }
  const crossSite = await desk.post('/settings/publication', form, { 'sec-fetch-site': 'cross-site' })
  expect(crossSite.status).toBe(403)
  const otherOrigin = await desk.post('/settings/publication', form, { origin: 'https://evil.example' })
  expect(otherOrigin.status).toBe(403)
  const noToken = await desk.post('/settings/publication', { ...form, csrf: 'x' })
  expect(noToken.status).toBe(403)
  const other = await signedIn(web, 'admin')
  const otherToken = await desk.post('/settings/publication', { ...form, csrf: other.csrf })
  expect(otherToken.status).toBe(403)
  expect((await web.context.services.publication.get()).name).toBe('Le Rivage')
})

test('a form that was opened before the secret key was rotated is taken', async () => {
  const before = await aWeb()
  const { cookie, csrf } = await signedIn(before, 'admin')
  const { databaseUrl, secretKeys } = before.context.config
  const env = { SECRET_KEY: ['the next secret of the tests which is long enough', ...secretKeys].join(',') }
  const after = await aWeb({ databaseUrl, env, hasNewsroom: true })
  const body = new URLSearchParams({ csrf, language: 'en', back: '/settings' })
  const saved = await after.fetch('/desk/settings/language', { method: 'POST', headers: { cookie }, body })
  expect(saved.status).toBe(303)
})

test('an address that names nothing is a page that is not found, not a form to correct', async () => {
  const desk = await signedIn(await aWeb(), 'admin')
  for (const path of ['/digests/abc', '/subscribers/0', '/imports/1.5', '/sources/-', '/articles/%00']) {
    const found = await desk.get(path)
    expect([path, found.status]).toEqual([path, 404])
    expect(await found.text()).toContain('<h1>Cette page n’existe pas</h1>')
  }
})

test('every role on every desk route gets past the policy or 403', async () => {
  const web = await aWeb()
  const desks = new Map<Role, Awaited<ReturnType<typeof signedIn>>>()
  for (const role of roles) desks.set(role, await signedIn(web, role))
  for (const route of deskRoutes(web.context.services, web.context.lifecycle.draining, () =>
    Promise.resolve({ findings: [] }),
  )) {
    const path = route.path.replace(/:\w+/g, '999999')
    expect((await web.fetch(`/desk${path}`, { method: route.method })).status).not.toBe(200)
    for (const [role, desk] of desks) {
      // A body that no form accepts, so that an allowed call changes nothing.
      const response = route.method === 'get' ? await desk.get(path) : await desk.post(path, { role: 'none' })
      await response.body?.cancel()
      const label = `${role} ${route.method} ${route.path} → ${response.status}`
      expect(response.status === 403, label).toBe(!mayActAs(role, route.role))
      expect(response.status, label).not.toBe(500)
    }
  }
})

test('the last admin stays', async () => {
  const web = await aWeb()
  const admin = await signedIn(web, 'admin')
  const response = await admin.post(`/settings/editors/${admin.editorId}/remove`, {})
  expect(response.status).toBe(409)
})

test('sessions are told apart by browser and system, in words of the desk where neither is known', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'editor')
  expect(await (await desk.get('/settings')).text()).toContain('Navigateur inconnu ·')
  const { signIn, editors } = web.context.services
  const email = (await editors.list()).find(({ id }) => id === desk.editorId)?.email ?? ''
  const agent = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0'
  await web.fetch(new URL(await signIn.createLink(email)).pathname, {
    method: 'POST',
    headers: { 'user-agent': agent },
  })
  expect(await (await desk.get('/settings')).text()).toContain('<bdi>Edge · Windows</bdi>')
})
