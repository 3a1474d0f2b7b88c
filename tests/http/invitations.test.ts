import { expect, test } from 'vitest'
import type { Role } from '../../src/domain/editor.ts'
import { signedIn } from '../support/desk.ts'
import { rowsOf } from '../support/query.ts'
import { aSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { aWeb, type Web } from '../support/web.ts'

const nadia = 'nadia@rivage.example'

async function aDesk(role: Role = 'admin') {
  const sink = await aSmtpSink()
  let at = Date.now()
  const web = await aWeb({ env: { SMTP_URL: sink.url }, now: () => new Date(at) })
  await web.context.services.presence.beat()
  const pass = (days: number) => {
    at += days * 24 * 3_600_000
  }
  return { web, sink, desk: await signedIn(web, role), pass }
}

const decoded = (raw: Buffer | undefined): string =>
  (raw ?? Buffer.alloc(0))
    .toString('latin1')
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** The link of the newest mail. */
async function mailedLink(web: Web, sink: SmtpSink): Promise<string> {
  await web.context.services.sending.deliverMail()
  const [path = ''] = /\/desk\/sign-in\/[\w.-]+/.exec(decoded(sink.received.at(-1)?.raw)) ?? []
  return path
}

const open = (web: Web, path: string) => web.fetch(path, { method: 'POST' })
const people = (web: Web) =>
  rowsOf<{ email: string; role: Role }>(
    web,
    'select email, role from editors where removed_at is null order by id',
  )

test('an invitation is mailed in the language of the publication; its link makes the editor and signs them in, once', async () => {
  const { web, sink, desk } = await aDesk()
  await web.context.services.publication.set({ languages: ['ar', 'fr'] }, { kind: 'cli', role: 'admin' })
  const sent = await desk.post('/settings/editors', { email: nadia, role: 'editor' })
  expect(sent.headers.get('location')).toBe('/desk/settings?notice=editor-invited')
  expect(await people(web)).toHaveLength(1)
  const path = await mailedLink(web, sink)
  expect(sink.received.map(({ to }) => to)).toEqual([[nadia]])
  expect(decoded(sink.received[0]?.raw)).toContain('lang="ar"')
  const kept = await rowsOf<{ all: string }>(
    web,
    `select row_to_json(o)::text || (select coalesce(string_agg(i::text, ''), '') from invitations i) as all from outbox o`,
  )
  expect(kept[0]?.all).not.toContain(path.split('/').at(-1))

  const page = await web.fetch(path)
  expect([page.status, page.headers.get('set-cookie')]).toEqual([200, null])
  const answers = await Promise.all([open(web, path), open(web, path)])
  expect(answers.map(({ status }) => status).sort()).toEqual([303, 410])
  const cookie =
    answers
      .flatMap((answer) => answer.headers.getSetCookie())
      .join()
      .split(';')[0] ?? ''
  const desktop = await web.fetch('/desk', { headers: { cookie, accept: 'text/html' } })
  expect(desktop.status).toBe(200)
  expect(await desktop.text()).toContain(nadia)
  expect((await people(web)).at(-1)).toEqual({ email: nadia, role: 'editor' })
  expect((await web.fetch(path)).status).toBe(410)
  expect(await (await desk.get('/settings')).text()).not.toContain('/settings/invitations/')
})

test('it ends after seven days, when it is withdrawn, sent again, or when who asked has left', async () => {
  const { web, sink, desk, pass } = await aDesk()
  const { editors } = web.context.services
  await desk.post('/settings/editors', { email: nadia, role: 'editor' })
  const first = await mailedLink(web, sink)
  pass(7)
  expect((await web.fetch(first)).status).toBe(410)
  // As it would be: another moment has another link.
  pass(-6.9)
  await rowsOf(web, `update invitations set expires_at = now() - interval '1 minute'`)
  const admin = await signedIn(web, 'admin')
  expect(await (await admin.get('/settings')).text()).toContain('Invitation expirée')
  await admin.post('/settings/editors', { email: nadia, role: 'viewer' })
  const second = await mailedLink(web, sink)
  expect([(await web.fetch(first)).status, (await web.fetch(second)).status]).toEqual([410, 200])
  expect(await rowsOf(web, 'select role from invitations')).toEqual([{ role: 'viewer' }])
  const [one] = await rowsOf<{ id: string }>(web, 'select id from invitations')
  const withdrawn = await admin.post(`/settings/invitations/${one?.id}/withdraw`, {})
  expect(withdrawn.headers.get('location')).toContain('invitation-withdrawn')
  expect((await open(web, second)).status).toBe(410)

  await admin.post('/settings/editors', { email: nadia, role: 'admin' })
  const third = await mailedLink(web, sink)
  await editors.changeRole(admin.editorId, 'editor', { kind: 'cli', role: 'admin' })
  expect((await web.fetch(third)).status).toBe(200)
  await editors.remove(admin.editorId, { kind: 'cli', role: 'admin' })
  expect((await open(web, third)).status).toBe(410)
  expect((await people(web)).map(({ email }) => email)).not.toContain(nadia)
})

test('a role is never above that of who asked, as it is when the link is used', async () => {
  const { web, sink, desk } = await aDesk()
  await signedIn(web, 'admin')
  await desk.post('/settings/editors', { email: nadia, role: 'admin' })
  const path = await mailedLink(web, sink)
  await web.context.services.editors.changeRole(desk.editorId, 'viewer', { kind: 'cli', role: 'admin' })
  expect((await open(web, path)).status).toBe(303)
  expect((await people(web)).at(-1)).toEqual({ email: nadia, role: 'viewer' })
  const asEditor = { kind: 'editor', id: desk.editorId, role: 'editor' } as const
  await expect(
    web.context.services.invitations.invite({ email: 'k@rivage.example', role: 'admin' }, asEditor),
  ).rejects.toMatchObject({ code: 'role_above_own' })
})

test('by API: asked, listed, withdrawn before the mail goes; a key asks no admin; nobody is asked twice', async () => {
  const { web, sink } = await aDesk()
  const [editor, admin] = [await web.api('editor'), await web.api('admin')]
  expect((await editor('POST', '/invitations', { email: nadia, role: 'viewer' })).status).toBe(403)
  const made = await admin('POST', '/invitations', { email: nadia, role: 'editor' })
  const invitation = (await made.json()) as { id: number }
  expect([made.status, invitation]).toMatchObject([201, { email: nadia, role: 'editor', invitedBy: null }])
  expect(await (await admin('GET', '/invitations')).json()).toEqual({ data: [invitation], next: null })
  expect((await admin('DELETE', `/invitations/${invitation.id}`)).status).toBe(204)
  expect((await admin('DELETE', `/invitations/${invitation.id}`)).status).toBe(404)
  await web.context.services.sending.deliverMail()
  expect(sink.received).toEqual([])
  const code = async (body: object) => {
    const answer = await admin('POST', '/invitations', body)
    return [answer.status, ((await answer.json()) as { code: string }).code]
  }
  expect(await code({ email: nadia, role: 'admin' })).toEqual([403, 'needs_person'])
  expect(await code({ email: 'nobody', role: 'editor' })).toEqual([422, 'invalid_input'])
  const [known] = await people(web)
  expect(await code({ email: known?.email, role: 'editor' })).toEqual([409, 'editor_exists'])
})

test('the log speaks the language of the desk, and is filtered by who and by what', async () => {
  const { web, desk } = await aDesk()
  await desk.post('/settings/editors', { email: nadia, role: 'viewer' })
  await web.context.services.publication.set({ name: 'Le Courrier' }, { kind: 'cli', role: 'admin' })
  const imported = {
    actor: { kind: 'cli', role: 'admin' },
    url: 'https://old.example',
    created: 3,
    updated: 0,
  } as const
  await web.context.services.articles.endImport(imported)
  const rows = async (query: string) => {
    const page = await (await desk.get(`/audit${query}`)).text()
    return page.slice(page.indexOf('<tbody>'), page.indexOf('</tbody>')).split('<tr>').slice(1)
  }
  const all = (await rows('')).join('')
  expect(all).toContain('Invitation envoyée')
  expect(all).toContain(nadia)
  expect(all).toMatch(/Nom\u00a0: <bdi>Le Rivage<\/bdi> → <bdi>Le Courrier/)
  expect(all).toContain('ligne de commande')
  expect(all).toContain('>https://old.example<')
  expect(all).not.toMatch(/publication\.changed|invitation\.sent|editor:\d/)
  expect(await rows(`?who=editor:${desk.editorId}&what=invitation.sent`)).toHaveLength(1)
  expect((await rows('?who=cli')).join('')).not.toContain('Invitation envoyée')
  expect((await rows('?what=nothing.known')).join('')).toContain('Rien de tel.')
  const api = await web.api('admin')
  const found = (await (await api('GET', '/audit?actor=cli&action=publication.changed')).json()) as {
    data: unknown[]
  }
  expect(found.data).toMatchObject([{ actor: 'cli', action: 'publication.changed' }])
})
