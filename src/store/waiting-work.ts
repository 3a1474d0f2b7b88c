import { sql } from 'kysely'
import { findValue, getRow, getValue, type Executor } from './executor.ts'

/** What waits for a worker, whoever should have rung for it. */
export interface WaitingWork {
  mail: boolean
  signups: boolean
  articles: boolean
  feeds: boolean
  pictures: boolean
  preparing: number[]
  sending: number[]
  importing: number[]
  sources: number[]
}

/** Any number that nothing else locks. */
const reconcilerLock = 0x6465_7065

/** One that has moved or ended is marked like the others, and nobody renders it. */
const changed = sql`dirty_at is not null and moved_to is null and retired_at is null`

export function waitingWorkStore(db: Executor) {
  return {
    /** Until the end of the transaction; false where another worker is at it. */
    claimReconciling: () => getValue<boolean>(db)`
      select pg_try_advisory_xact_lock(${reconcilerLock}) as is_mine`,

    get: () => getRow<WaitingWork>(db)`
      select
        exists (select from outbox where state = 'pending') as mail,
        exists (select from activations where decided_at is null and decide_at <= clock_timestamp()) as signups,
        exists (select from articles where state = 'scheduled' and published_at <= clock_timestamp()) as articles,
        exists (select from feed_changes)
          or exists (select from feed_documents where ${changed})
          or exists (select from feed_documents where due_at <= clock_timestamp()) as feeds,
        exists (select from media where state = 'waiting') as pictures,
        array(select id from digests where state = 'preparing' order by id) as preparing,
        array(select id from digests where state = 'sending' order by id) as sending,
        array(select id from imports where state in ('waiting', 'running') order by id) as importing,
        array(select id from sources where paused_at is null and next_at <= clock_timestamp()
          and coalesce(lease_until, '-infinity') < clock_timestamp() order by next_at limit 20) as sources`,

    /** How long the oldest feed that has changed waits to be rendered; 0 when none does. */
    async getFeedLagSeconds(): Promise<number> {
      const seconds = await findValue<number>(db)`
        select extract(epoch from clock_timestamp() - min(dirty_at))::float8 as seconds
        from feed_documents where ${changed}`
      return Math.max(0, seconds ?? 0)
    },

    /**
     * Age in seconds of the oldest work that people wait for and a worker should have taken up; 0 when none waits. Each part reads the
     * first entry of a partial index, so asking costs the same however much waits.
     */
    async getOldestWaitingSeconds(): Promise<number> {
      const seconds = await findValue<number>(db)`
        select extract(epoch from clock_timestamp() - min(since))::float8 as seconds
        from (
          (select created_at as since from outbox where state = 'pending' order by id limit 1)
          union all
          select min(next_at) from outbox where state = 'deferred'
          union all
          select min(decide_at) from activations where decided_at is null
          union all
          select min(coalesce(started_at, send_at)) from digests where state in ('preparing', 'sending')
          union all
          select min(dirty_at) from feed_documents where ${changed}
          union all
          select min(published_at) from articles where state = 'scheduled'
        ) waiting`
      return Math.max(0, Math.round(seconds ?? 0))
    },
  }
}
