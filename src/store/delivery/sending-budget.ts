import { nothingSpent, type Spent } from '../../domain/delivery/sending-budget.ts'
import { changesRows, getRow, getValue, type Executor } from '../executor.ts'

export type SendingBudgetStore = ReturnType<typeof sendingBudgetStore>

export function sendingBudgetStore(db: Executor) {
  return {
    /** What was let out, as of the database's clock in milliseconds. `version` 0: nothing ever was. */
    get: () => getRow<{ version: number; spent: Spent; now: number }>(db)`
      select coalesce(b.version, 0) as version, coalesce(b.spent, ${JSON.stringify(nothingSpent)}::jsonb) as spent,
        extract(epoch from clock_timestamp()) * 1000 as now
      from (select) as one left join sending_budget b on true`,

    /** Mail that goes before a digest or beside it: personal mail, and what other digests still have to send. */
    countWaiting: (exceptDigestId: number) => getValue<number>(db)`
      select (select count(*) from outbox where state = 'pending')
        + (select count(*) from outbox where state = 'claimed')
        + (select count(*) from outbox where state = 'deferred')
        + (select coalesce(sum(c.n), 0) from digests g join delivery_counts c on c.digest_id = g.id
           where g.state = 'sending' and g.id <> ${exceptDigestId}
             and c.state in ('pending', 'claimed', 'deferred')) as n`,

    /** @returns false where somebody has changed it since `version` */
    put: (version: number, spent: Spent) => changesRows(db)`
      insert into sending_budget as b (version, spent) values (1, ${JSON.stringify(spent)}::jsonb)
      on conflict (only_row) do update set version = b.version + 1, spent = excluded.spent
      where b.version = ${version}`,
  }
}
