import { createHash } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import { createLogger } from '../../src/log.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'

/** The services of a worker process that may claim, and a sink that keeps what they send. */
async function aWorker() {
  const databaseUrl = await cloneDatabase()
  const sink = await aSmtpSink()
  const context = createContext(aConfig(databaseUrl, { SMTP_URL: sink.url, SMTP_CONNECTIONS: '2' }), {
    log: createLogger('silent', 'worker'),
  })
  onTestFinished(() => context.close())
  await context.services.presence.beat()
  return { databaseUrl, sink, context, ...context.services }
}

const decoded = (raw: Buffer): string =>
  raw
    .toString('latin1')
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

test('an activation mail carries the link that is stored nowhere', async () => {
  const { databaseUrl, sink, context, sending, subscriptionLinks } = await aWorker()
  const [request] = await query<{ id: string }>(
    databaseUrl,
    `insert into activations (address, limit_hmac, key_id, language, wanted, form, expires_at)
     values ('amel@reader.example', '\\x00', 'k', 'fr', '{"newsletters":[]}', 'site', now() + interval '7 days')
     returning id`,
  )
  const activationId = request?.id ?? ''
  await context.database.stores.outbox.insert({ kind: 'activation', activationId })
  await sending.deliverMail()
  expect(sink.received.map((mail) => mail.to)).toEqual([['amel@reader.example']])
  expect(decoded(sink.received[0]?.raw ?? Buffer.alloc(0))).toContain(
    subscriptionLinks.activationUrl(activationId),
  )
})

test('a refused request is not mailed any more', async () => {
  const { databaseUrl, sink, context, sending } = await aWorker()
  const [request] = await query<{ id: string }>(
    databaseUrl,
    `insert into activations (address, limit_hmac, key_id, language, wanted, form, expires_at, refused_at)
     values ('amel@reader.example', '\\x00', 'k', 'fr', '{}', 'site', now() + interval '7 days', now())
     returning id`,
  )
  await context.database.stores.outbox.insert({ kind: 'activation', activationId: request?.id ?? '' })
  await sending.deliverMail()
  expect(sink.received).toEqual([])
  expect(await query(databaseUrl, 'select state, reason from outbox')).toEqual([
    { state: 'skipped', reason: 'refused' },
  ])
})

test('a sign-in link is made when its mail is, and opens the desk', async () => {
  const { sink, context, sending, editors } = await aWorker()
  const editor = await editors.add(
    { email: 'desk@rivage.example', role: 'editor', language: 'fr' },
    { kind: 'cli', role: 'admin' },
  )
  await context.database.stores.outbox.insert({ kind: 'sign-in', editorId: editor.id, language: 'fr' })
  await sending.deliverMail()
  const [, token = ''] =
    /\/desk\/sign-in\/([\w-]+)/.exec(decoded(sink.received[0]?.raw ?? Buffer.alloc(0))) ?? []
  expect(await editors.isSignInLinkValid(token)).toBe(true)
})

test('a digest carries each reader’s own links, once per reader', async () => {
  const { databaseUrl, sink, context, sending, subscriptionLinks } = await aWorker()
  const { digestId, newsletterId } = await aSendingDigest(databaseUrl, { readers: 3 })
  const frozen = { ...aFrozenDigest(), digestId }
  await query(databaseUrl, 'update digests set frozen = $1, content_sha256 = $2', [
    JSON.stringify(frozen),
    createHash('sha256').update('x').digest(),
  ])
  await query(databaseUrl, 'update variants set article_ids = $1', [
    frozen.articles.slice(0, 2).map(({ id }) => id),
  ])
  await sending.deliverDigest(digestId)
  expect(await context.database.stores.deliveries.countByState(digestId)).toMatchObject({ accepted: 3 })
  for (const mail of sink.received) {
    const [reader] = await query<{ id: string }>(
      databaseUrl,
      'select id from subscribers where address = $1',
      mail.to,
    )
    const ref = { subscriberId: Number(reader?.id), newsletterId, digestId }
    expect(decoded(mail.raw)).toContain(subscriptionLinks.unsubscribeUrl(ref))
  }
  expect(new Set(sink.received.map((mail) => mail.messageId)).size).toBe(3)
})
