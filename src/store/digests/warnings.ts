import { sql } from 'kysely'
import { mostRefused } from '../../domain/digests/spread.ts'
import type { DigestWarning } from '../../domain/notice.ts'
import { listRows, type Executor } from '../executor.ts'
import { undecided } from './doubts.ts'

/** Something about a digest that the desk should look at. */
export interface Warning {
  kind: DigestWarning
  digestId: number
  newsletter: string
  /** The subject of its mail. */
  digest: string
  values: Record<string, string | number>
  /** Its numbers still grow: the desk is told when they are final. */
  isGrowing: boolean
}

/** Minutes after its time. */
export const lateMinutes = 10
/** Of the audience last time. */
const smallestAudience = 0.8

/** As the index `deliveries_troubled` has it, so that a million good deliveries are not read. */
const troubled = sql`(state in ('rejected', 'uncertain') or ambiguous > 0)`

export function warningsStore(db: Executor) {
  return {
    /** Of the last day. Rates are told from twenty people on: below that one refusal is no news. */
    listWarnings: () => listRows<Warning>(db)`
      with recent as (
        select d.*, n.name as newsletter, coalesce(d.frozen ->> 'subject', n.name) as shown from digests d
        join newsletters n on n.id = d.newsletter_id
        where greatest(d.created_at, d.send_at) > now() - interval '9 days'
      ),
      gone as (
        select r.id, r.newsletter, r.shown, r.audience, r.state in ('sending', 'paused') as is_open,
          c.rejected, c.doubled, (
          select p.audience from digests p
          where p.newsletter_id = r.newsletter_id and p.cadence = r.cadence and p.audience > 0
            and p.local_date is not null and r.local_date is not null and p.started_at < r.started_at
          order by p.started_at desc limit 1
        ) as before
        from recent r cross join lateral (
          select count(*) filter (where state = 'rejected') as rejected,
            count(*) filter (where state = 'accepted' and ambiguous > 0) as doubled
          from deliveries where digest_id = r.id and ${troubled}
        ) c
        where coalesce(r.completed_at, r.started_at) > now() - interval '1 day' and r.audience > 0
      )
      select 'digest_late' as kind, id as digest_id, newsletter, shown as digest, '{}'::jsonb as values, false as is_growing
      from recent where state in ('draft', 'approved', 'scheduled', 'preparing')
        and coalesce(send_at, started_at) < now() - make_interval(mins => ${lateMinutes})
      union all
      select 'audience_dropped', id, newsletter, shown, jsonb_build_object('count', audience, 'before', before), false
      from gone where before >= 20 and audience < before * ${smallestAudience}::float8
      union all
      select 'rejects_high', id, newsletter, shown, jsonb_build_object('percent', round(100.0 * rejected / audience)), false
      from gone where audience >= 20 and rejected > audience * ${mostRefused}::float8
      union all
      select 'same_address_twice', id, newsletter, shown, jsonb_build_object('count', doubled), is_open
      from gone where doubled > 0
      union all
      select 'digest_uncertain', id, newsletter, shown, jsonb_build_object('count', (
        select count(*) from deliveries where digest_id = recent.id and ${troubled} and ${undecided})), false
      from recent where state = 'completed_with_uncertain'
      union all
      select case when spread_held is null then 'digest_spread' else 'spread_held' end, id, newsletter, shown,
        jsonb_build_object('count', spread_waiting), false
      from recent where state in ('sending', 'paused') and spread_next_at is not null
      union all
      select 'digest_paused', id, newsletter, shown, '{}'::jsonb, false
      from recent where state = 'paused' and paused_reason = 'no_answer'
      union all
      -- Also while it is asked again; but not what passes in seconds.
      select 'relay_refuses', id, newsletter, shown, jsonb_build_object('answer', relay_answer), false
      from recent where state in ('sending', 'paused') and relay_since < now() - interval '10 seconds'
      order by digest_id desc, kind`,
  }
}
