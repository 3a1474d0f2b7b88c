import { expect, test } from 'vitest'
import { createLogger } from '../../../src/log.ts'
import { signedIn } from '../../support/desk.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { aReader, activationPath, aSubscribedReader, nonceIn } from '../../support/readers.ts'
import { rowsOf } from '../../support/query.ts'
import { everyRow } from '../../support/table-rows.ts'
import { aWeb, type Web } from '../../support/web.ts'

const tokenIn = (path: string) => path.slice(path.lastIndexOf('/') + 1)

/** A living link of every purpose that a mail carries; the browser that may activate is not the one that tries. */
async function everyLink(web: Web) {
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  const { subscriber } = await aSubscribedReader(web, 'active@reader.example', [newsletter.slug])
  await aReader(web).post('/subscribe', { email: 'pending@reader.example', newsletters: newsletter.slug })
  await services.signupDecisions.decideAll()
  await services.signups.requestAddressChange(subscriber.id, 'moved@reader.example', {
    ipPrefix: undefined,
    userAgent: undefined,
    browser: undefined,
    language: 'fr',
  })
  await services.signupDecisions.decideAll()
  const { email } = await services.editors.add(
    { email: 'nadia@rivage.example', role: 'editor', language: 'fr' },
    { kind: 'cli', role: 'admin' },
  )
  const { subscriptionLinks: links } = services
  const ref = { subscriberId: subscriber.id, newsletterId: newsletter.id, digestId: 0 }
  const pathOf = (url: string) => new URL(url).pathname
  return {
    activation: await activationPath(web, 'pending@reader.example'),
    addressChange: await activationPath(web, 'moved@reader.example'),
    unsubscribe: pathOf(links.unsubscribeUrl(ref)),
    preferences: pathOf(links.preferencesUrl(subscriber.id)),
    freshPreferences: pathOf(links.freshPreferencesUrl(subscriber.id)),
    signIn: pathOf(await services.signIn.createLink(email)),
  }
}

/** Differs between two answers of any page. */
const withoutOwn = (body: string) =>
  body.replace(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|"requestId":"[^"]*"/g, '')

test('reading a link of any purpose, by GET, HEAD or OPTIONS, changes no row', async () => {
  const web = await aWeb()
  const links = Object.values(await everyLink(web))
  const before = await everyRow(web)
  for (const path of [...links, ...links.map((link) => `${link}?refuse=1&action=leave-all`)]) {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      const response = await web.fetch(path, { method, headers: { accept: 'text/html' } })
      await response.body?.cancel()
      expect(response.status, `${method} ${path.replace(/[^/]*$/, '')}`).toBe(200)
    }
  }
  expect(await everyRow(web)).toEqual(before)
})

test('a token with any bit flipped is the same 404 as a random one, and changes nothing', async () => {
  const web = await aWeb()
  const { signIn: _signIn, ...links } = await everyLink(web)
  const before = await everyRow(web)
  const random = await web.fetch('/unsubscribe/random', { headers: { accept: 'text/html' } })
  const expected = withoutOwn(await random.text())
  for (const path of Object.values(links)) {
    const start = path.length - tokenIn(path).length
    for (let at = start; at < path.length; at += 1) {
      const flipped = String.fromCharCode(path.charCodeAt(at) ^ 1)
      const forged = path.slice(0, at) + encodeURIComponent(flipped) + path.slice(at + 1)
      for (const method of ['GET', 'POST']) {
        const response = await web.fetch(forged, { method, headers: { accept: 'text/html' } })
        const body = withoutOwn(await response.text())
        expect(response.status, `${method}, character ${at - start} of ${path.split('/')[1]}`).toBe(404)
        expect(body).toBe(expected)
      }
    }
  }
  expect(await everyRow(web)).toEqual(before)
})

test('a token on the page of another purpose opens nothing', async () => {
  const web = await aWeb()
  const links = await everyLink(web)
  const before = await everyRow(web)
  const pages = ['/activate', '/preferences', '/unsubscribe', '/desk/sign-in']
  for (const path of Object.values(links)) {
    for (const page of pages.filter((own) => !path.startsWith(`${own}/`))) {
      for (const method of ['GET', 'POST']) {
        const response = await web.fetch(`${page}/${tokenIn(path)}`, { method })
        await response.body?.cancel()
        expect(response.status, `${method} ${page}`).toBe(page === '/desk/sign-in' ? 410 : 404)
        expect(response.headers.get('set-cookie')).toBeNull()
      }
    }
  }
  expect(await everyRow(web)).toEqual(before)
})

test('the secret of a session opens no page of a mail, and the token of a mail no session', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'admin')
  const [name = '', secret = ''] = desk.cookie.split('=')
  for (const page of ['/activate', '/preferences', '/unsubscribe'])
    expect((await web.fetch(`${page}/${secret}`)).status).toBe(404)
  const links = await everyLink(web)
  for (const path of Object.values(links)) {
    const response = await web.fetch('/desk', { headers: { cookie: `${name}=${tokenIn(path)}` } })
    expect([303, 302, 401]).toContain(response.status)
  }
})

const form = { 'content-type': 'application/x-www-form-urlencoded' }
interface Failing {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** What goes wrong with a living link. */
const failures: [what: string, to: (path: string) => string, init: Failing][] = [
  ['cut off', (path) => path.slice(0, -2), {}],
  ['too long', (path) => `${path}xx`, { method: 'POST' }],
  ['a path behind it', (path) => `${path}/more`, {}],
  ['a percent sign behind it', (path) => `${path}%`, {}],
  ['an unknown action', (path) => path, { method: 'POST', headers: form, body: 'action=nonsense' }],
  [
    'a body that is none',
    (path) => path,
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' },
  ],
  [
    'an unknown charset',
    (path) => path,
    { method: 'POST', headers: { 'content-type': `${form['content-type']}; charset=x` }, body: 'a=b' },
  ],
  ['another method', (path) => path, { method: 'PUT' }],
]

test('whatever goes wrong with a link, its token is neither in the log nor in the metrics', async () => {
  const lines: string[] = []
  const log = createLogger('trace', 'web', { destination: { write: (line) => lines.push(line) } })
  const web = await aWeb({ log })
  const { freshPreferences, ...others } = await everyLink(web)
  const links = [freshPreferences, ...Object.values(others)]
  const seen = new Set<number>()
  const tryAll = async () => {
    for (const path of links) {
      for (const [, to, init] of failures) {
        const answer = await web.fetch(to(path), {
          ...init,
          headers: { accept: 'text/html', ...init.headers },
        })
        await answer.body?.cancel()
        seen.add(answer.status)
      }
    }
  }
  const nonce = nonceIn(await (await web.fetch(freshPreferences)).text())
  // Whoever is refused here is shown the form again.
  const body = new URLSearchParams({ action: 'change-address', email: 'nobody', nonce })
  expect((await web.fetch(freshPreferences, { method: 'POST', body })).status).toBe(422)
  await tryAll()
  for (const table of ['subscribers', 'subscriptions', 'activations', 'sign_in_links'])
    await rowsOf(web, `alter table ${table} rename to ${table}_away`)
  await tryAll()
  expect([...seen]).toEqual(expect.arrayContaining([400, 404, 422, 500]))
  expect(lines.join('')).toContain('request failed')
  // The start of a token finds one that was cut off, too.
  for (const token of links.map(tokenIn))
    expect(lines.filter((line) => line.includes(token.slice(0, 20)))).toEqual([])
  const metrics = await web.context.metrics.registry.metrics()
  expect(metrics).toContain('route="/preferences/:token"')
  expect(metrics).not.toContain(tokenIn(freshPreferences))
})
