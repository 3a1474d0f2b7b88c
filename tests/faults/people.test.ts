import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { deliveryStates } from '../../src/domain/delivery/delivery.ts'
import { anArena, isLong, judge, type Arena } from '../support/fault-arena.ts'
import { query } from '../support/sending-digest.ts'

const timeout = 30 * 60_000
const connections = 10

/** P9: the sum of the nine states, in one statement, is the audience. */
async function checkEquation({ databaseUrl, digestId }: Arena) {
  const [sum] = await query<{ n: string; audience: number; known: string }>(
    databaseUrl,
    `select count(*) as n, count(*) filter (where d.state = any($2)) as known, max(g.audience) as audience
     from deliveries d join digests g on g.id = d.digest_id where g.id = $1`,
    [digestId, deliveryStates],
  )
  expect(Number(sum?.n)).toBe(sum?.audience)
  expect(Number(sum?.known)).toBe(sum?.audience)
}

test('P7 UNS-5 who unsubscribes during a digest is not committed to afterwards', { timeout }, async () => {
  const readers = isLong ? 10_000 : 600
  const leaving = readers / 10
  const arena = await anArena({ readers, connections, leaseSeconds: 60 })
  await arena.start()
  for (let n = 1; n <= 10; n++) {
    await arena.untilCopies(Math.floor((readers * n) / 12))
    await query(
      arena.databaseUrl,
      `update subscriptions set state = 'ended', ended_reason = 'unsubscribed', ended_at = now()
       where subscriber_id in (
         select subscriber_id from subscriptions where state = 'active' order by subscriber_id desc limit $1)`,
      [leaving / 10],
    )
    // After the commit, as the answer to the click is.
    await query(
      arena.databaseUrl,
      `update subscriptions set updated_at = clock_timestamp() where state = 'ended' and updated_at <= ended_at`,
    )
  }
  expect(await arena.untilOver()).toBe('completed')
  const late = await query(
    arena.databaseUrl,
    `select from deliveries d join subscriptions s using (subscriber_id)
     where s.state = 'ended' and d.state = 'accepted' and d.committing_at > s.updated_at`,
  )
  expect(late).toEqual([])
  const [left] = await query<{ skipped: string }>(
    arena.databaseUrl,
    `select count(*) as skipped from deliveries where state = 'skipped' and reason = 'unsubscribed'`,
  )
  expect(Number(left?.skipped)).toBeGreaterThan(0)
  const tally = await arena.tally()
  judge('P7 unsubscribing during a digest', tally, { bound: 0, skipped: Number(left?.skipped) })
})

test(
  'P8 P9 pause and resume at random, then cancel; the equation holds at every moment',
  { timeout },
  async () => {
    const readers = isLong ? 10_000 : 800
    const times = isLong ? 30 : 4
    const arena = await anArena({ readers, connections, leaseSeconds: 60 })
    const worker = await arena.start()
    const setState = (from: string, to: string) =>
      query(arena.databaseUrl, `update digests set state = '${to}' where id = $1 and state = '${from}'`, [
        arena.digestId,
      ])
    for (let n = 1; n <= times; n++) {
      await arena.untilCopies(Math.floor((readers * n) / (times + 3)))
      await setState('sending', 'paused')
      const before = arena.copies()
      await sleep(300)
      await checkEquation(arena)
      await sleep(300)
      expect(arena.copies() - before, 'copies after the pause was committed').toBeLessThanOrEqual(connections)
      await setState('paused', 'sending')
      await checkEquation(arena)
    }
    await arena.untilCopies(Math.floor((readers * (times + 1)) / (times + 3)))
    await setState('sending', 'cancelled')
    const before = arena.copies()
    await expect.poll(async () => (await arena.tally()).open, { timeout: 60_000 }).toBe(0)
    expect(arena.copies() - before, 'copies after the cancel was committed').toBeLessThanOrEqual(connections)
    await checkEquation(arena)
    expect(await worker.drain()).toBe(0)
    const tally = await arena.tally()
    judge('P8 pause, resume, cancel', tally, { bound: 0, skipped: readers - tally.accepted })
  },
)
