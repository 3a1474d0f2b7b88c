import { dayMs, findHeldReason } from '../../domain/digests/spread.ts'
import type { Database } from '../../store/database.ts'

/** Where a next day is later than planned by more than this, the days after are moved too. */
const slackMs = dayMs / 24

/** A day after the last portion the next goes, to twice as many: to as many where servers or readers object. */
export async function openPortions(database: Database): Promise<void> {
  for (const digestId of await database.stores.spreads.listDue()) {
    await database.transaction(async ({ spreads }) => {
      if (!(await spreads.claim(digestId))) return
      const running = await spreads.findDue(digestId)
      if (!running) return
      const { portion: before, nextAt: plannedAt, now } = running
      const held = findHeldReason(await spreads.countOutcome(digestId))
      const size = held ? before : 2 * before
      const isLate = now.getTime() - plannedAt.getTime() > slackMs
      const nextAt = new Date((isLate ? now : plannedAt).getTime() + dayMs)
      const left = await spreads.planDays(digestId, { from: 'waiting', size, nextAt })
      await spreads.update(digestId, { plannedAt, nextAt, portion: size, held, ...left })
    })
  }
}
