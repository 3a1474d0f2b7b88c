import { randomUUID } from 'node:crypto'
import { longestSkewMs, skewOf } from '../clock.ts'
import type { Parts } from '../parts.ts'
import { findOut } from './restored-copy.ts'

export type Presence = ReturnType<typeof createPresence>

/** After a longer gap between two beats the database was probably away, and the heartbeats of others are late as well. */
const longestGapMs = 15_000

/**
 * Whether this worker may take mail: it lives, its clock and the database's agree, commits are durable, and the
 * database is the one that sent before.
 */
export function createPresence(parts: Pick<Parts, 'clock' | 'database' | 'log' | 'sendingTimes'>) {
  const { clock, database, log, sendingTimes } = parts
  const { stores } = database
  const id = randomUUID()
  let obstacle: string | undefined = 'starting'
  let isDraining = false
  let lastBeatAt: number | undefined
  let unbrokenSince = Infinity

  const findObstacle = async (): Promise<string | undefined> => {
    const sentAt = Date.now()
    const { now, synchronousCommit } = await stores.workers.put(id)
    const receivedAt = Date.now()
    const skewMs = skewOf(now, sentAt, receivedAt)
    clock.setTo(skewMs)
    if (Math.abs(skewMs) > longestSkewMs) return 'clock'
    if (synchronousCommit === 'off') return 'synchronous_commit'
    const verdict = await findOut({ database }, async (tx, verdict, identity) => {
      if (verdict === 'same') await tx.instanceGuard.beat()
      else await tx.instanceGuard.put(identity)
    })
    return verdict === 'copy' ? 'restored' : undefined
  }

  const mayClaim = () => !isDraining && obstacle === undefined

  return {
    /** Every few seconds; the clock is set by it. Rejects where the database is away; nothing is claimed until it is back. */
    async beat(): Promise<void> {
      const before = obstacle
      try {
        obstacle = await findObstacle()
      } catch (error) {
        obstacle = 'database'
        throw error
      }
      const now = performance.now()
      if (lastBeatAt === undefined || now - lastBeatAt > longestGapMs) unbrokenSince = now
      lastBeatAt = now
      if (obstacle !== before && obstacle !== undefined) log.error({ obstacle }, 'this worker claims nothing')
      if (before !== undefined && obstacle === undefined) log.info('this worker claims mail')
    },

    /**
     * Why this worker sends nothing; undefined where it can. While a beat does not come back the database counts as away;
     * `mayClaim` need not know, for whoever claims asks the same database.
     */
    obstacle: () => {
      if (isDraining) return 'draining'
      const isLate = lastBeatAt !== undefined && performance.now() - lastBeatAt > longestGapMs
      return obstacle ?? (isLate ? 'database' : undefined)
    },

    /** Says in the database, for those who watch other processes, why this worker sends nothing. */
    tell: (cause: string | undefined) => stores.workers.updateObstacle(id, cause),

    mayClaim,

    /**
     * A worker takes up the mail of others only after it has seen the database without a gap for as long as a lease:
     * after an outage everyone's heartbeats are late.
     */
    mayRecover: () => mayClaim() && performance.now() - unbrokenSince > sendingTimes.leaseSeconds * 1000,

    /** Nothing more is claimed from here on. */
    stopClaiming() {
      isDraining = true
    },

    async remove(): Promise<void> {
      await stores.workers.delete(id)
    },
  }
}
