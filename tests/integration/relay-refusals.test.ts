import { expect, test } from 'vitest'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aSender, quickTimes, type SenderOptions } from '../support/sending.ts'
import { countByState, aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink, type SinkFault, type SmtpSink } from '../support/smtp-sink.ts'

interface RoomOptions extends Partial<SenderOptions> {
  readers: number
  /** Of a reader's number. */
  domainOf?: (n: number) => string
  workers?: number
}

/** A digest on its way, one worker or more, and what became of everyone. */
async function aRoom({ readers, domainOf, workers = 1, ...options }: RoomOptions) {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  const { digestId } = await aSendingDigest(url, { readers })
  const domains = Array.from({ length: readers }, (_, n) => domainOf?.(n + 1) ?? `d${n % 7}.example`)
  await query(
    url,
    `update subscribers s set address = split_part(address, '@', 1) || '@' || d.domain
     from unnest($1::text[]) with ordinality as d (domain, n) where address like 'reader-' || d.n || '@%'`,
    [domains],
  )
  const senders = await Promise.all(
    Array.from({ length: workers }, () => aSender(database, { smtpUrl: sink.url, ...options })),
  )
  const round = async () => {
    for (const { sending } of senders) await sending.recover()
    await Promise.all(senders.map(({ sending }) => sending.deliverDigest(digestId)))
  }
  const pass = async () => {
    await query(url, `update digests set probe_at = now() where state = 'paused'`)
    await query(url, `update deliveries set next_at = now() where state = 'deferred'`)
  }
  const findDigest = async () => {
    const [row] = await query<{ state: string; paused_reason: string | null; relay_answer: string | null }>(
      url,
      'select state, paused_reason, relay_answer from digests',
    )
    return row
  }
  return {
    url,
    database,
    sink,
    digestId,
    senders,
    round,
    findDigest,
    counts: () => countByState(database, digestId),
    pass,
    /** Nothing but what a worker does by itself; `isLater`: each time as if the pauses were over. */
    goesOnUntil: (state: string, { isLater = false } = {}) =>
      expect
        .poll(
          async () => {
            if (isLater) await pass()
            await round()
            return (await findDigest())?.state
          },
          { timeout: 20_000, interval: 20 },
        )
        .toBe(state),
  }
}

const addressesOf = (sink: SmtpSink) => sink.received.flatMap(({ to }) => to)

/** What would be charged to a person. */
const charged = (url: string) =>
  query(
    url,
    `select 'delivery' as what from deliveries where state in ('rejected', 'expired') or (state <> 'accepted' and attempt > 0)
     union all select 'bounce' from bounces
     union all select 'points' from subscribers where bounce_score > 0
     union all select 'suppression' from suppressions
     union all select 'ended' from subscriptions where state = 'ended'
     union all select 'mail' from outbox where state in ('rejected', 'expired')
     union all select 'activation' from activations where expires_at <= now()`,
  )

const unseen = '550 Zzyzx: the wibble is out of frobs'

test.each<[SinkFault['at'], string, string]>([
  ['rcpt', '550 You have exceeded the hourly limit of 20 messages', 'relay_refuses'],
  ['rcpt', '550 5.4.5 Daily user sending limit exceeded', 'relay_refuses'],
  ['dot', '454 Throttling failure: Daily message quota exceeded', 'relay_refuses'],
  ['dot', '554 Message rejected: Email address is not verified', 'relay_refuses'],
  ['data', '451 Maximum credits exceeded', 'relay_refuses'],
  ['mail', '530 5.7.57 Client not authenticated to send mail', 'relay_refuses'],
  ['greeting', '554 5.7.1 Not you', 'relay_refuses'],
  ['mail', unseen, 'refused'],
  ['rcpt', unseen, 'refused'],
  ['data', unseen, 'refused'],
  ['dot', unseen, 'refused'],
  ['rcpt', '550 5.1.1 User unknown', 'refused'],
  ['rcpt', '451 Zzyzx', 'refused'],
])('a relay that takes some and then says at %s: %s', async (at, reply, reason) => {
  const { url, sink, round, findDigest, goesOnUntil } = await aRoom({ readers: 40 })
  if (at === 'greeting') sink.faults.push({ at: 'dot', do: 'close', after: 1_000 })
  sink.faults.push({ at, do: 'reply', reply, after: at === 'greeting' ? 0 : 15 })
  await round()
  expect(await findDigest()).toEqual({ state: 'paused', paused_reason: reason, relay_answer: reply })
  expect(await charged(url)).toEqual([])
  for (let n = 0; n < 4; n++) {
    await query(url, `update digests set probe_at = now() where state = 'paused'`)
    await round()
  }
  expect(await charged(url)).toEqual([])
  sink.faults.length = 0
  await goesOnUntil('completed', { isLater: true })
  expect(new Set(addressesOf(sink)).size).toBe(40)
  expect(sink.received).toHaveLength(40)
  expect(
    await query(url, 'select from digests where relay_since is not null or probe_at is not null'),
  ).toEqual([])
})

test('a refusal in words of the relay costs five conversations, and one at each probe', async () => {
  const { sink, round, url } = await aRoom({ readers: 30, connections: 1 })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.4.5 Daily user sending limit exceeded' })
  const listRefused = () => query(url, 'select from deliveries where suspect_at is not null')
  await round()
  expect(await listRefused()).toHaveLength(5)
  await query(url, `update digests set probe_at = now()`)
  await round()
  expect(await listRefused()).toHaveLength(6)
})

test.each([1, 10])(
  'words about us of one domain, passed on, over %i connections: nobody else waits, its readers cost nothing',
  async (connections) => {
    const isStrict = (n: number) => n % 4 === 1
    const domainOf = (n: number) => (isStrict(n) ? 'strict.example' : `d${n % 7}.example`)
    const { url, sink, round, findDigest, counts } = await aRoom({ readers: 80, connections, domainOf })
    const reply = '550 5.4.5 Daily user sending limit exceeded'
    sink.faults.push({ at: 'rcpt', do: 'reply', reply, recipients: '@strict.example$' })
    const goesOn = async () => {
      await round()
      return sink.received.length
    }
    await expect.poll(goesOn, { timeout: 20_000, interval: 20 }).toBe(60)
    expect(await counts()).toMatchObject({ accepted: 60, deferred: 20 })
    expect(await findDigest()).toMatchObject({ state: 'sending', relay_answer: null })
    expect(await query(url, 'select from bounces')).toEqual([])
  },
)

test('a server that was in trouble has not refused us: words about us of one domain stop nobody', async () => {
  const domainOf = (n: number) => (n === 2 ? 'strict.example' : `d${n % 7}.example`)
  const times = { ...quickTimes, backOffMinutes: [60], relayBackOffMinutes: [60] }
  const { url, sink, round, findDigest, counts } = await aRoom({
    readers: 20,
    connections: 1,
    domainOf,
    times,
  })
  sink.faults.push({ at: 'mail', do: 'reply', reply: '421 4.3.2 Closing', times: 1 })
  const reply = '550 5.4.5 Daily user sending limit exceeded'
  sink.faults.push({ at: 'rcpt', do: 'reply', reply, recipients: '@strict.example$' })
  const listRefused = async () => {
    await round()
    return query(url, 'select reason from deliveries where suspect_at is not null')
  }
  await expect.poll(listRefused, { timeout: 20_000, interval: 20 }).toEqual([{ reason: 'rcpt_550' }])
  expect(await findDigest()).toMatchObject({ state: 'sending', relay_answer: null })
  expect(await counts()).toMatchObject({ accepted: 18, deferred: 2 })
})

test('an editor who pauses is not overruled, one who resumes need not wait, and one who cancels ends it', async () => {
  const { url, sink, round, findDigest, senders, counts } = await aRoom({
    readers: 20,
    times: { ...quickTimes, relayBackOffMinutes: [60] },
  })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: unseen })
  await round()
  await query(url, `update digests set paused_reason = 'by_hand', probe_at = null`)
  await round()
  expect(await findDigest()).toMatchObject({ state: 'paused', paused_reason: 'by_hand' })
  await query(url, `update digests set state = 'sending', paused_reason = null, resume_state = null`)
  await round()
  expect(await findDigest()).toMatchObject({ state: 'paused', paused_reason: 'refused' })
  await query(url, `update digests set state = 'cancelled', completed_at = now()`)
  await senders[0]?.sending.endCancelled()
  expect(await counts()).toMatchObject({ skipped: 20, rejected: 0 })
})

const mailboxUnavailable = '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)'

test.each([
  ['in the middle', 10, 6],
  ['first', 1, 5],
  ['first, and many', 1, 14],
])(
  'dead readers in a row, %s: everybody else has it, and they are recorded as theirs',
  async (_, from, many) => {
    const isDead = (n: number) => n >= from && n < from + many
    const { url, sink, goesOnUntil, counts } = await aRoom({
      readers: 40,
      connections: 2,
      domainOf: (n) => (isDead(n) ? 'outlook.example' : `d${n % 5}.example`),
    })
    sink.faults.push({ at: 'rcpt', do: 'reply', reply: mailboxUnavailable, recipients: '@outlook.example$' })
    await goesOnUntil('completed')
    expect(await counts()).toMatchObject({ accepted: 40 - many, rejected: many })
    expect(sink.received).toHaveLength(40 - many)
    const [bounces] = await query<{ n: string }>(
      url,
      'select count(distinct subscriber_id) as n from bounces',
    )
    expect(Number(bounces?.n)).toBe(many)
  },
)

test.each([3, 7])(
  'the last %i readers of a digest are dead: one who has it tells that it is they',
  async (many) => {
    const { url, sink, goesOnUntil, counts } = await aRoom({ readers: 20, connections: 2 })
    const dead = Array.from({ length: many }, (_, n) => 20 - n).join('|')
    sink.faults.push({
      at: 'rcpt',
      do: 'reply',
      reply: '550 5.1.1 Unknown',
      recipients: `^reader-(${dead})@`,
    })
    await goesOnUntil('completed')
    expect(await counts()).toMatchObject({ accepted: 20 - many, rejected: many })
    expect(sink.received).toHaveLength(20 - many)
    expect(await query(url, 'select from suppressions where reason = $1', ['bounced'])).toHaveLength(many)
  },
)

test('a relay that turns away only the last three is not believed where it turns away one it had taken', async () => {
  const { url, sink, goesOnUntil, round, findDigest } = await aRoom({ readers: 20, connections: 2 })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.1.1 Unknown', after: 17 })
  await round()
  expect(await findDigest()).toMatchObject({ state: 'paused', paused_reason: 'refused' })
  expect(await charged(url)).toEqual([])
  sink.faults.length = 0
  await goesOnUntil('completed')
  expect(sink.received).toHaveLength(20)
})

test('the last readers are refused after their message: nobody is charged while nobody can tell', async () => {
  const { url, sink, goesOnUntil, round, findDigest } = await aRoom({ readers: 20, connections: 1 })
  sink.faults.push({ at: 'dot', do: 'reply', reply: unseen, recipients: '^reader-(1[4-9]|20)@' })
  await round()
  expect(await findDigest()).toMatchObject({ state: 'paused', paused_reason: 'refused' })
  await query(url, `update digests set expires_at = now() + interval '1 second'`)
  await goesOnUntil('completed')
  expect(await query(url, 'select from bounces')).toEqual([])
  expect(await query(url, `select from deliveries where state = 'expired'`)).toHaveLength(7)
})

test('twenty connections, two workers, refusals and acceptances side by side', async () => {
  const { url, sink, goesOnUntil, counts } = await aRoom({ readers: 300, connections: 20, workers: 2 })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: unseen, after: 100, times: 60 })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.1.1 Unknown', recipients: '^reader-\\d*77@' })
  await goesOnUntil('completed')
  expect(await counts()).toMatchObject({ accepted: 297, rejected: 3 })
  expect(sink.received).toHaveLength(297)
  expect(await query(url, 'select from bounces')).toHaveLength(3)
})

test.each([
  ['rcpt', unseen, 1],
  ['dot', unseen, 1],
  ['data', '550 5.1.1 User unknown', 4],
] as const)(
  'a relay that takes a few mails an hour and refuses the others at %s: %s, over %i connections',
  async (at, reply, connections) => {
    const { url, sink, round, pass, goesOnUntil } = await aRoom({ readers: 70, connections })
    for (let hour = 0; hour < 5; hour++) {
      sink.faults.splice(0, 1, { at, do: 'reply', reply, after: 9 })
      for (let probe = 0; probe < 3; probe++) {
        await pass()
        await round()
        expect(await charged(url)).toEqual([])
      }
    }
    sink.faults.length = 0
    await goesOnUntil('completed', { isLater: true })
    expect(await charged(url)).toEqual([])
    expect(new Set(addressesOf(sink)).size).toBe(70)
    expect(sink.received).toHaveLength(70)
  },
)

test('a mail on its way since before a refusal does not tell that the server takes mail again', async () => {
  const { url, sink, senders, digestId, round, goesOnUntil, counts } = await aRoom({
    readers: 20,
    connections: 1,
    workers: 2,
    times: { ...quickTimes, troubleSeconds: 0 },
  })
  sink.faults.push({ at: 'data', do: 'late', recipients: '^reader-1@' })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: unseen, after: 1 })
  const first = senders[0]?.sending.deliverDigest(digestId)
  await expect.poll(() => query(url, `select from deliveries where state = 'claimed'`)).not.toEqual([])
  await senders[1]?.sending.deliverDigest(digestId)
  await query(url, 'update digests set probe_at = now()')
  await senders[1]?.sending.recover()
  sink.faults.shift()
  await first
  await expect.poll(async () => (await counts()).accepted).toBe(1)
  for (let n = 0; n < 4; n++) {
    await query(url, `update digests set probe_at = now() where state = 'paused'`)
    await round()
  }
  expect(await charged(url)).toEqual([])
  sink.faults.length = 0
  await goesOnUntil('completed')
  expect(sink.received).toHaveLength(20)
})

test('a worker that dies with suspects in hand leaves no trace of them', async () => {
  const { url, sink, database, digestId, goesOnUntil } = await aRoom({ readers: 12 })
  const dead = database.stores.deliveries.leasesOf(digestId, { ...quickTimes, leaseSeconds: 0 })
  await dead.claim(4, 0)
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: unseen, times: 8 })
  await goesOnUntil('completed')
  expect(addressesOf(sink)).toHaveLength(12)
  expect(await charged(url)).toEqual([])
})

test('a healthy digest with dead addresses here and there does not pause', { timeout: 60_000 }, async () => {
  const { sink, findDigest, round, counts } = await aRoom({ readers: 1_000, connections: 10 })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.1.1 Unknown', recipients: '^reader-\\d*[27]3@' })
  await round()
  expect(await findDigest()).toMatchObject({ state: 'completed' })
  expect(await counts()).toMatchObject({ accepted: 980, rejected: 20 })
})

test('personal mail waits the same way, a mail for each; five refused one by one are taken back', async () => {
  const { url, sink, database, senders } = await aRoom({ readers: 6, connections: 4 })
  const [sender] = senders
  await query(url, `update digests set state = 'paused', resume_state = 'sending', paused_reason = 'by_hand'`)
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.1.1 User unknown' })
  const people = await query<{ id: string }>(url, 'select id from subscribers order by id')
  const send = async (id: string | undefined) => {
    await database.stores.outbox.insert({ kind: 'preferences-link', subscriberId: Number(id) })
    // Each in a run of its own, past the pause after trouble.
    await expect
      .poll(async () => {
        await sender?.sending.deliverMail()
        return query(url, `select from outbox where state = 'pending'`)
      })
      .toEqual([])
  }
  for (const { id } of people.slice(0, 4)) await send(id)
  expect(await query(url, 'select from suppressions')).toHaveLength(4)
  await send(people[4]?.id)
  expect(await charged(url)).toEqual([])
  expect(await query(url, `select from consents where event = 'restored'`)).toHaveLength(4)
  sink.faults.length = 0
  await expect
    .poll(
      async () => {
        await sender?.sending.recover()
        await sender?.sending.deliverMail()
        return addressesOf(sink).length
      },
      { timeout: 20_000 },
    )
    .toBe(5)
  expect(new Set(addressesOf(sink)).size).toBe(5)
})

test('personal mail that a relay refuses in words of its own waits, and goes when it may', async () => {
  const { url, sink, database, senders } = await aRoom({ readers: 1 })
  await query(url, `update digests set state = 'paused', paused_reason = 'by_hand'`)
  sink.faults.push({ at: 'dot', do: 'reply', reply: '454 Throttling failure: Daily message quota exceeded' })
  for (let n = 0; n < 3; n++) {
    await database.stores.outbox.insert({ kind: 'address-changed', address: `desk${n}@rivage.example` })
  }
  const round = async () => {
    await senders[0]?.sending.recover()
    await senders[0]?.sending.deliverMail()
    return sink.received.length
  }
  await round()
  await round()
  expect(await charged(url)).toEqual([])
  sink.faults.length = 0
  await expect.poll(round, { timeout: 20_000 }).toBe(3)
})
