import { findValue, getValue, type Executor } from './executor.ts'

export function healthStore(db: Executor) {
  return {
    /** Whether the server takes no writes, as a standby. */
    isReadOnly: () => getValue<boolean>(db)`
      select current_setting('transaction_read_only')::boolean as is_read_only`,

    /** How long the oldest feed that has changed waits to be rendered; 0 when none does. */
    async getFeedLagSeconds(): Promise<number> {
      const seconds = await findValue<number>(db)`
        select extract(epoch from clock_timestamp() - min(dirty_at))::float8 as seconds
        from feed_documents where dirty_at is not null`
      return Math.max(0, seconds ?? 0)
    },

    /**
     * Age in seconds of the oldest work that a worker should have taken up; 0 when none waits. Each part reads the
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
          select min(dirty_at) from feed_documents where dirty_at is not null
          union all
          select min(published_at) from articles where state = 'scheduled'
        ) waiting`
      return Math.max(0, Math.round(seconds ?? 0))
    },
  }
}
