import { findHeldReason, nextPortionAt } from '../../domain/digests/spread.ts'
import type { Database } from '../../store/database.ts'

/**
 * Opens the next portion of each spread digest whose day has come: for twice as many readers as the one before, or for as
 * many where servers have refused too much or readers have complained.
 */
export async function openPortions(database: Database): Promise<void> {
  for (const digestId of await database.stores.spreads.listDue()) {
    await database.transaction(async ({ spreads }) => {
      if (!(await spreads.claim(digestId))) return
      const running = await spreads.findDue(digestId)
      if (!running) return
      const { portion: before, nextAt: plannedAt, now } = running
      const held = findHeldReason(await spreads.countOutcome(digestId))
      const size = held ? before : 2 * before
      const nextAt = nextPortionAt(plannedAt, now)
      const left = await spreads.planDays(digestId, { from: 'waiting', size, nextAt })
      await spreads.update(digestId, { plannedAt, nextAt, portion: size, held, ...left })
    })
  }
}
