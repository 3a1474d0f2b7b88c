import { findRow, type Executor } from './executor.ts'

/** The clock that all processes share: a machine's own may be a day off. */
export const clockStore = (db: Executor) => ({
  async now(): Promise<Date> {
    const row = await findRow<{ now: Date }>(db)`select clock_timestamp() as now`
    if (!row) throw new Error('PostgreSQL does not tell the time')
    return row.now
  },
})
