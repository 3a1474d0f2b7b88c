import { expect, test } from 'vitest'
import { dateIn } from '../../src/domain/calendar.ts'
import { noCounts } from '../../src/domain/digests/digest.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aSender } from '../support/sending.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { recordStatements } from '../support/statements.ts'

const countRows = async (url: string, digestId: number) => {
  const text = 'select state, count(*)::int as n from deliveries where digest_id = $1 group by state'
  const rows = await query<{ state: string; n: number }>(url, text, [digestId])
  return { ...noCounts(), ...Object.fromEntries(rows.map(({ state, n }) => [state, n])) }
}

const sumOf = (counts: object | undefined) =>
  Object.values(counts ?? {}).reduce((sum: number, n) => sum + Number(n), 0)

test('the kept counts are the audience at every look, while two workers send and two fold, and exact at the end', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const { stores } = database
  const sink = await aSmtpSink()
  const { digestId } = await aSendingDigest(url, { readers: 400 })
  const workers = [
    await aSender(database, { smtpUrl: sink.url }),
    await aSender(database, { smtpUrl: sink.url }),
  ]
  let isSending = true
  const sums: number[] = []
  const look = async () => {
    while (isSending) {
      await Promise.all([stores.counts.fold(), stores.counts.fold()])
      sums.push(sumOf((await stores.digestProgress.countByState([digestId])).get(digestId)))
    }
  }
  const looking = look()
  await Promise.all(workers.map(({ sending }) => sending.deliverDigest(digestId)))
  isSending = false
  await looking
  expect(new Set(sums)).toEqual(new Set([400]))
  await stores.counts.fold()
  const kept = (await stores.digestProgress.countByState([digestId])).get(digestId)
  expect(kept).toEqual(await countRows(url, digestId))
  const rows = await query(url, 'select state, n::int from delivery_counts where digest_id = $1', [digestId])
  expect(rows).toEqual([{ state: 'accepted', n: 400 }])
  const today = dateIn('Africa/Algiers', new Date())
  expect(await stores.bounces.listAcceptedDays(today)).toEqual([{ date: today, accepted: 400 }])
})

test('what is rolled back was never counted, and what another version of the program writes is', async () => {
  const url = await cloneDatabase()
  const { stores } = openTestDatabase(url)
  const { digestId, newsletterId } = await aSendingDigest(url, { readers: 10 })
  await query(url, `begin; update deliveries set state = 'accepted', accepted_at = now(); rollback`)
  await query(url, `update deliveries set state = 'rejected' where subscriber_id % 2 = 0`)
  await query(url, `delete from deliveries where state = 'rejected' and subscriber_id % 4 = 0`)
  const kept = (await stores.digestProgress.countByState([digestId])).get(digestId)
  expect(kept).toEqual(await countRows(url, digestId))
  await query(url, `update subscriptions set cadence = 'weekly'`)
  await query(
    url,
    `update subscriptions set state = 'ended', ended_reason = 'unsubscribed' where subscriber_id % 5 = 0`,
  )
  await query(url, `delete from subscriptions where subscriber_id % 5 = 1`)
  const [row] = await query<{ n: string }>(url, `select count(*) n from subscriptions where state = 'active'`)
  expect(await stores.newsletters.countReaders()).toEqual(new Map([[newsletterId, Number(row?.n)]]))
  await stores.counts.fold()
  expect(await stores.newsletters.countReaders()).toEqual(new Map([[newsletterId, Number(row?.n)]]))
})

test('Today’s numbers, the scrape and deliverability read no deliveries and no subscriptions', async () => {
  const { stores } = openTestDatabase(await cloneDatabase())
  const statements = recordStatements()
  await stores.digestProgress.countByState([1])
  await stores.digestNumbers.get()
  await stores.bounces.listAcceptedDays('2026-11-01')
  await stores.bounces.countWeek(new Date())
  await stores.newsletters.countReaders()
  expect(statements).toHaveLength(5)
  expect(
    statements.filter((text) => /\b(deliveries|subscriptions)\b/.test(text.replaceAll(' as deliveries', ''))),
  ).toEqual([])
})
