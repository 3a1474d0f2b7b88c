import { sql } from 'kysely'
import { run, type Executor } from './executor.ts'

/** Numbers that triggers keep: each is the sum of its rows, and every statement that changed it has added some. */
export function countsStore(db: Executor) {
  return {
    /**
     * Makes few rows of many: in one statement each, so that whoever sums sees those before or those after. What another
     * worker is putting together is left to it.
     */
    async fold(): Promise<void> {
      await foldRows(db, 'delivery_counts', ['digest_id', 'state', 'day'])
      await foldRows(db, 'reader_counts', ['newsletter_id'])
    },
  }
}

async function foldRows(db: Executor, table: string, columns: [owner: string, ...string[]]): Promise<void> {
  const [rows, owner, all] = [
    sql.table(table),
    sql.ref(columns[0]),
    sql.join(columns.map((one) => sql.ref(one))),
  ]
  await run(db)`
    with grown as materialized (
      select ${owner} from ${rows} group by ${all} having count(*) > 1
    ), picked as materialized (
      select ctid as place from ${rows} where ${owner} in (select ${owner} from grown)
      for update skip locked
    ), taken as (
      delete from ${rows} where ctid = any(array(select place from picked)) returning *
    )
    insert into ${rows} (${all}, n)
    select ${all}, sum(n) from taken group by ${all} having sum(n) <> 0`
}
