import { expect, test } from 'vitest'
import {
  findAddress,
  hashAddress,
  hashForLimits,
  type Address,
} from '../../../src/domain/subscribers/address.ts'
import { createKeyring } from '../../../src/domain/keyring.ts'
import { testSecret } from '../../support/config.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { rowsOf } from '../../support/query.ts'
import { aReader } from '../../support/readers.ts'
import { recordStatements } from '../../support/statements.ts'
import { aSmtpSink } from '../../support/smtp-sink.ts'
import { aSubscriber } from '../../support/subscribers.ts'
import { aWeb, type Web } from '../../support/web.ts'

const suppress = async (web: Web, email: string, reason: 'complained' | 'bounced') => {
  const address = findAddress(email)
  const [hash] = address ? hashAddress(createKeyring([testSecret]), address) : []
  if (hash) await web.context.database.stores.suppressions.put([hash], { reason })
}

test('ABU-1 status, body, headers and statements are the same for six states of an address', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  await aSubscriber(database, { address: 'pending@reader.example', newsletter, state: 'pending' })
  await aSubscriber(database, { address: 'active@reader.example', newsletter })
  await aSubscriber(database, { address: 'left@reader.example', newsletter, ended: 'unsubscribed' })
  await suppress(web, 'complained@reader.example', 'complained')
  await suppress(web, 'bounced@reader.example', 'bounced')
  const statements = recordStatements()
  const answers = []
  for (const state of ['new', 'pending', 'active', 'left', 'complained', 'bounced', 'new-too']) {
    statements.length = 0
    const response = await web.fetch('/subscribe', {
      method: 'POST',
      headers: { accept: 'text/html' },
      body: new URLSearchParams({ email: `${state}@reader.example`, newsletters: newsletter.slug }),
    })
    const headers = Object.fromEntries(response.headers)
    for (const own of ['date', 'x-request-id', 'set-cookie']) Reflect.deleteProperty(headers, own)
    answers.push(
      JSON.stringify({
        status: response.status,
        headers,
        body: await response.text(),
        cookies: response.headers.getSetCookie().map((cookie) => cookie.replace(/=[\w-]{43};/, '=…;')),
        statements: [...statements],
      }),
    )
  }
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toContain('insert into activations')
  await services.signupDecisions.decideAll()
  const decisions = await rowsOf<{ address: string; decision: string }>(
    web,
    'select address, decision from activations order by created_at',
  )
  expect(decisions.map(({ decision }) => decision)).toEqual([
    'mailed',
    'mailed',
    'already-subscribed',
    'mailed',
    'suppressed',
    'mailed',
    'mailed',
  ])
})

test('ABU-2 a thousand signups for one person, however spelled, are at most three mails a day', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  const spell = (n: number) =>
    `${n % 2 ? 'Am.ina' : 'a.m.i.na'}+${n}@${n % 3 ? 'gmail.com' : 'GoogleMail.com'}`
  for (let n = 0; n < 1_000; n += 1) {
    const signup = await services.signups.read({ email: spell(n), newsletters: newsletter.slug }, 'fr')
    await database.stores.activations.insert({
      ...signup,
      kind: 'signup',
      address: signup.address.text,
      limit: limitOf(signup.address),
      createdAt: new Date(),
      expiresAt: new Date(Date.now() + 86_400_000),
      consent: { text: '', policyVersion: '1', ipPrefix: undefined, userAgentSha256: undefined },
    })
  }
  await services.signupDecisions.decideAll()
  expect(await rowsOf(web, 'select decision, count(*)::int from activations group by 1 order by 1')).toEqual([
    { decision: 'limited', count: 997 },
    { decision: 'mailed', count: 3 },
  ])
  expect(await rowsOf(web, 'select count(*)::int from outbox')).toEqual([{ count: 3 }])
})

test('ABU-3 spoofed forwarded headers change nothing; behind a trusted proxy they count', async () => {
  const limited = async (env: Record<string, string>) => {
    const web = await aWeb({ env })
    const newsletter = await aNewsletter(web.context.database)
    const statuses = []
    for (let n = 0; n < 16; n += 1) {
      const response = await web.fetch('/subscribe', {
        method: 'POST',
        headers: {
          'x-forwarded-for': `198.51.100.${n}`,
          forwarded: `for=198.51.100.${n}`,
          'x-real-ip': '203.0.113.9',
        },
        body: new URLSearchParams({ email: `r${n}@reader.example`, newsletters: newsletter.slug }),
      })
      statuses.push(response.status)
    }
    return statuses
  }
  const spoofed = await limited({})
  expect(spoofed.slice(0, 15)).toEqual(Array.from({ length: 15 }, () => 200))
  expect(spoofed[15]).toBe(429)
  expect(new Set(await limited({ TRUST_PROXY: '127.0.0.1/32,::1' }))).toEqual(new Set([200]))
})

test.each([
  ['CRLF', 'a@reader.example\r\nBcc: b@reader.example'],
  ['comma', 'a@reader.example,b@reader.example'],
  ['NUL', 'a\0@reader.example'],
  ['fullwidth @', 'a＠reader.example'],
  ['zero-width', 'a\u200b@reader.example'],
  ['semicolon', 'a@reader.example;b@reader.example'],
  ['angle brackets', 'A <a@reader.example>'],
  ['a comment', 'a(b)@reader.example'],
  ['a group', 'friends:a@reader.example;'],
  ['dotless i', 'am\u0131na@reader.example'],
  ['255 characters', `${'a'.repeat(240)}@reader.example`],
  ['100 kB', `${'a'.repeat(100_000)}@reader.example`],
])('ABU-4 an address with %s is refused, nothing is stored', async (_name, email) => {
  const web = await aWeb()
  const newsletter = await aNewsletter(web.context.database)
  const json = JSON.stringify({ email, newsletters: [newsletter.slug] })
  const form = new URLSearchParams({ email, newsletters: newsletter.slug })
  const bodies = [{ body: json, headers: { 'content-type': 'application/json' } }, { body: form }]
  for (const init of bodies) {
    expect((await web.fetch('/subscribe', { method: 'POST', ...init })).status).toBe(422)
  }
  expect(await rowsOf(web, 'select id from activations')).toEqual([])
})

test('ABU-4 the recipient of the mail is the stored address, byte by byte', async () => {
  const sink = await aSmtpSink()
  const web = await aWeb({ env: { SMTP_URL: sink.url } })
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  await services.presence.beat()
  for (const email of [
    'Amina.B+news@Reader.Example',
    "o'neill!#$%&*/=?^_`{|}~@reader.example",
    'Ａmina@reader.example',
    'amina@bücher.example',
    ` ${'x'.repeat(64)}@reader.example `,
  ]) {
    const body = new URLSearchParams({ email, newsletters: newsletter.slug })
    await web.fetch('/subscribe', { method: 'POST', body })
  }
  await services.signupDecisions.decideAll()
  await services.sending.deliverMail()
  const stored = await rowsOf<{ address: string }>(web, 'select address from activations')
  expect(stored).toHaveLength(4)
  expect(sink.received.map(({ to }) => to).sort()).toEqual(stored.map(({ address }) => [address]).sort())
})

test('hostile bodies are refused: other types, extra fields, prototypes, depth', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database)
  const bodies = [
    '{"email":["a@reader.example"]}',
    '{"email":{"a":1}}',
    '{"email":"a@reader.example","status":"active"}',
    '{"email":"a@reader.example","activatedAt":"2026-01-01"}',
    '{"email":"a@reader.example","newsletters":[{"a":1}]}',
    '{"email":"a@reader.example","newsletters":["nowhere"]}',
    '{"email":"a@reader.example","sections":["nowhere"]}',
    `${'['.repeat(2_000)}${']'.repeat(2_000)}`,
    '{"email":',
  ]
  for (const body of bodies) {
    const response = await web.fetch('/subscribe', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect([400, 413, 422], body.slice(0, 60)).toContain(response.status)
  }
  expect(await rowsOf(web, 'select id from activations')).toEqual([])
})

test('the honeypot and a forged stamp are answered the same, and nothing is sent', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  const reader = aReader(web)
  const base = { newsletters: newsletter.slug }
  for (const more of [{ website: 'http://spam.example' }, { stamp: 'forged' }]) {
    const answer = await reader.post('/subscribe', { email: 'a@reader.example', ...base, ...more })
    expect(answer.status).toBe(200)
  }
  await services.signupDecisions.decideAll()
  expect(await rowsOf(web, 'select distinct decision from activations')).toEqual([{ decision: 'machine' }])
  expect(await rowsOf(web, 'select id from outbox')).toEqual([])
})

test('an address that is none is told so however often, and uses up nothing', async () => {
  const web = await aWeb()
  const newsletter = await aNewsletter(web.context.database)
  const signUp = async (email: string) =>
    (
      await web.fetch('/subscribe', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, newsletters: [newsletter.slug] }),
      })
    ).status
  for (let n = 0; n < 20; n++) expect(await signUp('nobody')).toBe(422)
  for (let n = 0; n < 15; n++) expect(await signUp(`a${n}@reader.example`)).toBe(202)
  expect(await signUp('a15@reader.example')).toBe(429)
  expect(await signUp('nobody')).toBe(422)
})

test('a form sent at once is taken, under the limits of one without a stamp', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  const reader = aReader(web)
  const statuses: number[] = []
  for (let n = 0; n < 16; n++) {
    // Each is of a form that was opened just now, however long the others took.
    const form = { newsletters: newsletter.slug, stamp: services.signups.formStamp() }
    statuses.push((await reader.post('/subscribe', { email: `a${n}@reader.example`, ...form })).status)
  }
  expect(statuses).toEqual([...Array<number>(15).fill(200), 429])
  await services.signupDecisions.decideAll()
  expect(await rowsOf(web, 'select count(*)::int as n from outbox')).toEqual([{ n: 15 }])
})

test('DOI-8 a dump of the database holds no token that opens anything', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  const reader = aReader(web)
  await reader.post('/subscribe', { email: 'a@reader.example', newsletters: newsletter.slug })
  await services.signupDecisions.decideAll()
  const tables = await rowsOf<{ name: string }>(
    web,
    "select tablename as name from pg_tables where schemaname = 'public'",
  )
  let dump = ''
  for (const { name } of tables) dump += JSON.stringify(await rowsOf(web, `select t::text from ${name} t`))
  const [activation] = await rowsOf<{ id: string }>(web, 'select id from activations')
  const url = services.subscriptionLinks.activationUrl(activation?.id ?? '')
  const mac = url.slice(url.lastIndexOf('.') + 1)
  const [browser = ''] = reader.cookies.values()
  expect(dump).toContain(activation?.id)
  for (const secret of [mac, browser, Buffer.from(browser, 'base64url').toString('hex')]) {
    expect(dump).not.toContain(secret)
  }
})

const limitOf = (address: Address) => hashForLimits(createKeyring([testSecret]), address)[0]
