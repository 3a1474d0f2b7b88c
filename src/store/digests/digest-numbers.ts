import type { DeliveryState } from '../../domain/delivery/delivery.ts'
import type { DigestState } from '../../domain/digests/digest.ts'
import { findValue, getRow, type Executor } from '../executor.ts'
import { lateMinutes } from './warnings.ts'

/** Where all digests stand, for monitoring. */
export interface DigestNumbers {
  digests: Partial<Record<DigestState, number>>
  /** Due for ten minutes and more, and not sending. */
  late: number
  /** Of the last day. */
  missed: number
  /** Seconds since the oldest that is due and not sending should have started. */
  oldestDueSeconds: number
  /** Of digests on their way alone: those that have ended need not be counted again. */
  deliveries: Partial<Record<DeliveryState, number>>
  /** The largest share of refusals among the answers to one digest on its way. */
  rejectShare: number
}

/** Of fewer readers than this a digest tells nothing of the pace. */
const fewestTimed = 100

export function digestNumbersStore(db: Executor) {
  return {
    /** Readers a second: the quickest of the last five digests of a month, for others were paused or stopped. */
    findPace: () => findValue<number>(db)`
      select max(audience / extract(epoch from completed_at - started_at))::float8 as pace from (
        select audience, started_at, completed_at from digests
        where created_at > now() - interval '30 days' and audience >= ${fewestTimed}
          and completed_at > started_at and state <> 'cancelled' and not coalesce(spread, false)
        order by created_at desc limit 5) d`,

    get: () => getRow<DigestNumbers>(db)`
      with counted as materialized (
        select digest_id, state, sum(n)::int as n from delivery_counts
        where digest_id in (select id from digests where state in ('preparing', 'sending', 'paused'))
        group by digest_id, state having sum(n) > 0
      ),
      due as (
        select clock_timestamp() - coalesce(send_at, started_at) as age from digests
        where state in ('draft', 'approved', 'scheduled', 'preparing')
          and coalesce(send_at, started_at) <= clock_timestamp()
      )
      select
        (select coalesce(jsonb_object_agg(state, n), '{}') from (
          select state, count(*)::int as n from digests group by state) s) as digests,
        (select count(*)::int from due where age > make_interval(mins => ${lateMinutes})) as late,
        (select count(*)::int from digests
          where state = 'missed' and send_at > clock_timestamp() - interval '1 day') as missed,
        (select coalesce(extract(epoch from max(age)), 0)::float8 from due) as oldest_due_seconds,
        (select coalesce(jsonb_object_agg(state, n), '{}') from (
          select state, sum(n)::int as n from counted group by state) s) as deliveries,
        (select coalesce(max(share), 0)::float8 from (
          select sum(n) filter (where state = 'rejected')::float8 / sum(n) as share from counted
          where state in ('accepted', 'rejected') group by digest_id) s) as reject_share`,
  }
}
