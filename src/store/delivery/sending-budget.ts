import { nothingSpent, type Spent } from '../../domain/delivery/sending-rate.ts'
import { getRow, getValue, run, type Executor } from '../executor.ts'

export type SendingBudgetStore = ReturnType<typeof sendingBudgetStore>

export function sendingBudgetStore(db: Executor) {
  return {
    /** What was let out, as of the database's clock in milliseconds. `version` 0: nothing ever was. */
    async get(): Promise<{ version: number; spent: Spent; now: number }> {
      const { version, spent, now } = await getRow<{
        version: number | null
        spent: Spent | null
        now: number
      }>(db)`
        select b.version, b.spent, extract(epoch from clock_timestamp()) * 1000 as now
        from (select) as one left join sending_budget b on true`
      return { version: version ?? 0, spent: spent ?? nothingSpent, now }
    },

    /** Mail that goes before a digest or beside it: personal mail, and what other digests still have to send. */
    async countWaiting(exceptDigestId: number): Promise<number> {
      return getValue<number>(db)`
        select (select count(*) from outbox where state = 'pending')
          + (select count(*) from outbox where state = 'claimed')
          + (select count(*) from outbox where state = 'deferred')
          + (select coalesce(sum(c.n), 0) from digests g join delivery_counts c on c.digest_id = g.id
             where g.state = 'sending' and g.id <> ${exceptDigestId}
               and c.state in ('pending', 'claimed', 'deferred')) as n`
    },

    /** @returns false where somebody has changed it since `version` */
    async put(version: number, spent: Spent): Promise<boolean> {
      const written = await run(db)`
        insert into sending_budget as b (version, spent) values (1, ${JSON.stringify(spent)}::jsonb)
        on conflict (only_row) do update set version = b.version + 1, spent = excluded.spent
        where b.version = ${version}`
      return written === 1
    },
  }
}
