import { sql } from 'kysely'
import { listRows, type Executor } from '../executor.ts'

/** One line of the export: a subscription of somebody. */
export interface ExportRow {
  id: number
  email: string
  language: string
  newsletters: string
  state: string
  cadence: string
  alerts: boolean
  sections: string
  pausedUntil: Date | null
  endedReason: string | null
  suppressed: string | null
  /** When it was given, as stated or as it was activated here. */
  consentDate: Date | null
  consentSource: string | null
  consentBasis: string | null
}

export interface GrowthRow {
  /** Its Monday, in the zone. */
  week: string
  newsletter: string
  language: string
  begun: number
  ended: number
}

/** What the desk reads across subscribers; changes nothing. */
export function subscriberOverviewStore(db: Executor) {
  return {
    /** In pages by subscriber, so that no export holds the table in memory or in one transaction. */
    async listForExport(after: { subscriberId: number; newsletterId: number }, limit: number) {
      return listRows<ExportRow & { newsletterId: number }>(db)`
        select p.id, s.newsletter_id as "newsletterId", p.address as email, p.language, n.slug as newsletters,
          s.state, s.cadence, s.alerts,
          (select coalesce(string_agg(slug, ' ' order by slug), '') from selections where id = any (s.sections)) as sections,
          s.paused_until as "pausedUntil", s.ended_reason as "endedReason", x.reason as suppressed,
          coalesce(c.given_at, s.activated_at) as "consentDate", c.source as "consentSource", c.basis as "consentBasis"
        from subscriptions s
        join subscribers p on p.id = s.subscriber_id
        join newsletters n on n.id = s.newsletter_id
        left join suppressions x on x.address_hmac = p.address_hmac
        -- The last proof: of a pending one what it was asked with.
        left join lateral (
          select given_at, source, basis from (
            select at, id, given_at, source, case when event = 'activated' then 'double opt-in' else basis end as basis
            from consents
            where subscriber_id = s.subscriber_id and newsletter_id = s.newsletter_id
              and (event in ('activated', 'imported') or (event = 'ended' and method = 'import'))
            union all
            select r.at, r.id, r.given_at, r.source, r.basis
            from activations a join consents r on r.activation_id = a.id
            where s.state = 'pending' and a.subscriber_id = s.subscriber_id
              and r.event = 'requested' and r.newsletter_id = s.newsletter_id) proof
          order by at desc, id desc limit 1) c on true
        where p.address is not null and (s.subscriber_id, s.newsletter_id) > (${after.subscriberId}, ${after.newsletterId})
        order by s.subscriber_id, s.newsletter_id
        limit ${limit}`
    },

    /** Subscriptions begun and ended by week and newsletter, from the consent record, the last 12 weeks. */
    listGrowth: (zone: string) => listRows<GrowthRow>(db)`
      select to_char(date_trunc('week', c.at at time zone ${zone}), 'YYYY-MM-DD') as week,
        n.slug as newsletter, n.language,
        count(*) filter (where c.event in ('activated', 'imported', 'restored'))::int as begun,
        count(*) filter (where c.event = 'ended' and c.method is distinct from 'import')::int as ended
      from consents c join newsletters n on n.id = c.newsletter_id
      where c.at > now() - interval '12 weeks'
        and (c.event = 'ended' or (c.event in ('activated', 'imported', 'restored') and c.subscriber_id is not null))
      group by 1, 2, 3 order by 1, 2`,

    /** What became of requests for this address, newest first. */
    listRequests: (address: string) =>
      db
        .selectFrom('activations')
        .select(['createdAt', 'kind', 'form', 'decision', 'activatedAt', 'refusedAt', 'expiresAt'])
        .where(sql`lower(address)`, '=', sql`lower(${address})`)
        .orderBy('createdAt', 'desc')
        .limit(20)
        .execute(),

    /** Personal mails to somebody, newest first. */
    listMails: (subscriberId: number) =>
      db
        .selectFrom('outbox as o')
        .select(['o.createdAt', 'o.kind', 'o.state', 'o.reason', 'o.acceptedAt'])
        .where(
          'o.id',
          'in',
          sql<number>`(
            select id from outbox where subscriber_id = ${subscriberId}
            union
            select m.id from activations a join outbox m on m.activation_id = a.id where a.subscriber_id = ${subscriberId})`,
        )
        .orderBy('o.id', 'desc')
        .limit(20)
        .execute(),

    listBounces: (subscriberId: number) =>
      db
        .selectFrom('bounces')
        .select(['at', 'class', 'status', 'source', 'points'])
        .where('subscriberId', '=', subscriberId)
        .orderBy('at', 'desc')
        .limit(20)
        .execute(),
  }
}
