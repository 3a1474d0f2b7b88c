import { createHash } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { openReference } from '../../src/domain/delivery/mail-reference.ts'
import { createContext } from '../../src/context.ts'
import { createLogger } from '../../src/log.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'
import { verifyWithPython } from '../support/dkim.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { dkimKeys } from '../support/mail.ts'
import { countByState, aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { recordStatements } from '../support/statements.ts'

/** The services of a worker process that may claim, and a sink that keeps what they send. */
async function aWorker(environment: Record<string, string> = {}) {
  const databaseUrl = await cloneDatabase()
  const sink = await aSmtpSink()
  const settings = { SMTP_URL: sink.url, SMTP_CONNECTIONS: '2', ...environment }
  const context = createContext(aConfig(databaseUrl, settings), { log: createLogger('silent', 'worker') })
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

test('what all mails of a crowd say alike is read once, and each has its own link and its Message-ID on record', async () => {
  const { databaseUrl, sink, sending } = await aWorker()
  await query(
    databaseUrl,
    `with asked as (
       insert into activations (address, limit_hmac, key_id, language, wanted, form, expires_at)
       select 'reader-' || n || '@reader.example', '\\x00', 'k', 'fr', '{"newsletters":[]}', 'site', now() + interval '7 days'
       from generate_series(1, 30) n returning id)
     insert into outbox (kind, activation_id) select 'activation', id from asked`,
  )
  const statements = recordStatements()
  await sending.deliverMail()
  expect(new Set(sink.received.map(({ raw }) => /activate\/([\w.-]+)/.exec(decoded(raw))?.[1])).size).toBe(30)
  expect(statements.filter((text) => text.includes('from "publication"')).length).toBeLessThan(10)
  expect(statements.filter((text) => text.includes('"newsletters"')).length).toBeLessThan(10)
  const ids = sink.received.map(({ raw }) => /^Message-ID: (\S+)/im.exec(raw.toString('latin1'))?.[1]).sort()
  expect(
    (await query<{ id: string }>(databaseUrl, 'select message_id as id from outbox'))
      .map(({ id }) => id)
      .sort(),
  ).toEqual(ids)
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
  const { sink, context, sending, editors, signIn } = await aWorker()
  const editor = await editors.add(
    { email: 'desk@rivage.example', role: 'editor', language: 'fr' },
    { kind: 'cli', role: 'admin' },
  )
  await context.database.stores.outbox.insert({ kind: 'sign-in', editorId: editor.id, language: 'fr' })
  await sending.deliverMail()
  const [, token = ''] =
    /\/desk\/sign-in\/([\w-]+)/.exec(decoded(sink.received[0]?.raw ?? Buffer.alloc(0))) ?? []
  expect(await signIn.isLinkValid(token)).toBe(true)
})

/** Gives a digest under way something to say. */
async function freeze(databaseUrl: string, digestId: number) {
  const frozen = { ...aFrozenDigest(), digestId }
  await query(databaseUrl, 'update digests set frozen = $1, content_sha256 = $2', [
    JSON.stringify(frozen),
    createHash('sha256').update('x').digest(),
  ])
  await query(databaseUrl, 'update variants set article_ids = $1', [
    frozen.articles.slice(0, 2).map(({ id }) => id),
  ])
}

const headerOf = (raw: Buffer, name: string): string[] =>
  Array.from(raw.toString('utf8').matchAll(new RegExp(`^${name}: (.*)\\r$`, 'gm')), ([, value = '']) => value)

test('ENV-1 ENV-2 HDR-4 DKIM-3 every mail is signed, goes to its row’s address alone, and comes back to that row', async () => {
  const keys = dkimKeys()
  const { databaseUrl, sink, context, sending } = await aWorker({
    BOUNCE_DOMAIN: 'bounces.example.org',
    MAIL_FROM: 'lettres@news.example.org',
    DKIM_DOMAIN: keys.domain,
    DKIM_SELECTOR: keys.selector,
    DKIM_PRIVATE_KEY: keys.privateKey,
    DKIM_ED25519_SELECTOR: keys.ed25519?.selector ?? '',
    DKIM_ED25519_PRIVATE_KEY: keys.ed25519?.privateKey ?? '',
  })
  const { digestId } = await aSendingDigest(databaseUrl, { readers: 2 })
  await freeze(databaseUrl, digestId)
  // As stored: not in lower case, not with another spelling.
  await query(
    databaseUrl,
    `update subscribers set address = 'Reader.One+news@Reader.example' where address like 'reader-1@%'`,
  )
  await context.database.stores.outbox.insert({ kind: 'address-changed', address: 'Amel@Reader.example' })
  // Put off once: an attempt later the mail is the same.
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '451 4.7.1 later', times: 1 })
  await sending.deliverMail()
  await query(databaseUrl, `update outbox set state = 'pending', next_at = null where state = 'deferred'`)
  await sending.deliverMail()
  await sending.deliverDigest(digestId)
  const rows = await query<{ address: string; reference: string }>(
    databaseUrl,
    `select s.address, 'digest ' || d.digest_id || ' ' || s.id as reference
     from deliveries d join subscribers s on s.id = d.subscriber_id
     union all select address, 'outbox ' || id from outbox`,
  )
  expect(sink.received).toHaveLength(rows.length)
  for (const { address, reference } of rows) {
    const [mail, ...others] = sink.received.filter(({ to }) => to[0] === address)
    if (!mail) throw new Error(`nothing for ${address}`)
    expect(others).toEqual([])
    expect(mail.to).toEqual([address])
    expect(headerOf(mail.raw, 'To')).toEqual([address])
    expect(verifyWithPython(mail.raw, keys)).toEqual([true, true])
    const sealed = /^b\+([a-z2-7.]+)@bounces\.example\.org$/.exec(mail.from)?.[1] ?? ''
    const opened = openReference(context.keyring, 'bounce', sealed)
    expect(Object.values(opened ?? {}).join(' ')).toBe(reference)
    const [, id = ''] = /^<(.*)@news\.example\.org>$/.exec(headerOf(mail.raw, 'Message-ID')[0] ?? '') ?? []
    expect(openReference(context.keyring, 'message-id', id)).toEqual(opened)
  }
})

test('a digest carries each reader’s own links, once per reader', async () => {
  const { databaseUrl, sink, context, sending, subscriptionLinks } = await aWorker()
  const { digestId, newsletterId } = await aSendingDigest(databaseUrl, { readers: 3 })
  await freeze(databaseUrl, digestId)
  await sending.deliverDigest(digestId)
  expect(await countByState(context.database, digestId)).toMatchObject({ accepted: 3 })
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
