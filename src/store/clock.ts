import { sql } from 'kysely'
import type { Executor } from './executor.ts'

/** The clock that all processes share: a machine's own may be a day off. */
export const clockStore = (db: Executor) => ({
  async now(): Promise<Date> {
    const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db)
    if (!rows[0]) throw new Error('PostgreSQL does not tell the time')
    return rows[0].now
  },
})
