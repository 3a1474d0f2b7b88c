import { expect, test } from 'vitest'
import { anArena, isLong, judge } from '../support/fault-arena.ts'

const connections = 10

test.each(['resend_once', 'hold'] as const)(
  'P1 kill -9 during a digest, %s',
  { timeout: 30 * 60_000 },
  async (policy) => {
    const kills = isLong ? 50 : 4
    const readers = isLong ? 10_000 : 800
    const arena = await anArena({ readers, policy, connections })
    for (let n = 1; n <= kills; n++) {
      const worker = await arena.start()
      // By progress rather than by time: a slow machine is killed as often, at the same places.
      await arena.untilCopies(Math.floor((readers * n) / (kills + 2)))
      await worker.kill()
    }
    await arena.start()
    const state = await arena.untilOver()
    const tally = await arena.tally()
    judge(`P1 kill -9, ${policy}`, tally, { kills, bound: policy === 'hold' ? 0 : kills * connections })
    expect(state).toBe(tally.uncertain > 0 ? 'completed_with_uncertain' : 'completed')
    expect(tally.uncertain).toBeLessThanOrEqual(kills * connections)
  },
)
