import { expect, test } from 'vitest'
import { killPoints } from '../../src/services/delivery/kill-points.ts'
import { anArena, isLong, judge } from '../support/fault-arena.ts'

/** What may be in doubt when a worker with one connection ends there. */
const doubtful = ['after-committing', 'after-dot', 'after-250']
/** And where a person already has the message. */
const delivered = ['after-dot', 'after-250']

test.each(['resend_once', 'hold'] as const)(
  'SIGKILL at every named step, %s',
  { timeout: 30 * 60_000 },
  async (policy) => {
    const rounds = isLong ? 20 : 1
    const arena = await anArena({ readers: rounds * 80, policy, connections: 1 })
    for (let round = 0; round < rounds; round++) {
      for (const step of killPoints) {
        // A claim takes two rows, so two of the rest are the second message of a worker.
        const worker = await arena.start({ env: { KILL_AT: `${step}:2` } })
        expect(await worker.exited, step).toBe('SIGKILL')
      }
    }
    await arena.start()
    const state = await arena.untilOver()
    const tally = await arena.tally()
    const kills = rounds * killPoints.length
    judge(`SIGKILL at named steps, ${policy}`, tally, {
      kills,
      bound: policy === 'hold' ? 0 : rounds * delivered.length,
    })
    if (policy === 'hold') {
      expect(tally.uncertain).toBe(rounds * doubtful.length)
      expect(state).toBe('completed_with_uncertain')
    } else {
      // Whom two deaths put in doubt is not sent a third copy.
      expect(state).toBe(tally.uncertain > 0 ? 'completed_with_uncertain' : 'completed')
    }
  },
)
