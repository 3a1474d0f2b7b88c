import { expect, test } from 'vitest'
import type { Spent } from '../../src/domain/delivery/sending-budget.ts'
import { anArena, isLong, judge, type Arena } from '../support/fault-arena.ts'
import { query } from '../support/sending-digest.ts'

const timeout = 30 * 60_000
const connections = 2

/** The most that came within any window. */
function most(times: number[], windowMs: number): number {
  let from = 0
  return times.reduce((max, at, to) => {
    while ((times[from] ?? at) <= at - windowMs) from++
    return Math.max(max, to - from + 1)
  }, 0)
}

async function putMail({ databaseUrl, ring }: Arena, address: string): Promise<void> {
  await query(databaseUrl, `insert into outbox (kind, address) values ('desk-notice', $1)`, [address])
  await ring('deliver-mail', {})
}

const tallyWithMail = async (arena: Arena) => {
  const tally = await arena.tally()
  // Personal mail is in the record and in no delivery.
  const personal = arena.recipients().filter((address) => address.endsWith('@rivage.example')).length
  return { ...tally, forged: tally.forged - personal }
}

test(
  'SMTP_RATE a second: one budget for all workers, also where one is killed, and personal mail overtakes',
  { timeout },
  async () => {
    const rate = 20
    const readers = isLong ? 2_000 : 120
    const arena = await anArena({ readers, connections, policy: 'hold' })
    const env = { SMTP_RATE: `${rate}/s 100000/h` }
    const [first] = await Promise.all([arena.start({ env }), arena.start({ env })])
    await arena.untilCopies(readers / 4)
    await putMail(arena, 'desk@rivage.example')
    await arena.untilCopies(readers / 2)
    await first.kill()
    await arena.start({ env })
    await arena.untilOver()
    judge('SMTP_RATE a second', await tallyWithMail(arena), { kills: 1, bound: 0 })
    // Beyond it at most what each connection was slow to bring to its end.
    expect(most(arena.times(), 1_000)).toBeLessThanOrEqual(rate + 3 * connections)
    const spanMs = Math.max(...arena.times()) - Math.min(...arena.times())
    expect(spanMs).toBeGreaterThan(((readers - 3 * connections) / rate) * 1_000)
    expect(arena.recipients().indexOf('desk@rivage.example')).toBeLessThan((readers * 3) / 4)
  },
)

/** As if so much time had passed since the mails of before went. */
async function passTime({ databaseUrl }: Arena, ms: number): Promise<void> {
  const [row] = await query<{ spent: Spent }>(databaseUrl, 'select spent from sending_budget')
  if (!row) throw new Error('nothing was sent')
  const slices = row.spent.slices.h?.map(([slice, n]) => [slice - ms / 60_000, n])
  await query(databaseUrl, 'update sending_budget set version = version + 1, spent = $1', [
    JSON.stringify({ ...row.spent, slices: { h: slices } }),
  ])
}

test(
  'SMTP_RATE an hour: no more leaves, whoever is killed and started; a twentieth is kept for people; then it goes on',
  { timeout },
  async () => {
    const arena = await anArena({ readers: 100, connections, policy: 'hold' })
    const env = { SMTP_RATE: '60/h' }
    const used = () =>
      query(
        arena.databaseUrl,
        `select sum((slice->>1)::int)::int as n from sending_budget, jsonb_array_elements(spent->'slices'->'h') slice`,
      )
    const [first] = await Promise.all([arena.start({ env }), arena.start({ env })])
    await arena.untilCopies(20)
    await first.kill()
    await arena.start({ env })
    await expect.poll(used, { timeout: 60_000 }).toEqual([{ n: 57 }])
    // Nobody holds what may not go.
    await expect.poll(async () => (await arena.tally()).claimed, { timeout: 60_000 }).toBe(0)
    for (const n of [1, 2, 3, 4]) await putMail(arena, `desk-${n}@rivage.example`)
    await expect.poll(used, { timeout: 60_000 }).toEqual([{ n: 60 }])
    await expect
      .poll(
        () => query(arena.databaseUrl, `select count(*)::int as n from outbox where state = 'accepted'`),
        { timeout: 60_000 },
      )
      .toEqual([{ n: 3 }])
    const before = arena.copies()
    // What the killed worker had leave for is lost; nothing is let out twice.
    expect(before).toBeLessThanOrEqual(60)
    expect(before).toBeGreaterThanOrEqual(60 - 2 * connections)
    await passTime(arena, 3_600_000 + 120_000)
    await arena.untilOver()
    await expect.poll(() => arena.recipients(), { timeout: 60_000 }).toContain('desk-4@rivage.example')
    judge('SMTP_RATE an hour', await tallyWithMail(arena), { kills: 1, bound: 0 })
  },
)
