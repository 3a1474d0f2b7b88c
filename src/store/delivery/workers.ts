import { sql } from 'kysely'
import { getRow, getValue, hasRow, listValues, rowsOf, run, type Executor } from '../executor.ts'

/** What workers know. It rises with what one of the version before would do wrongly. */
const generations = { letters: 1, folding: 2, braces: 3 }
const generation = Math.max(...Object.values(generations))

/** That `letters` go to all their readers, that old deliveries have moved, and that keys of the queue have braces. */
export type Ability = keyof typeof generations

/** Heard of within six beats: the others are gone, or cannot be reached. */
const isAlive = sql`beat_at > clock_timestamp() - interval '30 seconds'`

export function workersStore(db: Executor) {
  return {
    /** Says that a worker lives, and what its database thinks of the time and of durability. */
    put: (id: string) => getRow<{ now: Date; synchronousCommit: string }>(db)`
      insert into workers (id, generation) values (${id}, ${generation})
      on conflict (id) do update set beat_at = clock_timestamp()
      returning clock_timestamp() as now, current_setting('synchronous_commit') as synchronous_commit`,

    /** Why it sends nothing; undefined where it can. */
    updateObstacle: (id: string, obstacle: string | undefined) =>
      rowsOf(db, 'workers', { id }).update({ obstacle: obstacle ?? null }),

    /** What keeps workers that live from sending, each once. */
    listObstacles: () => listValues<string>(db)`
      select distinct obstacle from workers
      where obstacle is not null and ${isAlive} order by 1`,

    /** Workers that live. */
    countAlive: () => getValue<number>(db)`
      select count(*) as n from workers where ${isAlive}`,

    /** Whether one lives that is of an older version, and cannot do this. */
    areOlderAlive: (ability: Ability) => hasRow(db)`
      select from workers
      where generation < ${generations[ability]} and ${isAlive} limit 1`,

    delete: (id: string) => rowsOf(db, 'workers', { id }).delete(),

    /** Those that never said goodbye. */
    async deleteSilent(): Promise<void> {
      await run(db)`delete from workers where beat_at < clock_timestamp() - interval '1 day'`
    },
  }
}
