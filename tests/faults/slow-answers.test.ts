import { expect, test } from 'vitest'
import { anArena, isLong, judge, type Arena } from '../support/fault-arena.ts'
import { query } from '../support/sending-digest.ts'

const timeout = 30 * 60_000
const leaseSeconds = isLong ? 60 : 2
/** RFC 5321, 4.5.3.2.6: so long a server may take over its answer to the final dot. */
const answerSeconds = isLong ? 590 : 3 * leaseSeconds
const slow = { at: 'dot', do: 'late', recipients: '^reader-7@' } as const

/** Until nobody is open but the one that the server has kept waiting for so long. */
async function untilOnlyTheSlowWait({ databaseUrl }: Arena, seconds: number): Promise<void> {
  const statement = `
    select count(*)::int as open, bool_and(state = 'committing' and
      committing_at < clock_timestamp() - make_interval(secs => $1)) as "isLong"
    from deliveries where state not in ('accepted', 'rejected')`
  await expect
    .poll(() => query(databaseUrl, statement, [seconds]), { timeout: (seconds + 60) * 1000, interval: 100 })
    .toEqual([{ open: 1, isLong: true }])
}

test.each([
  { workers: 1, isToldToEnd: false },
  { workers: 2, isToldToEnd: false },
  { workers: 1, isToldToEnd: true },
])(
  'a final dot answered long after the lease: everybody gets one copy ($workers workers, told to end: $isToldToEnd)',
  { timeout },
  async ({ workers, isToldToEnd }) => {
    const arena = await anArena({ readers: 120, connections: 4, leaseSeconds })
    arena.sink.setFaults([slow])
    const [first] = await Promise.all(Array.from({ length: workers }, () => arena.start()))
    await untilOnlyTheSlowWait(arena, 0)
    const ended = isToldToEnd ? first?.drain() : undefined
    // Its heartbeats go on, or this one would take the reader over.
    if (isToldToEnd) await arena.start()
    await untilOnlyTheSlowWait(arena, answerSeconds)
    arena.sink.setFaults([])
    expect(await arena.untilOver()).toBe('completed')
    if (isToldToEnd) expect(await ended).toBe(0)
    const tally = await arena.tally()
    judge(`a final dot answered after ${answerSeconds} s`, tally, { bound: 0 })
    expect(tally.uncertain).toBe(0)
  },
)

/** Changes its state as the desk does, and rings as the desk does. */
async function setState({ databaseUrl, digestId, ring }: Arena, state: 'paused' | 'sending'): Promise<void> {
  await query(databaseUrl, 'update digests set state = $2 where id = $1', [digestId, state])
  await Promise.all(Array.from({ length: 8 }, (_, n) => ring('deliver-digest', { digestId }, n)))
}

const listHeld = ({ databaseUrl }: Arena) =>
  query<{ state: string }>(
    databaseUrl,
    `select state from deliveries where state in ('claimed', 'committing') order by state desc`,
  )

test(
  'paused and resumed while a server keeps one reader waiting: what was not begun goes back, and mail moves again',
  { timeout },
  async () => {
    const readers = isLong ? 4_000 : 600
    // A minute: what waits for a lease to end is not sent within this test.
    const arena = await anArena({ readers, connections: 4, leaseSeconds: 60 })
    arena.sink.setFaults([slow])
    await arena.start()
    for (const part of [0.2, 0.4, 0.6]) {
      await arena.untilCopies(readers * part)
      await setState(arena, 'paused')
      await expect.poll(() => listHeld(arena), { timeout: 30_000 }).toEqual([{ state: 'committing' }])
      const before = arena.copies()
      await setState(arena, 'sending')
      await arena.untilCopies(before + 1)
    }
    await untilOnlyTheSlowWait(arena, 0)
    arena.sink.setFaults([])
    expect(await arena.untilOver()).toBe('completed')
    const tally = await arena.tally()
    judge('paused and resumed beside a slow answer', tally, { bound: 0 })
    expect(tally.uncertain).toBe(0)
  },
)
