import { expect, test } from 'vitest'
import { providerNames } from '../../src/domain/deliverability/provider-event.ts'
import { createMetrics } from '../../src/metrics.ts'
import { aProviderRoom, untouched } from '../support/provider-room.ts'

const dead = '550 5.1.1 <someone@elsewhere.example>: user unknown'

test('what a relay of any kind reports about our mail is judged as a returned mail would be', async () => {
  const room = await aProviderRoom('generic')
  const [first, second, third] = room.readers
  const events = [
    {
      event: 'bounce',
      id: '1',
      recipient: first.address.toUpperCase(),
      messageId: first.messageId,
      text: dead,
    },
    { event: 'complaint', id: '2', recipient: second.address, messageId: second.messageId },
    { event: 'unsubscribe', id: '3', recipient: third.address, messageId: third.messageId },
    { event: 'opened', id: '4', recipient: third.address, messageId: third.messageId },
    { event: 'eclipse', id: '5' },
  ]
  expect(await room.postJson(events)).toBe(200)
  expect(await room.readersNow()).toEqual(['bounced', 'complained', 'unsubscribed'])
  expect(await room.suppressed()).toEqual(['bounced', 'complained'])
  const [bounce, complaint] = await room.rows<Record<string, unknown>>(
    'select source, class, status, smtp_answer, proof, domain from bounces order by id',
  )
  expect(bounce).toMatchObject({ source: 'dsn', class: 'dead', status: '5.1.1', domain: 'reader.example' })
  expect(complaint).toMatchObject({ source: 'arf', class: 'complaint', proof: 'reported-by: generic' })
  expect(JSON.stringify([bounce, complaint])).not.toContain('@')
  expect(await room.rows(`select reason from consents where event = 'ended' order by id`)).toEqual([
    { reason: 'bounced' },
    { reason: 'complained' },
    { reason: 'unsubscribed' },
  ])
  expect(await room.counts()).toEqual({
    bounce: [1, 0],
    complaint: [1, 0],
    unsubscribe: [1, 0],
    progress: [1, 0],
    other: [1, 0],
  })
  expect(await room.web.context.metrics.registry.metrics()).toContain(
    'depeche_provider_events_total{provider="generic",kind="complaint"} 1',
  )
  expect(createMetrics().registry.getSingleMetric('depeche_provider_events_total')).toBeDefined()
})

test('what was heard once changes nothing when it is heard again, for thirty days', async () => {
  const room = await aProviderRoom('generic')
  const [first] = room.readers
  const full = {
    event: 'bounce',
    id: 'a',
    recipient: first.address,
    messageId: first.messageId,
    text: '552 5.2.2 full',
  }
  await room.postJson(full)
  await room.rows(`update bounces set at = at - interval '2 days'`)
  expect(await room.postJson(full)).toBe(200)
  expect(await room.classes()).toEqual(['full'])
  expect(await room.counts()).toEqual({ bounce: [1, 0] })
  await room.rows(`update provider_events set at = at - interval '29 days'`)
  await room.services.upkeep.sweep()
  expect(await room.rows('select event_id from provider_events')).toEqual([{ event_id: 'a' }])
  await room.rows(`update provider_events set at = at - interval '2 days'`)
  await room.services.upkeep.sweep()
  expect(await room.rows('select event_id from provider_events')).toEqual([])
})

test('greylisting of a mail of ours is nobody’s fault, and is not taken for a mail of somebody else', async () => {
  const room = await aProviderRoom('generic')
  const [{ address: recipient, messageId }] = room.readers
  const event = { event: 'bounce', id: 'a', recipient, messageId, text: '450 4.2.0 Greylisted, try later' }
  expect(await room.postJson(event)).toBe(200)
  expect(await room.counts()).toEqual({ bounce: [1, 0] })
  await untouched(room)
})

test('two processes that hear the same event at once record it once', async () => {
  const room = await aProviderRoom('generic')
  const [first] = room.readers
  const event = {
    event: 'bounce',
    id: 'a',
    recipient: first.address,
    messageId: first.messageId,
    text: '452 4.2.2 full',
  }
  const answers = await Promise.all(Array.from({ length: 8 }, () => room.postJson(event)))
  expect(new Set(answers)).toEqual(new Set([200]))
  expect(await room.classes()).toEqual(['full'])
})

test('an address alone, another person’s, a forged seal or an unknown mail changes nothing', async () => {
  const room = await aProviderRoom('generic')
  const [first, second] = room.readers
  const forged = first.messageId.replace(/\.(.)/, (_, letter: string) => `.${letter === 'a' ? 'b' : 'a'}`)
  for (const event of ['bounce', 'complaint', 'unsubscribe']) {
    const shared = { event, recipient: first.address, text: dead }
    const strange = [
      shared,
      { ...shared, recipient: second.address, messageId: first.messageId },
      { ...shared, recipient: '', messageId: first.messageId },
      { ...shared, messageId: forged },
      { ...shared, messageId: '<CAF=x@mail.example>', relayId: '4Xyz1234567' },
    ]
    expect(await room.postJson(strange)).toBe(200)
    expect((await room.counts())[event]).toEqual([5, 5])
  }
  await untouched(room)
})

test('a mail is found by the name that the relay gave it', async () => {
  const room = await aProviderRoom('generic')
  const [first, second] = room.readers
  const leases = room.web.context.database.stores.deliveries.leasesOf(
    room.digestId,
    room.web.context.sendingTimes,
  )
  await leases.record([
    { key: first.id, answer: '250 Ok 0107018f2b3c-1f2e-000000' },
    { key: second.id, answer: '250 2.0.0 Ok: queued as <4Xyz123@relay.example>' },
  ])
  expect(
    await room.rows('select relay_id from deliveries where relay_id is not null order by subscriber_id'),
  ).toEqual([{ relay_id: '0107018f2b3c-1f2e-000000' }, { relay_id: '4Xyz123@relay.example' }])
  await room.postJson([
    { event: 'bounce', recipient: first.address, relayId: '0107018f2b3c-1f2e-000000', text: dead },
    { event: 'complaint', recipient: first.address, relayId: '4Xyz123@relay.example' },
  ])
  expect(await room.readersNow()).toEqual(['bounced', 'active', 'active'])
})

test('the address is the proof where nothing is signed, until it is renewed', async () => {
  const room = await aProviderRoom('postmark')
  const [first] = room.readers
  const bounce = {
    RecordType: 'Bounce',
    ID: 42,
    Type: 'HardBounce',
    TypeCode: 1,
    MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
    Details: 'smtp;550 5.1.1 The email account that you tried to reach does not exist',
    Email: first.address,
    Metadata: { depeche: first.seal },
  }
  const { url } = await room.services.providers.renew('postmark', { kind: 'cli', role: 'admin' })
  const renewed = new URL(url).pathname
  const wrong = [
    room.path,
    `${renewed}x`,
    renewed.slice(0, -1),
    `/inbound/postmark/${renewed.slice(18).toUpperCase()}`,
    '/inbound/brevo/abc',
    '/inbound/postmark/%00',
  ]
  for (const path of wrong) {
    const response = await room.web.fetch(path, { method: 'POST', body: JSON.stringify(bounce) })
    expect([response.status, await response.text()], path).toEqual([401, ''])
  }
  expect((await room.web.fetch('/inbound/pigeon/abc', { method: 'POST', body: '{}' })).status).toBe(404)
  await untouched(room)
  expect(await room.postJson(bounce, renewed)).toBe(200)
  expect(await room.readersNow()).toEqual(['bounced', 'active', 'active'])
})

test.each(providerNames)('%s: whatever is posted, the answer is never an error of ours', async (name) => {
  const room = await aProviderRoom(name)
  const deep = '['.repeat(20_000) + ']'.repeat(20_000)
  const bodies = [
    '',
    '{',
    'null',
    '7',
    '"x"',
    '[]',
    '{}',
    '[[],{}]',
    deep,
    '{"event":{}}',
    '[null,1,"x"]',
    '{"__proto__":1}',
    '\u0000',
    '{"RecordType":"Bounce","Type":"constructor"}',
    '{"event":"toString","email":"a\\u0000b"}',
    '{"event":"bounce","id":"\\u0000"}',
  ]
  for (const body of bodies) expect(await room.post({ body }), body.slice(0, 40)).toBeLessThan(500)
  for (const body of ['', '{', '\u0000']) expect(await room.post({ body })).toBe(400)
  const large = `"${'x'.repeat(1024 * 1024 - 2)}"`
  expect(await room.post({ body: large })).not.toBe(413)
  expect(await room.post({ body: `${large} ` })).toBe(413)
  expect(await room.post({ body: '{}', headers: { 'content-encoding': 'gzip' } })).toBe(400)
  await untouched(room)
})

test('a thousand events cost as many statements as the few that are about us', async () => {
  const room = await aProviderRoom('generic')
  const [first] = room.readers
  const events = Array.from({ length: 999 }, (_, n) => ({
    event: 'complaint',
    id: `x${n}`,
    recipient: first.address,
    relayId: `queue-${n}`,
  }))
  const before = await statements(room)
  expect(
    await room.postJson([
      ...events,
      { event: 'complaint', id: 'y', recipient: first.address, messageId: first.messageId },
    ]),
  ).toBe(200)
  expect((await statements(room)) - before).toBeLessThan(40)
  expect(await room.counts()).toEqual({ complaint: [1_000, 999] })
  expect(await room.readersNow()).toEqual(['complained', 'active', 'active'])
  expect(await room.postJson([...events, ...events])).toBe(422)
})

async function statements(room: Awaited<ReturnType<typeof aProviderRoom>>): Promise<number> {
  const [row] = await room.rows<{ n: string }>(
    'select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()',
  )
  return Number(row?.n)
}
