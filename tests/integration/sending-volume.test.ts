import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase, type Database } from '../../src/store/database.ts'
import type { Lease } from '../../src/store/delivery/ledger.ts'
import { aClient, cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aSender, quickTimes } from '../support/sending.ts'
import { countByState, aSendingDigest, query } from '../support/sending-digest.ts'
import { recordQueries, recordStatements } from '../support/statements.ts'

/** A worker whose planner does as these settings say. */
function aWorkerWith(url: string, settings: string): Database {
  const options = settings.split(' ').map((name) => `-c enable_${name}=off`)
  const database = openDatabase({ url: `${url}?options=${encodeURIComponent(options.join(' '))}`, max: 2 })
  onTestFinished(() => database.close())
  return database
}

const waitsForLocks = async (url: string): Promise<number> => {
  const [row] = await query<{ n: string }>(url, `select count(*) as n from pg_locks where not granted`)
  return Number(row?.n)
}

interface Meeting {
  database: Database
  digestId: number
  leases: Lease[]
}

const taken = ({ key }: Lease) => ({ key, answer: '250 Ok' })

const leasesOf = ({ database, digestId }: Meeting) =>
  database.stores.deliveries.leasesOf(digestId, quickTimes)

/** Statements that change many rows of a digest at once. */
const statements: Record<string, (meeting: Meeting) => Promise<unknown>> = {
  extend: (meeting) => leasesOf(meeting).extend(meeting.leases),
  commit: (meeting) => leasesOf(meeting).record(meeting.leases),
  accept: (meeting) => leasesOf(meeting).record(meeting.leases.map(taken)),
  'accept the first half and commit the rest': ({ leases, ...meeting }) => {
    const half = leases.length / 2
    return leasesOf({ leases, ...meeting }).record([
      ...leases.slice(half),
      ...leases.slice(0, half).map(taken),
    ])
  },
  release: (meeting) => leasesOf(meeting).release(meeting.leases),
  withdraw: ({ database }) => database.transaction((stores) => stores.variants.dropArticle(1)),
}

test.for([
  ['extend', 'accept'],
  ['accept', 'accept'],
  ['accept', 'accept the first half and commit the rest'],
  ['commit', 'release'],
  ['release', 'accept'],
  ['withdraw', 'accept'],
  ['withdraw', 'release'],
])('%s and %s meet at the same rows under different plans, and neither is lost', async ([one, other]) => {
  const url = await cloneDatabase()
  const { digestId } = await aSendingDigest(url, { readers: 400 })
  await query(
    url,
    `insert into articles (external_id, guid, slug, short_code, language, title, html, state,
      content_sha256) overriding system value values ('a', 'a', 'a', 'a', 'fr', 'A', '', 'draft', '')`,
  )
  await query(
    url,
    `insert into digest_articles (digest_id, article_id, position, snapshot)
      select $1, id, 0, '{}' from articles`,
    [digestId],
  )
  await query(url, `update variants set article_ids = array[(select id from articles)]`)
  // The rows lie in the table in the opposite order of their keys.
  await query(
    url,
    `with gone as (delete from deliveries returning *)
      insert into deliveries select * from gone order by subscriber_id desc`,
  )
  await query(url, 'analyze')
  const { claimed } = await openTestDatabase(url)
    .stores.deliveries.leasesOf(digestId, quickTimes)
    .claim(40, 0)
  const inOrderOfKeys = aWorkerWith(url, 'hashjoin mergejoin seqscan bitmapscan')
  const inOrderOfTheTable = aWorkerWith(url, 'nestloop mergejoin indexscan bitmapscan indexonlyscan')
  const between = await aClient(url)
  await between.query('begin')
  await between.query('select from deliveries where subscriber_id = $1 for update', [claimed[20]?.key])
  const meet = (database: Database, name: string | undefined) =>
    statements[name ?? '']?.({ database, digestId, leases: claimed })
  const both = Promise.all([meet(inOrderOfTheTable, one), meet(inOrderOfKeys, other)])
  both.catch(() => undefined)
  const skips = [one, other].includes('extend') ? 1 : 2
  while ((await waitsForLocks(url)) < skips) await sleep(10)
  await between.query('rollback')
  await both
})

test('a long transaction beside a digest does not change the plan of what comes with every mail', async () => {
  const url = await cloneDatabase()
  const { digestId } = await aSendingDigest(url, { readers: 20_000 })
  const { stores } = openTestDatabase(url)
  const leases = stores.deliveries.leasesOf(digestId, quickTimes)
  const dump = await aClient(url)
  await dump.query('begin isolation level repeatable read')
  await dump.query('select 1')
  // Rows that were in a worker's hands leave entries in the index, which nobody may remove while the dump reads.
  await query(url, `update deliveries set state = 'claimed', lease_until = now() where subscriber_id <= 5000`)
  await query(url, `update deliveries set state = 'accepted', lease_until = null where state = 'claimed'`)
  await query(url, 'analyze deliveries')
  let after = 0
  const plans = recordQueries()
  for (let n = 0; n < 8; n++) {
    const { claimed, last } = await leases.claim(10, after)
    after = last
    await leases.extend(claimed)
    await leases.record(claimed)
    await leases.record(claimed.map(taken))
  }
  for (const state of ['lease_until =', `state = 'committing'`, `state = 'accepted'`]) {
    const hot = plans.findLast(
      ({ text }) => text.startsWith('/* prepared */') && text.includes(`set ${state}`),
    )
    if (!hot) throw new Error(`no statement sets ${state}`)
    const plan = (await hot.explain()).join('\n')
    const scans = plan.match(/\w*Scan.* on deliveries m/g) ?? []
    expect(scans).not.toEqual([])
    // By the key of a row: where nobody has two digests yet, that of its reader is as good.
    expect(scans.filter((scan) => !/deliveries_(pkey|subscriber) /.test(scan))).toEqual([])
    expect(Number(/Buffers: shared hit=(\d+)/.exec(plan)?.[1])).toBeLessThan(400)
  }
})

test('a cancelled digest ends in one round, whatever is deferred in it, and is not looked at again', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const { digestId } = await aSendingDigest(url, { readers: 25_000 })
  await query(url, `update deliveries set state = 'deferred', next_at = now() where subscriber_id % 2 = 0`)
  await query(url, `update digests set state = 'cancelled'`)
  const { sending } = await aSender(database, { smtpUrl: 'smtp://127.0.0.1:1' })
  await sending.endCancelled()
  expect(await countByState(database, digestId)).toMatchObject({
    skipped: 25_000,
    pending: 0,
  })
  const statements = recordStatements()
  await sending.endCancelled()
  expect(statements).toHaveLength(1)
  expect(statements[0]).not.toContain('deliveries')
})

test('a cancelled digest with a mail in a worker’s hands is looked at until that has ended', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const { digestId } = await aSendingDigest(url, { readers: 3 })
  const leases = database.stores.deliveries.leasesOf(digestId, quickTimes)
  const { claimed } = await leases.claim(1, 0)
  await leases.record(claimed)
  await query(url, `update digests set state = 'cancelled'`)
  const { sending } = await aSender(database, { smtpUrl: 'smtp://127.0.0.1:1' })
  await sending.endCancelled()
  expect(await database.stores.runningDigests.listUnsettled()).toEqual([digestId])
  for (const lease of claimed) await leases.markDeferred(lease, { reason: 'busy', answer: '421 later' })
  await sending.endCancelled()
  expect(await countByState(database, digestId)).toMatchObject({ skipped: 3 })
  expect(await database.stores.runningDigests.listUnsettled()).toEqual([])
})
