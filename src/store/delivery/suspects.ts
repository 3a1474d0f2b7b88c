import { sql, type RawBuilder } from 'kysely'
import type { SendingTimes } from '../../domain/delivery/sending-times.ts'
import { type Executor, findValue, getValue, listRows, listValues, run, seconds } from '../executor.ts'
import type { Failure, Lease, Ledger } from './ledger.ts'

/** The first wait that is longer than what has passed since; minutes. */
export const longerWait = (
  minutes: readonly number[],
  since: RawBuilder<unknown>,
) => sql`make_interval(secs => coalesce(
  (select min(w) from unnest(${minutes.map((each) => each * 60)}::double precision[]) w
    where w > extract(epoch from clock_timestamp() - ${since})), ${(minutes.at(-1) ?? 0) * 60}::double precision))`

/**
 * Mail that was refused while nobody knows whether the refusal is about the reader or about us. `suspect_at` says since
 * when: a mail that the server takes later shows that it was the reader; where it takes none, it was us.
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
     * The mail waits until the relay is asked again, and then behind mail that was not tried yet; no attempt is counted.
     * Call it when no conversation that began before the refusal is open any more.
     */
    async putAside(lease: Lease, failure: Failure): Promise<void> {
      await run(db)`
        update ${table} m
        set state = 'deferred', suspect_at = coalesce(m.suspect_at, clock_timestamp()),
            next_at = ${nextProbe} + ${seconds(2 * times.troubleSeconds)},
            reason = ${failure.reason}, smtp_answer = ${failure.answer}, lease_until = null
        where ${isMine(lease)}`
    },

    /**
     * The server took a later mail: this one is tried once more, behind mail that was not tried yet. It stays a suspect,
     * whose second refusal is the reader's, but one from before any mail that was taken: `listSuspects` leaves it out.
     */
    async askAgain(lease: Lease): Promise<void> {
      await run(db)`
        update ${table} m
        set state = 'pending', suspect_at = to_timestamp(0), lease_token = null, lease_until = null
        where ${isMine(lease)}`
    },

    /** Whether the server has taken a mail whose conversation began after the refusal: a lease is longer than one. */
    hasAcceptedSince: (suspectAt: Date) => getValue<boolean>(db)`
      select exists (select from ${table} m where ${scope} and m.state = 'accepted'
        and m.committing_at > ${suspectAt}::timestamptz + ${seconds(times.leaseSeconds)}) as has_accepted`,

    /** Whether other refused mail waits, which will be tried again. */
    hasPutAside: () => getValue<boolean>(db)`
      select exists (select from ${table} m where ${scope} and m.state = 'deferred' and m.suspect_at is not null)
        as has_any`,

    /** An address that the server took a mail for, of the latest. */
    findTakenAddress: () => findValue<string>(db)`
      select ${ledger.address} as address from ${table} m
      where ${scope} and m.state = 'accepted' order by m.${key} desc limit 1`,

    /** Rejects the mail on the word of one refusal; `listSuspects` finds it again where more of the kind follow. */
    async markUnproven(lease: Lease, failure: Failure): Promise<void> {
      await run(db)`
        update ${table} m
        set state = 'rejected', suspect_at = coalesce(m.suspect_at, clock_timestamp()), lease_until = null,
            attempt = m.attempt + 1, reason = ${failure.reason}, smtp_answer = ${failure.answer}
        where ${isMine(lease)}`
    },

    /** Mail refused for this reason since the server last took one; it waits, or is rejected. */
    listSuspects: (reason: string) => listRows<{ key: number; isRejected: boolean }>(db)`
      with taken as (
        select max(m.committing_at) as at from ${table} m where ${scope} and m.state = 'accepted'
      )
      select m.${key} as key, m.state = 'rejected' as is_rejected from ${table} m, taken
      where ${scope} and m.state in ('deferred', 'rejected') and m.reason = ${reason}
        and m.suspect_at > coalesce(taken.at, '-infinity')`,

    /** Rejections that were about us become waiting mail, without a counted attempt. @returns the keys whose time is not over */
    takeBack: (keys: readonly number[]) => listValues<number>(db)`
      with wronged as materialized (
        select m.* from ${table} m
        where ${scope} and m.${key} = any(${keys}::bigint[]) and m.state = 'rejected' and ${ledger.isUnderWay}
        order by m.${key}
        for update of m
      )
      update ${table} m
      set state = 'deferred', attempt = m.attempt - 1, next_at = ${nextProbe} + ${seconds(2 * times.troubleSeconds)}
      from wronged where ${ledger.sameAs('wronged')}
      returning m.${key} as key`,
  }
}
