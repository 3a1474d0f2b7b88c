import { sql } from 'kysely'
import type { Executor } from '../executor.ts'

/** Numbers that triggers keep: each is the sum of its rows, and every statement that changed it has added some. */
export function countsStore(db: Executor) {
  return {
    /**
     * Makes few rows of many: in one statement each, so that whoever sums sees those before or those after. What another
     * worker is putting together is left to it.
     */
    async fold(): Promise<void> {
      await sql`
        with grown as materialized (
          select digest_id from delivery_counts group by digest_id, state, day having count(*) > 1
        ), picked as materialized (
          select ctid as place from delivery_counts where digest_id in (select digest_id from grown)
          for update skip locked
        ), taken as (
          delete from delivery_counts where ctid = any(array(select place from picked)) returning *
        )
        insert into delivery_counts (digest_id, state, day, n)
        select digest_id, state, day, sum(n) from taken group by 1, 2, 3 having sum(n) <> 0`.execute(db)
      await sql`
        with grown as materialized (
          select newsletter_id from reader_counts group by newsletter_id having count(*) > 1
        ), picked as materialized (
          select ctid as place from reader_counts where newsletter_id in (select newsletter_id from grown)
          for update skip locked
        ), taken as (
          delete from reader_counts where ctid = any(array(select place from picked)) returning *
        )
        insert into reader_counts (newsletter_id, n)
        select newsletter_id, sum(n) from taken group by 1 having sum(n) <> 0`.execute(db)
    },
  }
}
