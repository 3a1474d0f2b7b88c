import { expect, test } from 'vitest'
import { dateIn } from '../../src/domain/calendar.ts'
import { createLogger } from '../../src/log.ts'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/sending-digest.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const never = new AbortController().signal
/** Two in the morning in Algiers, long after. */
const night = new Date('2030-02-01T01:00:00Z')

async function aRoom() {
  let now: Date | undefined
  const lines: string[] = []
  const log = createLogger('info', 'worker', { destination: { write: (line) => lines.push(line) } })
  const web = await aWeb({ now: () => now ?? new Date(), env: { RETENTION_DELIVERIES: '400' }, log })
  const url = web.context.config.databaseUrl
  return {
    ...web,
    lines,
    read: <Row>(statement: string, ...values: unknown[]) => query<Row>(url, statement, values),
    setNow: (at: Date) => {
      now = at
    },
  }
}

/** A digest that ended, with the state that each reader's delivery came to. */
async function anEndedDigest(room: Awaited<ReturnType<typeof aRoom>>, states: string[], story = 'harbour') {
  const { database, services } = room.context
  const newsletter = await aNewsletter(database)
  await anArticle(database, { externalId: story, title: 'Le port' })
  const readers = []
  for (const state of states) readers.push({ ...(await aSubscriber(database, { newsletter })), state })
  const digest = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  const request = { actor: cli, version: () => digest.version, idempotencyKey: `k${digest.id}`, body: {} }
  await services.digestTransitions.send(digest.id, request)
  await services.preparing.prepare(digest.id)
  for (const { id, state } of readers)
    await room.read(
      `update deliveries set state = $3, accepted_at = now(), ambiguous = $4 where digest_id = $1 and subscriber_id = $2`,
      digest.id,
      id,
      state === 'doubled' ? 'rejected' : state,
      state === 'doubled' ? 1 : 0,
    )
  await room.read(
    `update digests set state = 'completed_with_uncertain', completed_at = now() where id = $1`,
    digest.id,
  )
  return { newsletter, digestId: digest.id, readers }
}

test('details older than the days of RETENTION_DELIVERIES become counts, and nobody gets a story again', async () => {
  const room = await aRoom()
  const { context, read } = room
  const { services } = context
  const { digestId, newsletter, readers } = await anEndedDigest(room, [
    'accepted',
    'uncertain',
    'doubled',
    'rejected',
  ])
  const counts = await services.digestProgress.get(digestId)

  // By day nothing moves, nor a day too early, nor while a worker of an older version lives.
  room.setNow(new Date('2030-02-01T12:00:00Z'))
  await services.retention.run(never)
  const early = dateIn('UTC', new Date(Date.now() + 399 * 86_400_000))
  room.setNow(new Date(`${early}T01:00:00Z`))
  await services.retention.run(never)
  await read(`delete from rounds`)
  room.setNow(night)
  await read(`insert into workers (id, generation) values (gen_random_uuid(), 1)`)
  await services.retention.run(never)
  expect(await read(`select from deliveries where digest_id = $1`, digestId)).toHaveLength(4)
  await read(`delete from workers where generation = 1`)
  // It is one worker's work, once a night.
  await Promise.all([services.retention.run(never), services.retention.run(never)])

  expect(await read(`select from deliveries where digest_id = $1`, digestId)).toHaveLength(0)
  expect((await services.digestProgress.get(digestId)).counts).toEqual(counts.counts)
  expect(await services.reports.ofDigest(digestId)).toMatchObject({
    accepted: 1,
    domains: [
      { domain: 'reader.example', state: 'accepted', n: 1 },
      { domain: 'reader.example', state: 'rejected', n: 2 },
      { domain: 'reader.example', state: 'uncertain', n: 1 },
    ],
  })
  expect(await context.database.stores.digests.isPublic(digestId)).toBe(true)
  const explained = await services.digestProgress.explain(readers[0]?.id ?? 0, digestId)
  expect(explained).toMatchObject({
    reason: 'details_gone',
    sentence: 'Details older than 400 days are no longer kept.',
  })

  // Pinned years later, the story goes to the one reader who never had it.
  const again = await services.digests.compose(
    newsletter.slug,
    { cadence: 'daily', pinned: ['harbour'] },
    cli,
  )
  const request = { actor: cli, version: () => again.version, idempotencyKey: 'again', body: {} }
  await services.digestTransitions.send(again.id, request)
  await services.preparing.prepare(again.id)
  const pending = await read<{ id: string }>(
    `select subscriber_id as id from deliveries where digest_id = $1 and state = 'pending'`,
    again.id,
  )
  expect(pending.map(({ id }) => Number(id))).toEqual([readers[3]?.id])
})

test('an erasure reaches what has moved; who was erased before leaves a count alone', async () => {
  const room = await aRoom()
  const { services } = room.context
  const { digestId, newsletter, readers } = await anEndedDigest(room, ['accepted', 'accepted', 'accepted'])
  const [before, after, stays] = readers.map(({ id }) => id)
  await services.subscribers.erase(before ?? 0, cli)
  room.setNow(night)
  await services.retention.run(never)
  const data = await room.context.database.stores.personalData.listMovedDigests(after ?? 0)
  expect(data).toEqual([{ digest: digestId, newsletter: newsletter.slug, isSure: true }])
  await services.subscribers.erase(after ?? 0, cli)
  expect(await room.read(`select subscriber_ids from variant_readers`)).toEqual([
    { subscriber_ids: [String(stays)] },
  ])
  expect(await room.read(`select domain, n from digest_results order by n`)).toEqual([
    { domain: '', n: '1' },
    { domain: 'reader.example', n: '2' },
  ])
})

test('personal mails go after ninety days, and days of views and polls become months', async () => {
  const room = await aRoom()
  const { context, read } = room
  const article = await anArticle(context.database, { externalId: 'harbour' })
  await read(`insert into outbox (kind, state, created_at) values
    ('reminder', 'accepted', '2029-10-01'), ('reminder', 'accepted', '2029-12-01'), ('digest-test', 'accepted', '2029-10-01')`)
  await read(
    `insert into article_views (article_id, date, n) select $1, day, 2
    from generate_series(date '2029-09-29', date '2029-12-02', '1 day') day`,
    article.id,
  )
  await read(`insert into feed_polls (path, date, family, full_n) select '/rss.xml', day, 'newsboat', 3
    from generate_series(date '2029-09-29', date '2029-10-02', '1 day') day`)
  room.setNow(night)
  await context.services.retention.run(never)
  expect(await read(`select kind, created_at::date::text as on from outbox order by id`)).toEqual([
    { kind: 'reminder', on: '2029-12-01' },
    { kind: 'digest-test', on: '2029-10-01' },
  ])
  expect(
    await read(`select date::text, n::int from article_views where date < '2029-11-03' order by date`),
  ).toEqual([
    { date: '2029-09-01', n: 4 },
    { date: '2029-10-01', n: 62 },
    { date: '2029-11-01', n: 2 },
    { date: '2029-11-02', n: 2 },
  ])
  expect(await read(`select date::text, full_n::int as n from feed_polls order by date`)).toEqual([
    { date: '2029-09-01', n: 6 },
    { date: '2029-10-01', n: 6 },
  ])
})

test('what cannot be moved keeps nothing else from its time, is told of once, and has its turn the next night', async () => {
  const room = await aRoom()
  const { read, context } = room
  const first = await anEndedDigest(room, ['accepted', 'accepted'])
  const second = await anEndedDigest(room, ['accepted'], 'market')
  const third = await anEndedDigest(room, ['rejected'], 'bridge')
  const left = async () =>
    await read<{ id: number }>('select digest_id::int as id from deliveries order by 1')
  await read(`insert into outbox (kind, state, created_at) values ('reminder', 'accepted', '2029-10-01')`)
  const { id } = await anArticle(context.database, { externalId: 'quay' })
  await read(
    `insert into article_views (article_id, date, n) values ($1, '2029-09-29', 2), ($1, '2029-10-02', 2)`,
    id,
  )
  await read(
    `insert into feed_polls (path, date, family, full_n) values ('/rss.xml', '2029-09-29', 'newsboat', 3)`,
  )
  await read(`create function refuse() returns trigger language plpgsql as $$ begin raise 'no room'; end $$`)
  await read(`create trigger refuse before insert on digest_results for each row when (new.digest_id < ${third.digestId})
    execute function refuse()`)
  await read(`create trigger refuse before insert on article_views for each row when (new.date = '2029-09-01')
    execute function refuse()`)
  room.setNow(night)
  await context.services.retention.run(never)
  const stuck = [first, first, second].map(({ digestId }) => ({ id: digestId }))
  expect(await left()).toEqual(stuck)
  expect(await read('select from outbox')).toEqual([])
  expect(await read('select date::text from article_views order by date')).toEqual([
    { date: '2029-09-29' },
    { date: '2029-10-01' },
  ])
  expect(await read('select date::text from feed_polls')).toEqual([{ date: '2029-09-01' }])
  const told = room.lines.map((line) => JSON.parse(line) as { level: number; first: string[] })
  expect(told.filter(({ level }) => level === 40).map((line) => line.first)).toEqual([
    [`digest ${first.digestId}`, `digest ${second.digestId}`],
    ['views 2029-09-01'],
  ])

  await read('drop function refuse cascade')
  await read('delete from rounds')
  await context.services.retention.run(never)
  expect(await left()).toEqual([])
  expect(await read('select from variant_readers')).toHaveLength(2)
})
