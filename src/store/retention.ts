import { sql } from 'kysely'
import { changesRows, findValue, hasRow, listValues, rowsOf, run, type Executor } from './executor.ts'
import { isHad } from './digests/audience.ts'

/** What is kept for a time: each call ends one batch. */
export function retentionStore(db: Executor) {
  return {
    /** Whether this worker may do what one does for all, and for how long nobody else does. */
    claimRound: (name: string, seconds: number) => hasRow(db)`
      insert into rounds (name, until) values (${name}, clock_timestamp() + make_interval(secs => ${seconds}))
      on conflict (name) do update set until = excluded.until where rounds.until <= clock_timestamp()
      returning name`,

    /** Those that ended before and still have details, or a part of them, oldest first. */
    listEndedDigests: (before: Date) => listValues<number>(db)`
      select id from digests
      where audience > 0 and completed_at < ${before}::timestamptz
        and (state in ('completed', 'completed_with_uncertain') or (state = 'cancelled' and settled_at is not null))
        and has_details
      order by completed_at, id`,

    /** False where it was sent on meanwhile. Nobody can decide on doubts any more: they stay what they are. */
    endDetails: (digestId: number) => changesRows(db)`
      update digests set details_ended_at = coalesce(details_ended_at, clock_timestamp()),
        state = case when state = 'completed_with_uncertain' then 'completed' else state end
      where id = ${digestId} and state in ('completed', 'completed_with_uncertain', 'cancelled')`,

    /** Nothing of it is left to move: a look at its deliveries would read all that were there. */
    markMoved: (digestId: number) => rowsOf(db, 'digests', { id: digestId }).update({ hasDetails: false }),

    /**
     * Moves deliveries past a reader, in one transaction: at every moment each is here or there. Whoever was erased is
     * counted and forgotten.
     * @returns the last reader; undefined where none was left
     */
    async moveDeliveries(digestId: number, after: number, limit: number): Promise<number | undefined> {
      // In the order of its index the first rows are at hand. A bitmap finds all that are left and sorts them, for each batch;
      // the planner has nothing against it where the table was small when it was looked at.
      await run(db)`
        select set_config('depeche.keeps_counts', 'on', true), set_config('enable_bitmapscan', 'off', true)`
      return findValue<number>(db)`
        with gone as (
          delete from deliveries
          where digest_id = ${digestId} and subscriber_id in (
            select subscriber_id from deliveries where digest_id = ${digestId} and subscriber_id > ${after}
            order by subscriber_id limit ${limit})
          returning subscriber_id, variant_id, state, ambiguous
        ), results as (
          insert into digest_results (digest_id, domain, state, n)
          select ${digestId}, coalesce(lower(split_part(s.address, '@', 2)), ''), d.state, count(*)
          from gone d join subscribers s on s.id = d.subscriber_id
          group by 2, 3 order by 2, 3
          on conflict (digest_id, domain, state) do update set n = digest_results.n + excluded.n
        ), readers as (
          insert into variant_readers (variant_id, digest_id, first_id, last_id, is_sure, subscriber_ids)
          select d.variant_id, ${digestId}, min(d.subscriber_id), max(d.subscriber_id), d.state = 'accepted',
            array_agg(d.subscriber_id order by d.subscriber_id)
          from gone d join subscribers s on s.id = d.subscriber_id
          where ${isHad} and d.variant_id is not null and s.erased_at is null
          group by d.variant_id, d.state = 'accepted'
        )
        select max(subscriber_id) as last from gone`
    },

    /**
     * Looks at the personal mails past one and deletes what is over; tests of a digest stay: they tell what was tried.
     * @returns the last that was old; undefined where none was left
     */
    deleteMails: (before: Date, after: number, limit: number) => findValue<number>(db)`
      with looked as materialized (
        select id, kind, state, created_at < ${before}::timestamptz as is_old from outbox
        where id > ${after} order by id limit ${limit}
      ), gone as (
        delete from outbox using looked
        where outbox.id = looked.id and is_old and looked.kind <> 'digest-test'
          and looked.state in ('accepted', 'rejected', 'uncertain', 'skipped', 'expired')
      )
      select max(id) filter (where is_old) as last from looked`,

    /** The first month of which days are counted, such as 2026-03-01. */
    findFirstMonth: () => findValue<string>(db)`
      select date_trunc('month', least((select min(date) from article_views), (select min(date) from feed_polls)))::date
        as month`,

    /** Views of a month's days, which become views of the month. @returns whether there may be more */
    foldViews: (month: string, limit: number) => changesRows(db)`
      with gone as (
        delete from article_views where (article_id, date) in (
          select article_id, date from article_views where ${isDayOf(month)} limit ${limit})
        returning article_id, n
      )
      insert into article_views (article_id, date, n)
      select article_id, ${month}::date, sum(n) from gone group by 1 order by 1
      on conflict (article_id, date) do update set n = article_views.n + excluded.n`,

    /** Polls of a month's days, which become polls of the month. @returns whether there may be more */
    foldPolls: (month: string, limit: number) => changesRows(db)`
      with gone as (
        delete from feed_polls where (path, date, family) in (
          select path, date, family from feed_polls where ${isDayOf(month)} limit ${limit})
        returning path, family, full_n, not_modified_n, limited_n
      )
      insert into feed_polls (path, date, family, full_n, not_modified_n, limited_n)
      select path, ${month}::date, family, sum(full_n), sum(not_modified_n), sum(limited_n) from gone
      group by 1, 3 order by 1, 3
      on conflict (path, date, family) do update set full_n = feed_polls.full_n + excluded.full_n,
        not_modified_n = feed_polls.not_modified_n + excluded.not_modified_n,
        limited_n = feed_polls.limited_n + excluded.limited_n`,
  }
}

/** Past its first, which stands for the month. */
const isDayOf = (month: string) =>
  sql`date > ${month}::date and date < (${month}::date + interval '1 month')::date`
