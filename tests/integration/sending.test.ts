import { expect, test } from 'vitest'
import { DomainError } from '../../src/errors.ts'
import type { Database } from '../../src/store/database.ts'
import { aClient, cloneDatabase, openTestDatabase } from '../support/database.ts'
import { plainWriters } from '../support/plain-writers.ts'
import { aSender, quickTimes } from '../support/sending.ts'
import { countByState, aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'

const addressesOf = (sink: { received: { to: string[] }[] }) => sink.received.flatMap((mail) => mail.to)

test('a mail put into the outbox reaches its one recipient', async () => {
  const database = openTestDatabase(await cloneDatabase())
  const sink = await aSmtpSink()
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await database.stores.outbox.insert({ kind: 'address-changed', address: 'desk@rivage.example' })
  await sending.deliverMail()
  expect(addressesOf(sink)).toEqual(['desk@rivage.example'])
  await sending.deliverMail()
  expect(sink.received).toHaveLength(1)
})

test('a digest reaches every reader once, and completes by its equation', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  const { digestId } = await aSendingDigest(url, { readers: 100 })
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await sending.deliverDigest(digestId)
  expect(new Set(addressesOf(sink)).size).toBe(100)
  expect(sink.received).toHaveLength(100)
  expect(await countByState(database, digestId)).toMatchObject({ accepted: 100, pending: 0 })
  expect(await query(url, 'select state from digests')).toEqual([{ state: 'completed' }])
})

test('two workers share one digest, and nobody gets two copies', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  const { digestId } = await aSendingDigest(url, { readers: 300 })
  const workers = [
    await aSender(database, { smtpUrl: sink.url }),
    await aSender(database, { smtpUrl: sink.url }),
  ]
  await Promise.all(workers.map(({ sending }) => sending.deliverDigest(digestId)))
  expect(new Set(addressesOf(sink)).size).toBe(300)
  expect(sink.received).toHaveLength(300)
})

test('a connection begins no message while the one before it is not on record', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  const { digestId } = await aSendingDigest(url, { readers: 2 })
  const { sending } = await aSender(database, { smtpUrl: sink.url, connections: 1 })
  const counts = () => countByState(database, digestId)
  const endWaiting = () =>
    query(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    )
  sink.faults.push({ at: 'dot', do: 'late' })
  const run = sending.deliverDigest(digestId)
  await expect.poll(counts).toMatchObject({ committing: 1 })
  const inTheWay = await aClient(url)
  await inTheWay.query('begin')
  await inTheWay.query(`select from deliveries where state = 'committing' for update`)
  sink.faults.splice(0)
  // The record of the first fails, and is tried again and again: time enough to be granted the second.
  for (let n = 0; n < 3; n++) await expect.poll(endWaiting, { timeout: 5_000 }).toHaveLength(1)
  expect(await counts()).toMatchObject({ committing: 1, claimed: 1 })
  expect(sink.received).toHaveLength(1)
  await inTheWay.query('rollback')
  await run
  expect(sink.received).toHaveLength(2)
  expect(await counts()).toMatchObject({ accepted: 2 })
})

/** A digest for five on its way; `meanwhile` happens whenever the message of the third is to be written. */
async function aDigestOfFive(meanwhile: (room: { url: string; database: Database; id: number }) => unknown) {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  const { digestId } = await aSendingDigest(url, { readers: 5 })
  const { sending } = await aSender(database, {
    smtpUrl: sink.url,
    connections: 1,
    writers: {
      async digest(id) {
        const write = await plainWriters.digest(id)
        return async (delivery) => {
          if (delivery.address.startsWith('reader-3@')) await meanwhile({ url, database, id: delivery.key })
          return write(delivery)
        }
      },
    },
  })
  await sending.deliverDigest(digestId)
  return { database, sink, digestId }
}

test('who left before the message ended is not mailed', async () => {
  const { database, sink, digestId } = await aDigestOfFive(({ url, id }) =>
    query(
      url,
      `update subscriptions set state = 'ended', ended_reason = 'unsubscribed', ended_at = now()
       where subscriber_id = $1`,
      [id],
    ),
  )
  expect(addressesOf(sink)).not.toContain('reader-3@reader.example')
  expect(await countByState(database, digestId)).toMatchObject({ accepted: 4, skipped: 1 })
  expect(await database.stores.digestProgress.list(digestId, { state: 'skipped', limit: 9 })).toMatchObject([
    { reason: 'unsubscribed' },
  ])
})

test('whose address changed before the message ended gets it at the new one alone', async () => {
  const hash = { keyId: 'k', hmac: Buffer.alloc(32) }
  const { database, sink, digestId } = await aDigestOfFive(({ database, id }) =>
    database.stores.subscribers.updateAddress(id, 'new@reader.example', hash),
  )
  expect(addressesOf(sink)).not.toContain('reader-3@reader.example')
  expect(addressesOf(sink)).toContain('new@reader.example')
  expect(await countByState(database, digestId)).toMatchObject({ accepted: 5 })
})

test('a message that the database was too busy for is written again, and its reader gets it', async () => {
  let isAway = true
  const { database, sink, digestId } = await aDigestOfFive(() => {
    if (!isAway) return
    isAway = false
    throw new DomainError('unavailable', 'database_busy', 'Try again.')
  })
  expect(await countByState(database, digestId)).toMatchObject({ accepted: 5, rejected: 0 })
  expect(sink.received).toHaveLength(5)
})

test('a refused recipient is rejected, that person only', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.1.1 Unknown', recipients: '^reader-[37]@' })
  const { digestId } = await aSendingDigest(url, { readers: 20 })
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await sending.deliverDigest(digestId)
  expect(await countByState(database, digestId)).toMatchObject({ accepted: 18, rejected: 2 })
})

test('a server that refuses five people in a row pauses the digest, and nobody is marked', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'mail', do: 'reply', reply: '550 5.7.1 Not here' })
  const { digestId } = await aSendingDigest(url, { readers: 50 })
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await sending.deliverDigest(digestId)
  expect(await query(url, 'select state, paused_reason from digests')).toEqual([
    { state: 'paused', paused_reason: 'refused' },
  ])
  expect(await countByState(database, digestId)).toMatchObject({ rejected: 0, expired: 0 })
  expect(await query(url, 'select from deliveries where attempt > 0')).toEqual([])
})

test.each(['data', 'dot'] as const)('a lone 5xx at %s is that message', async (at) => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  sink.faults.push({ at, do: 'reply', reply: '554 5.6.0 No', recipients: '^reader-4@' })
  const { digestId } = await aSendingDigest(url, { readers: 20 })
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await sending.deliverDigest(digestId)
  expect(await countByState(database, digestId)).toMatchObject({ accepted: 19, rejected: 1 })
})

test('a 4xx comes again after the back-off', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '450 4.2.1 Later', recipients: '^reader-4@', times: 1 })
  const { digestId } = await aSendingDigest(url, { readers: 20 })
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await sending.deliverDigest(digestId)
  expect(await countByState(database, digestId)).toMatchObject({ accepted: 19, deferred: 1 })
  await expect
    .poll(
      async () => {
        await sending.recover()
        await sending.deliverDigest(digestId)
        return countByState(database, digestId)
      },
      { timeout: 20_000 },
    )
    .toMatchObject({ accepted: 20 })
})

test.each(['resend_once', 'hold'] as const)('%s: an answer that never came', async (policy) => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'dot', do: 'close', recipients: '^reader-4@' })
  const { digestId } = await aSendingDigest(url, { readers: 20, policy })
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await expect
    .poll(
      async () => {
        await sending.recover()
        await sending.deliverDigest(digestId)
        return query(url, 'select state from digests')
      },
      { timeout: 20_000 },
    )
    .toEqual([{ state: 'completed_with_uncertain' }])
  const copies = addressesOf(sink).filter((address) => address.startsWith('reader-4@')).length
  expect(copies).toBe(policy === 'hold' ? 1 : 2)
  expect(await countByState(database, digestId)).toMatchObject({
    accepted: 19,
    uncertain: 1,
  })
})

test('a server that is away for everyone pauses the sending, not the people', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const { digestId } = await aSendingDigest(url, { readers: 200 })
  const { sending } = await aSender(database, {
    smtpUrl: 'smtp://127.0.0.1:1',
    times: { ...quickTimes, backOffMinutes: [1] },
  })
  await sending.deliverDigest(digestId)
  const counts = await countByState(database, digestId)
  expect(counts.pending + counts.deferred).toBe(200)
  expect(counts.deferred).toBeLessThanOrEqual(8)
})

test('SND-8 a domain that refuses us for our reputation rests; its readers wait, everybody else is mailed', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.7.1 Blocked', recipients: '@strict.example$' })
  const { digestId } = await aSendingDigest(url, { readers: 60 })
  await query(url, `update subscribers set address = replace(address, 'reader.', 'strict.') where id % 2 = 0`)
  const { sending } = await aSender(database, {
    smtpUrl: sink.url,
    times: { ...quickTimes, backOffMinutes: [60] },
  })
  await sending.deliverDigest(digestId)
  expect(addressesOf(sink)).toHaveLength(30)
  const reasons = await query<{ reason: string; n: number }>(
    url,
    `select reason, count(*)::int as n from deliveries where state = 'deferred' group by 1 order by 1`,
  )
  expect(reasons.map(({ reason }) => reason)).toEqual(['domain_rests', 'rcpt_550'])
  // Two are recorded, and five more wait for a mail that is taken, with what the three other connections had begun by then.
  expect(reasons[1]?.n).toBeLessThanOrEqual(10)
})

test('SND-8 a domain that greylists is asked again, each reader for themselves', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  const reply = '451 4.7.1 Greylisting in action, please come back later'
  sink.faults.push({ at: 'rcpt', do: 'reply', reply, recipients: '@grey.example$' })
  const { digestId } = await aSendingDigest(url, { readers: 40 })
  await query(url, `update subscribers set address = replace(address, 'reader.', 'grey.') where id % 2 = 0`)
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await sending.deliverDigest(digestId)
  expect(addressesOf(sink)).toHaveLength(20)
  expect(
    await query(
      url,
      `select reason, count(*)::int as n from deliveries where state = 'deferred' group by 1 order by 1`,
    ),
  ).toEqual([{ reason: 'rcpt_451', n: 20 }])
})

test.each(['data', 'dot'] as const)(
  'SND-8 a large domain that refuses for reputation at %s rests; nobody is rejected, the others are mailed',
  async (at) => {
    const url = await cloneDatabase()
    const database = openTestDatabase(url)
    const sink = await aSmtpSink()
    sink.faults.push({ at, do: 'reply', reply: '554 5.7.1 Blocked', recipients: '@strict.example$' })
    const { digestId } = await aSendingDigest(url, { readers: 100 })
    await query(
      url,
      `update subscribers set address = replace(address, 'reader.', 'strict.') where id % 5 < 3`,
    )
    const { sending, refused } = await aSender(database, {
      smtpUrl: sink.url,
      times: { ...quickTimes, backOffMinutes: [60] },
    })
    await sending.deliverDigest(digestId)
    expect(await query(url, 'select state from digests')).toEqual([{ state: 'sending' }])
    expect(addressesOf(sink)).toHaveLength(40)
    expect(await countByState(database, digestId)).toMatchObject({
      accepted: 40,
      deferred: 60,
      rejected: 0,
    })
    expect(refused.length).toBeGreaterThanOrEqual(3)
  },
)

test('five domains in a row that refuse at the end of the message are the server: the digest pauses', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'dot', do: 'reply', reply: '554 5.7.1 Spam' })
  const { digestId } = await aSendingDigest(url, { readers: 50 })
  await query(url, `update subscribers set address = replace(address, '@', '@d' || id % 10 || '.')`)
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  await sending.deliverDigest(digestId)
  expect(await query(url, 'select state, paused_reason from digests')).toEqual([
    { state: 'paused', paused_reason: 'refused' },
  ])
  expect(await countByState(database, digestId)).toMatchObject({ rejected: 0, expired: 0 })
  expect(await query(url, 'select from deliveries where attempt > 0')).toEqual([])
})

test('a reader whose mailbox deferred until the digest was stale is reported; one our server failed is not', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '450 4.2.0 Later', recipients: '^reader-2@' })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '421 4.3.2 Closing', recipients: '^reader-3@' })
  const { digestId } = await aSendingDigest(url, { readers: 4 })
  await query(url, `update digests set expires_at = now() + interval '10 minutes'`)
  const { sending, refused } = await aSender(database, {
    smtpUrl: sink.url,
    connections: 2,
    times: { ...quickTimes, backOffMinutes: [60] },
  })
  await sending.deliverDigest(digestId)
  expect(await countByState(database, digestId)).toMatchObject({
    accepted: 2,
    expired: 1,
    deferred: 1,
  })
  const ids = await query<{ id: string; address: string }>(url, 'select id, address from subscribers')
  const isLast = (name: string) => {
    const id = Number(ids.find(({ address }) => address.startsWith(`${name}@`))?.id)
    return refused.find((each) => each.kind === 'digest' && each.subscriberId === id)?.isLast
  }
  expect(isLast('reader-2')).toBe(true)
  expect(isLast('reader-3')).toBeUndefined()
})
