import { sql } from 'kysely'
import { spreadReason } from '../../domain/delivery/delivery.ts'
import {
  lookBackDays,
  portionsOf,
  type HeldReason,
  type PortionOutcome,
} from '../../domain/digests/spread.ts'
import { type Executor, findRow, getRow, getValue, listValues, run, seconds } from '../executor.ts'
import { notHeld } from '../delivery/instance-guard.ts'
import { dayMs } from '../../domain/time.ts'

/** What was opened, and what is left. */
export interface Portion {
  waiting: number
  /** When the last of them go. */
  lastAt: Date | null
}

/** A running spread: how many its last portion was for, and when its next was planned. */
export interface RunningSpread {
  portion: number
  nextAt: Date
  now: Date
}

/** A digest that goes out over days. */
export function spreadsStore(db: Executor) {
  const isWaiting = sql`m.state = 'deferred' and m.reason = ${spreadReason}`

  return {
    /**
     * Digests that a domain had accepted lately.
     * @param standard the domain of digests whose newsletter names no sender
     */
    countSentLately: (domain: string, standard: string) => getValue<number>(db)`
      select coalesce(sum(c.n), 0) as n from delivery_counts c join digests g on g.id = c.digest_id
      where c.day > (now() at time zone 'UTC')::date - ${lookBackDays}::int and c.state = 'accepted'
        and coalesce(lower(substring(g.frozen #>> '{newsletter,from}' from '@([^@<>[:space:]]+)>?[[:space:]]*$')),
          ${standard}) = ${domain}`,

    /** Digests whose next portion is due, and that have nobody of the last one left to try. */
    listDue: () => listValues<number>(db)`
      select g.id from digests g
      where g.spread_next_at <= clock_timestamp() and g.state = 'sending' and ${notHeld}
        and not exists (select from deliveries where digest_id = g.id and state = 'pending')
      order by g.id`,

    /**
     * Until the end of the transaction; false where another worker is at it. Before the digest's row is locked, which
     * pausing it must not wait for: putting a million readers in order takes its time.
     */
    claim: (digestId: number) => getValue<boolean>(db)`
      select pg_try_advisory_xact_lock(hashtextextended('depeche.spread', ${digestId})) as is_mine`,

    /** The same, once nobody else is at it. */
    async waitFor(digestId: number): Promise<void> {
      await run(db)`select pg_advisory_xact_lock(hashtextextended('depeche.spread', ${digestId}))`
    },

    /** After `claim`: undefined where its portion has been opened meanwhile, or it was stopped. */
    findDue: (digestId: number) => findRow<RunningSpread>(db)`
      select spread_portion as portion, spread_next_at as next_at, clock_timestamp() as now from digests
      where id = ${digestId} and state = 'sending' and spread_next_at <= clock_timestamp()`,

    countOutcome: (digestId: number) => getRow<PortionOutcome>(db)`
      select
        (select coalesce(sum(n), 0) from delivery_counts where digest_id = ${digestId} and state = 'accepted') as accepted,
        (select count(*) from (
          select subscriber_id from bounces where digest_id = ${digestId} and class not in ('complaint', 'full', 'transient')
          union select subscriber_id from deliveries where digest_id = ${digestId} and state = 'rejected') r) as refused,
        (select count(distinct subscriber_id) from bounces
         where digest_id = ${digestId} and class = 'complaint') as complaints`,

    /**
     * Puts readers in order, the newest first, and gives each their day: the first portion goes now. Who has left or
     * paused counts for nobody.
     * @param of.from `pending`: of a digest just prepared; `waiting`: of those whose day has not come
     */
    async planDays(
      digestId: number,
      { from, size, nextAt }: { from: 'pending' | 'waiting'; size: number; nextAt: Date },
    ): Promise<Portion> {
      const isOpen = from === 'pending' ? sql`m.state = 'pending'` : isWaiting
      // Where each later portion begins: a place of 500 is the first of the second.
      const ends = portionsOf(2 ** 31 - 1, size).map((_, day) => size * (2 ** (day + 1) - 1))
      await run(db)`
        with ranked as (
          select m.subscriber_id, m.next_at, count(*) filter (
              where s.state = 'active' and (s.paused_until is null or s.paused_until <= now())
            ) over (order by s.activated_at desc nulls last, m.subscriber_id desc) as place
          from deliveries m
            join digests g on g.id = m.digest_id
            left join subscriptions s on s.subscriber_id = m.subscriber_id and s.newsletter_id = g.newsletter_id
          where m.digest_id = ${digestId} and ${isOpen}
        ), days as (
          select subscriber_id, next_at, width_bucket(greatest(place, 1) - 1, ${ends}::bigint[]) as day from ranked
        ), planned as (
          select subscriber_id, day, case when day > 0 then
            ${nextAt}::timestamptz + (day - 1) * ${seconds(dayMs / 1_000)} end as at
          from days where (day = 0 and ${from === 'waiting'}::boolean) or (day > 0 and next_at is distinct from
            ${nextAt}::timestamptz + (day - 1) * ${seconds(dayMs / 1_000)})
        ), locked as materialized (
          select m.subscriber_id, planned.day, planned.at from deliveries m
            join planned on planned.subscriber_id = m.subscriber_id
          where m.digest_id = ${digestId} and ${isOpen}
          order by m.subscriber_id for update of m
        )
        update deliveries m
        set state = case when locked.day = 0 then 'pending' else 'deferred' end,
            reason = case when locked.day > 0 then ${spreadReason} end, next_at = locked.at
        from locked where m.digest_id = ${digestId} and m.subscriber_id = locked.subscriber_id`
      return this.countWaiting(digestId)
    },

    countWaiting: (digestId: number) => getRow<Portion>(db)`
      select count(*) as waiting, max(m.next_at) as last_at from deliveries m
      where m.digest_id = ${digestId} and ${isWaiting}`,

    /** Nothing where the desk ended it meanwhile. */
    async update(
      digestId: number,
      {
        plannedAt,
        nextAt,
        portion,
        held,
        waiting,
        lastAt,
      }: Portion & {
        /** As `claim` found it; undefined of one that begins. */
        plannedAt: Date | undefined
        nextAt: Date
        portion: number
        held: HeldReason | undefined
      },
    ): Promise<void> {
      const followAt = waiting > 0 ? nextAt : null
      await run(db)`
        update digests
        set spread_portion = ${portion}, spread_waiting = ${waiting}, spread_held = ${held ?? null},
          spread_next_at = ${followAt}::timestamptz,
          expires_at = greatest(expires_at, ${lastAt}::timestamptz + ${seconds(dayMs / 1_000)}),
          updated_at = clock_timestamp()
        where id = ${digestId} and spread_next_at is not distinct from ${plannedAt ?? null}::timestamptz`
    },

    /** All that wait go now. After `waitFor`. */
    async end(digestId: number): Promise<void> {
      await run(db)`
        with locked as materialized (
          select m.subscriber_id from deliveries m where m.digest_id = ${digestId} and ${isWaiting}
          order by m.subscriber_id for update of m
        )
        update deliveries m set state = 'pending', reason = null, next_at = null
        from locked where m.digest_id = ${digestId} and m.subscriber_id = locked.subscriber_id`
      await run(db)`
        update digests set spread_next_at = null, spread_waiting = 0, version = version + 1 where id = ${digestId}`
    },
  }
}
