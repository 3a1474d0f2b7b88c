import { globSync } from 'node:fs'
import { expect, test } from 'vitest'
import { anArena, isLong, judge } from '../support/fault-arena.ts'
import { query } from '../support/sending-digest.ts'

test(
  'P2 graceful restarts during a digest: nothing lost, twice or in doubt',
  { timeout: 30 * 60_000 },
  async () => {
    const restarts = isLong ? 20 : 3
    const readers = isLong ? 10_000 : 600
    // A minute: what a worker does not give back itself would not be sent within this test.
    const arena = await anArena({ readers, leaseSeconds: 60 })
    for (let n = 1; n <= restarts; n++) {
      const worker = await arena.start()
      await arena.untilCopies(Math.floor((readers * n) / (restarts + 2)))
      expect(await worker.drain()).toBe(0)
    }
    await arena.start()
    expect(await arena.untilOver()).toBe('completed')
    const tally = await arena.tally()
    judge('P2 SIGTERM', tally, { kills: restarts, bound: 0 })
    expect(tally.uncertain).toBe(0)
  },
)

test(
  'SIGSTOP longer than a lease, then SIGCONT, while another worker runs',
  { timeout: 30 * 60_000 },
  async () => {
    const connections = 10
    const readers = isLong ? 10_000 : 600
    for (const policy of ['resend_once', 'hold'] as const) {
      const leaseSeconds = isLong ? 60 : 4
      const arena = await anArena({ readers, policy, connections, leaseSeconds })
      const stalled = await arena.start()
      await arena.untilCopies(readers / 4)
      stalled.signal('SIGSTOP')
      await arena.start()
      // The other worker finishes everything else, and takes up what the stalled one holds.
      await arena.untilOver()
      stalled.signal('SIGCONT')
      // It finds that nothing is left, and says so by draining.
      expect(await stalled.drain()).toBe(0)
      const tally = await arena.tally()
      judge(`SIGSTOP, ${policy}`, tally, { kills: 1, bound: policy === 'hold' ? 0 : connections })
    }
  },
)

test(
  'P5 a worker whose clock is a day off claims nothing, and harms nobody',
  { timeout: 30 * 60_000 },
  async () => {
    const arena = await anArena({ readers: isLong ? 10_000 : 300, leaseSeconds: 60 })
    const [preload = ''] = globSync('/usr/lib/*/faketime/libfaketime.so.1')
    const skewed = ['+1d', '-1d'].map((offset) =>
      arena.start({
        env: { LD_PRELOAD: preload, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
      }),
    )
    await Promise.all(skewed)
    await expect
      .poll(() => query(arena.databaseUrl, 'select obstacle from workers'), { timeout: 60_000 })
      .toEqual([{ obstacle: 'clock' }, { obstacle: 'clock' }])
    expect(arena.copies()).toBe(0)
    await arena.start()
    expect(await arena.untilOver()).toBe('completed')
    judge('P5 clocks a day off', await arena.tally(), { bound: 0 })
  },
)
