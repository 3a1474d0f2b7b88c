import { sql } from 'kysely'
import type { DeliveryState } from '../../domain/delivery/delivery.ts'
import { listRows, type Executor } from '../executor.ts'

/** Who came to a newsletter, and who left it by their own wish. */
export interface Readers {
  joined: number
  left: number
}

/** What became of a digest; who came and left until the newsletter's next. */
export interface DigestReport extends Readers {
  id: number
  subject: string
  startedAt: Date
  accepted: number
  rejected: number
  returned: number
  complaints: number
}

// As the index `consents_newsletter` has it.
const isTold = sql`event in ('activated', 'imported', 'restored', 'ended')`
const readers = sql`count(*) filter (where event <> 'ended')::int as joined,
  count(*) filter (where event = 'ended' and reason in ('unsubscribed', 'erased', 'desk')
    and method is distinct from 'import')::int as "left"`

const list = (db: Executor, which: ReturnType<typeof sql>) =>
  listRows<DigestReport>(db)`
    select g.id, coalesce(g.frozen ->> 'subject', '') as subject, g.started_at, c.accepted, c.rejected, b.returned,
      b.complaints, r.joined, r.left
    from digests g
    cross join lateral (
      select coalesce(sum(n) filter (where state = 'accepted'), 0)::int as accepted,
        coalesce(sum(n) filter (where state = 'rejected'), 0)::int as rejected
      from delivery_counts where digest_id = g.id) c
    cross join lateral (
      select count(*) filter (where source = 'dsn')::int as returned,
        count(*) filter (where source = 'arf')::int as complaints
      from bounces where digest_id = g.id) b
    cross join lateral (
      select ${readers} from consents
      where newsletter_id = g.newsletter_id and ${isTold} and at >= g.started_at and at < coalesce((
        select min(next.started_at) from digests next
        where next.newsletter_id = g.newsletter_id and next.started_at > g.started_at and next.audience > 0),
        'infinity')) r
    where g.started_at is not null and g.audience > 0 and ${which}
    order by g.started_at desc`

export function reportsStore(db: Executor) {
  return {
    /** Undefined where it did not go out. */
    async findDigest(id: number): Promise<DigestReport | undefined> {
      return (await list(db, sql`g.id = ${id}`))[0]
    },

    /** Newest first. */
    listDigests: (newsletterId: number, since: Date): Promise<DigestReport[]> =>
      list(db, sql`g.newsletter_id = ${newsletterId} and g.started_at >= ${since}::timestamptz`),

    /** What is kept of its deliveries once their details are not; the largest domains first, '' of who was erased. */
    listDomains: (digestId: number) =>
      listRows<{ domain: string; state: DeliveryState; n: number }>(db)`
        select domain, state, n::int from digest_results where digest_id = ${digestId}
        order by sum(n) over (partition by domain) desc, domain, state`,

    /** By day of the zone; a day without any is absent. */
    listReaderDays: (newsletterId: number, since: Date, zone: string) =>
      listRows<Readers & { date: string }>(db)`
      select to_char(at at time zone ${zone}, 'YYYY-MM-DD') as date, ${readers} from consents
      where newsletter_id = ${newsletterId} and ${isTold} and at >= ${since}::timestamptz group by 1`,
  }
}
