import { sql, type RawBuilder } from 'kysely'
import type { Executor } from '../executor.ts'
import { seconds, type Failure, type Lease, type Ledger, type SendingTimes } from './leases.ts'

/** The first wait that is longer than what has passed since; minutes. */
export const longerWait = (
  minutes: readonly number[],
  since: RawBuilder<unknown>,
) => sql`make_interval(secs => coalesce(
  (select min(w) from unnest(${minutes.map((each) => each * 60)}::double precision[]) w
    where w > extract(epoch from clock_timestamp() - ${since})), ${(minutes.at(-1) ?? 0) * 60}::double precision))`

/**
 * Mail that was refused while nobody knows whether the refusal speaks of its person or of us. Its row says since when:
 * a mail that is taken later speaks against the person, no mail taken later speaks against us.
 */
export function suspectsOn<Row>(db: Executor, ledger: Ledger<Row>, times: SendingTimes) {
  const { table, key, scope } = ledger
  const isMine = (
    lease: Lease,
  ) => sql`${scope} and m.${key} = ${lease.key} and m.lease_token = ${lease.token}::uuid
    and (m.state || '') in ('claimed', 'committing')`
  const nextProbe = sql`coalesce(${ledger.probeAt},
    clock_timestamp() + ${longerWait(times.relayBackOffMinutes, sql`coalesce(m.suspect_at, clock_timestamp())`)})`

  return {
    /**
     * It waits, at no cost, until the relay is asked again, and then behind those that were not tried yet. To be called
     * when nothing that began before the refusal can be taken any more.
     */
    async hold(lease: Lease, failure: Failure): Promise<void> {
      await sql`
        update ${table} m
        set state = 'deferred', suspect_at = coalesce(m.suspect_at, clock_timestamp()),
            next_at = ${nextProbe} + ${seconds(2 * times.troubleSeconds)},
            reason = ${failure.reason}, smtp_answer = ${failure.answer}, lease_until = null
        where ${isMine(lease)}`.execute(db)
    },

    /** Somebody was taken after it was refused: it is asked once more, behind those that were not tried yet. */
    async askAgain(lease: Lease): Promise<void> {
      await sql`
        update ${table} m
        set state = 'pending', suspect_at = to_timestamp(0), lease_token = null, lease_until = null
        where ${isMine(lease)}`.execute(db)
    },

    /** Whether the server has taken mail since, with time for what was under way then. */
    async hasAcceptedSince(suspectAt: Date): Promise<boolean> {
      const { rows } = await sql<{ hasAccepted: boolean }>`
        select exists (select from ${table} m where ${scope} and m.state = 'accepted'
          and m.committing_at > ${suspectAt}::timestamptz + ${seconds(times.troubleSeconds)}) as has_accepted`.execute(
        db,
      )
      return rows[0]?.hasAccepted ?? false
    },

    /** The address of one of the last who were taken. */
    async findWitness(): Promise<string | undefined> {
      const { rows } = await sql<{ address: string | null }>`
        select ${ledger.address} as address from ${table} m
        where ${scope} and m.state = 'accepted' order by m.${key} desc limit 1`.execute(db)
      return rows[0]?.address ?? undefined
    },

    /** Rejected because a refusal alone is believed; if it was not alone, `listSuspects` finds it. */
    async markUnproven(lease: Lease, failure: Failure): Promise<void> {
      await sql`
        update ${table} m
        set state = 'rejected', suspect_at = coalesce(m.suspect_at, clock_timestamp()), lease_until = null,
            attempt = m.attempt + 1, reason = ${failure.reason}, smtp_answer = ${failure.answer}
        where ${isMine(lease)}`.execute(db)
    },

    /** Refused for this reason, one after the other, and nobody was taken after them: they wait, or are rejected. */
    async listSuspects(reason: string): Promise<{ key: number; isRejected: boolean }[]> {
      const { rows } = await sql<{ key: number; isRejected: boolean }>`
        with taken as (
          select max(m.committing_at) as at from ${table} m where ${scope} and m.state = 'accepted'
        )
        select m.${key} as key, m.state = 'rejected' as is_rejected from ${table} m, taken
        where ${scope} and m.state in ('deferred', 'rejected') and m.reason = ${reason}
          and m.suspect_at > coalesce(taken.at, '-infinity')`.execute(db)
      return rows
    },

    /** Rejections that were about us: they wait as if they had not been tried. @returns those that still may */
    async takeBack(keys: readonly number[]): Promise<number[]> {
      const { rows } = await sql<{ key: number }>`
        with wronged as materialized (
          select m.* from ${table} m
          where ${scope} and m.${key} = any(${keys}::bigint[]) and m.state = 'rejected' and ${ledger.isUnderWay}
          order by m.${key}
          for update of m
        )
        update ${table} m
        set state = 'deferred', attempt = m.attempt - 1, next_at = ${nextProbe} + ${seconds(2 * times.troubleSeconds)}
        from wronged where ${ledger.sameAs('wronged')}
        returning m.${key} as key`.execute(db)
      return rows.map((row) => row.key)
    },
  }
}
