import { listRows, run, type Executor } from '../executor.ts'

/** Polls of one feed by one family of readers on one day. */
export interface FeedPolls {
  path: string
  family: string
  full: number
  notModified: number
  limited: number
}

export function feedPollsStore(db: Executor) {
  return {
    /** Adds to what is counted already. @param date ISO, such as 2026-03-14 */
    async put(date: string, polls: FeedPolls[]): Promise<void> {
      if (polls.length === 0) return
      await run(db)`
        insert into feed_polls (path, date, family, full_n, not_modified_n, limited_n)
        select path, ${date}::date, family, "full", "notModified", limited
        from jsonb_to_recordset(${JSON.stringify(polls)}::jsonb)
          as p (path text, family text, "full" bigint, "notModified" bigint, limited bigint)
        -- In one order, so that two processes that flush at once cannot wait for each other in a circle.
        order by path, family
        on conflict (path, date, family) do update set
          full_n = feed_polls.full_n + excluded.full_n,
          not_modified_n = feed_polls.not_modified_n + excluded.not_modified_n,
          limited_n = feed_polls.limited_n + excluded.limited_n`
    },

    /** By feed and family, since a day; busiest family first. */
    listSince: (date: string) => listRows<FeedPolls>(db)`
      select path, family, sum(full_n)::bigint as "full", sum(not_modified_n)::bigint as not_modified,
        sum(limited_n)::bigint as limited
      from feed_polls
      where date >= ${date}::date
      group by path, family
      order by path, sum(full_n + not_modified_n) desc, family`,
  }
}
