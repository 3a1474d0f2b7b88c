import { expect, test } from 'vitest'
import { sealReference } from '../../src/domain/delivery/mail-reference.ts'
import { signedIn } from '../support/desk.ts'
import { mailgunKey } from '../support/provider-postings.ts'
import { aProviderRoom } from '../support/provider-room.ts'

const events = '/deliverability/events'

test('an admin begins, enters the key, renews and stops on the desk; the key is never shown', async () => {
  const room = await aProviderRoom('postmark')
  const desk = await signedIn(room.web, 'admin')
  const page = async () => (await desk.get(events)).text()
  expect(await page()).toContain(room.path)
  expect((await desk.post(events, { provider: 'mailgun' })).status).toBe(303)
  expect(await page()).toContain('Saisissez la clé')
  const refused = await desk.post(`${events}/mailgun/key`, { key: 'short' })
  expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining('id="key-fault"')])
  expect((await desk.post(`${events}/mailgun/key`, { key: mailgunKey })).status).toBe(303)
  const withKey = await page()
  expect(withKey).not.toContain('Saisissez la clé')
  expect(withKey).not.toContain(mailgunKey)
  expect(withKey).not.toMatch(/desk\.providers/)
  await desk.post(`${events}/postmark/renew`, {})
  expect(await page()).not.toContain(room.path)
  await desk.post(`${events}/postmark/stop`, {})
  expect(await room.postJson({})).toBe(401)
  const actions = await room.rows<{ action: string }>(
    `select action from audit where subject like 'provider:%' order by id`,
  )
  expect(actions.map(({ action }) => action)).toEqual([
    'provider.started',
    'provider.started',
    'provider.key',
    'provider.renewed',
    'provider.stopped',
  ])
  expect((await desk.post(`${events}/pigeon/renew`, {})).status).toBe(422)
  expect((await (await signedIn(room.web, 'editor')).get(events)).status).toBe(403)
})

test('a test mail goes to the editor, and the first event about it shows that the way works', async () => {
  const room = await aProviderRoom('generic')
  const desk = await signedIn(room.web, 'admin')
  expect((await desk.post(`${events}/generic/test`, {})).status).toBe(303)
  const [mail] = await room.rows<{ id: string; editor_id: string; payload: object }>(
    `select id, editor_id, payload from outbox where payload ->> 'notice' = 'provider_test'`,
  )
  expect(mail).toMatchObject({ editor_id: String(desk.editorId) })
  const seenAt = async () => (await room.find('generic')).testSeenAt
  await room.postJson({ event: 'delivered', messageId: room.readers[0].messageId })
  expect(await seenAt()).toBeUndefined()
  const sealed = sealReference(room.web.context.keyring, 'message-id', {
    kind: 'outbox',
    outboxId: Number(mail?.id),
  })
  await room.postJson({ event: 'delivered', messageId: `<${sealed}@rivage.example>` })
  expect(await seenAt()).toBeInstanceOf(Date)
  expect(await (await desk.get(events)).text()).toContain('Le chemin fonctionne')
})

test('the same by API; no answer holds a key', async () => {
  const room = await aProviderRoom('generic')
  const call = await room.web.api('admin')
  const put = await call('PUT', '/providers/mailgun', { key: mailgunKey })
  const answer = (await put.json()) as { url: string; isReady: boolean }
  expect([put.status, answer.isReady]).toEqual([200, true])
  expect(answer.url).toMatch(/\/inbound\/mailgun\/[\w-]{43}$/)
  const renewed = (await (await call('POST', '/providers/mailgun/renew')).json()) as { url: string }
  expect(renewed.url).not.toBe(answer.url)
  const list = await (await call('GET', '/providers')).text()
  expect(list).toContain(renewed.url)
  expect(list).not.toContain(mailgunKey)
  expect((await call('PUT', '/providers/postmark', { key: mailgunKey })).status).toBe(422)
  expect(
    (await call('POST', '/providers/mailgun/test', { email: 'stranger@elsewhere.example' })).status,
  ).toBe(422)
  expect((await call('PUT', '/providers/pigeon', {})).status).toBe(404)
  expect((await call('DELETE', '/providers/mailgun')).status).toBe(204)
  expect((await call('DELETE', '/providers/mailgun')).status).toBe(404)
})
