import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../log.ts'
import { onceAMinute } from '../../domain/once-a-minute.ts'

const longestPauseMs = 5_000
/** Dozens of conversations wait for the same database. */
const mayBeSaid = onceAMinute()

/**
 * Repeats a statement until it commits, for as long as the process lives: what an SMTP server has answered cannot be
 * asked again. Only for statements that may be repeated.
 */
export async function untilCommitted<T>(statement: () => Promise<T>, log: Pick<Logger, 'warn'>): Promise<T> {
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await statement()
    } catch (error) {
      if (mayBeSaid('away'))
        log.warn({ reason: String(error) }, 'the database could not be asked or told; trying again')
      await sleep(pauseMs)
    }
  }
}
