import { getValue, type Executor } from './executor.ts'

/** The clock that all processes share: a machine's own may be a day off. */
export const clockStore = (db: Executor) => ({
  now: () => getValue<Date>(db)`select clock_timestamp() as now`,
})
