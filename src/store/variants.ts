import { sql } from 'kysely'
import type { VariantPlan } from '../domain/digest.ts'
import { planVariants, type ReaderGroup } from '../domain/digest-content.ts'
import type { Cadence } from '../domain/newsletter.ts'
import type { Executor } from './executor.ts'

/** Whose history counts, and of what. */
export interface VariantQuery {
  digestId: number
  newsletterId: number
  cadence: Cadence
  /** In the digest's order. */
  articleIds: readonly number[]
  /** Look at this newsletter's own digests alone. */
  isWithinNewsletter: boolean
}

export function variantsStore(db: Executor) {
  return {
    /** The audience by what is left for them; those with nothing left have an empty list. */
    async listGroups(query: VariantQuery): Promise<ReaderGroup[]> {
      const { rows } = await sql<ReaderGroup>`
        with ${audienceOf(query)}
        select article_ids, sum(readers)::int as readers from left_over group by article_ids`.execute(db)
      return rows
    },

    /**
     * The one statement that turns rules and histories into work: variants, and one delivery for each of the
     * audience. Who has nothing left is `skipped`, so that the sum still is the audience.
     * Run it under `claimPreparation`: two digests prepared side by side would not see each other's deliveries.
     */
    async insertDeliveries(
      query: VariantQuery,
      maxArticles: number,
    ): Promise<{ audience: number; pending: number }> {
      // Linear in the audience: hash joins and one sort over the readers; the plan is in docs/decisions/0062.
      const { rows } = await sql<{ audience: number; pending: number }>`
        with ${audienceOf(query)},
        plans as (
          select sections, variant_ids, readers, article_ids[1:${maxArticles}::int] as article_ids from left_over
        ),
        made as (
          insert into variants (digest_id, article_ids, readers)
          select ${query.digestId}, article_ids, sum(readers) from plans where article_ids <> '{}' group by article_ids
          returning id, article_ids
        ),
        -- A few hundred rows, joined before the million.
        plan_variants as (
          select plans.sections, plans.variant_ids, made.id
          from plans left join made on made.article_ids = plans.article_ids
        ),
        inserted as (
          insert into deliveries (digest_id, subscriber_id, variant_id, state, reason)
          select ${query.digestId}, audience.subscriber_id, plan_variants.id,
            case when plan_variants.id is null then 'skipped' else 'pending' end,
            case when plan_variants.id is null then 'nothing_new' end
          from audience join plan_variants using (sections, variant_ids)
          -- In the order of the primary key, whose index then grows at its end alone.
          order by audience.subscriber_id
          on conflict do nothing
          returning state
        )
        select count(*)::int as audience, (count(*) filter (where state = 'pending'))::int as pending from inserted`.execute(
        db,
      )
      return rows[0] ?? { audience: 0, pending: 0 }
    },

    /**
     * Takes a withdrawn article out of what has not been sent: unsent deliveries move to a version without it, or end
     * where it was their last. A delivery in a worker's hands loses its lease, so the worker's guarded update fails
     * and the message is cut off. @returns how many had been sent it, by digest that is still going out
     */
    async dropArticle(articleId: number): Promise<{ digestId: number; accepted: number }[]> {
      const { rows: affected } = await sql<{ id: number; digestId: number }>`
        select v.id, v.digest_id from variants v join digests d on d.id = v.digest_id
        where d.state in ('preparing', 'sending', 'paused') and v.article_ids @> array[${articleId}]::bigint[]
          and v.digest_id in (select digest_id from digest_articles where article_id = ${articleId})
        order by v.id`.execute(db)
      // All of them at once and by key, as workers lock them: then neither can block the other for good.
      await sql`
        select from deliveries
        where digest_id = any(${affected.map((variant) => variant.digestId)}::bigint[])
          and variant_id = any(${affected.map((variant) => variant.id)}::bigint[])
          and state in ('pending', 'claimed', 'deferred')
        order by digest_id, subscriber_id for update`.execute(db)
      for (const variant of affected) {
        await sql`
          with rest as (
            insert into variants (digest_id, article_ids, readers)
            select digest_id, array_remove(article_ids, ${articleId}), 0 from variants where id = ${variant.id}
            on conflict (digest_id, article_ids) do update set article_ids = excluded.article_ids
            returning id, article_ids
          )
          update deliveries d set
            variant_id = rest.id, lease_token = null, lease_until = null,
            state = case when rest.article_ids = '{}' then 'skipped' when d.state = 'claimed' then 'pending' else d.state end,
            reason = case when rest.article_ids = '{}' then 'withdrawn' else d.reason end
          from rest
          where d.digest_id = ${variant.digestId} and d.variant_id = ${variant.id}
            and d.state in ('pending', 'claimed', 'deferred')`.execute(db)
      }
      const digestIds = [...new Set(affected.map((variant) => variant.digestId))]
      await sql`
        update variants v set readers = (
          select count(*) from deliveries d where d.digest_id = v.digest_id and d.variant_id = v.id
        )
        where v.digest_id = any(${digestIds}::bigint[])`.execute(db)
      const { rows } = await sql<{ digestId: number; accepted: number }>`
        with marked as (
          update digest_articles set withdrawn_at = now()
          where article_id = ${articleId} and digest_id = any(${digestIds}::bigint[])
          returning digest_id
        )
        select marked.digest_id, (
          select count(*)::int from deliveries d join variants v on v.id = d.variant_id
          where d.digest_id = marked.digest_id and d.state = 'accepted' and v.article_ids @> array[${articleId}]::bigint[]
        ) as accepted
        from marked`.execute(db)
      return rows
    },

    /** After a preparation, outside its transaction: until then the planner knows nothing of the new rows. */
    async analyze(): Promise<void> {
      // Where somebody is at it already, it is done.
      await sql`analyze (skip_locked) deliveries`.execute(db)
    },

    /** One preparation at a time, until the transaction ends. */
    async claimPreparation(): Promise<void> {
      // A million readers take a minute, and digests wait for each other. Sorts and hashes would go through files.
      await sql`
        select set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true),
          set_config('work_mem', '128MB', true)`.execute(db)
      await sql`select pg_advisory_xact_lock(hashtext('depeche.prepare'))`.execute(db)
    },

    /** Stored versions of a digest, the largest first. */
    async list(digestId: number): Promise<VariantPlan[]> {
      const rows = await db
        .selectFrom('variants')
        .select(['articleIds', 'readers'])
        .where('digestId', '=', digestId)
        .orderBy('readers', 'desc')
        .orderBy('id')
        .execute()
      return rows.map((row) => ({ articleIds: row.articleIds, readers: row.readers }))
    },

    /** Versions a digest would have now. */
    async listPlanned(query: VariantQuery, maxArticles: number): Promise<VariantPlan[]> {
      return planVariants(await this.listGroups(query), maxArticles)
    },
  }
}

/**
 * `audience` (subscriber, sections, what they have), and `left_over`: for each distinct pair of those, how many
 * readers and which articles remain, in order. People are grouped before articles are looked at, so the second half
 * works on a few hundred rows, however many subscribers there are.
 *
 * What a person has is what a digest has sent them or is about to: mail that is still on its way counts, or two
 * digests side by side would bring the same story; mail that was rejected, skipped or has expired does not, unless
 * an earlier attempt at it may have arrived.
 * There is no limit in time here: only digests that hold one of these articles matter, and they find themselves.
 */
function audienceOf({ digestId, newsletterId, cadence, articleIds, isWithinNewsletter }: VariantQuery) {
  return sql`
    candidates as materialized (
      select wanted.id, wanted.position,
        coalesce((
          select array_agg(x.selection_id) from article_selections x
          join selections s on s.id = x.selection_id and s.kind = 'section'
          where x.article_id = wanted.id
        ), '{}') as sections
      from unnest(${articleIds}::bigint[]) with ordinality wanted (id, position)
      join articles a on a.id = wanted.id and a.state = 'published'
    ),
    earlier as (
      select v.id, v.digest_id, v.article_ids
      from variants v join digests d on d.id = v.digest_id
      where v.digest_id in (select digest_id from digest_articles where article_id = any(${articleIds}::bigint[]))
        and v.article_ids && ${articleIds}::bigint[]
        and v.digest_id <> ${digestId}
        and (not ${isWithinNewsletter}::boolean or d.newsletter_id = ${newsletterId})
    ),
    got as (
      select d.subscriber_id, array_agg(d.variant_id order by d.variant_id) as variant_ids
      from deliveries d join earlier e on e.digest_id = d.digest_id and e.id = d.variant_id
      where d.state in ('pending', 'claimed', 'committing', 'accepted', 'deferred', 'uncertain') or d.ambiguous > 0
      group by d.subscriber_id
    ),
    audience as (
      select s.subscriber_id, s.sections, coalesce(got.variant_ids, '{}') as variant_ids
      from subscriptions s
      left join got on got.subscriber_id = s.subscriber_id
      where s.newsletter_id = ${newsletterId} and s.state = 'active'
        and (s.cadence = ${cadence} or (${cadence} = 'alert' and s.alerts))
        and (s.paused_until is null or s.paused_until <= now())
        -- From the suppressions, which are few, to their people: the other way reads every address.
        and not exists (
          select from suppressions x join subscribers p on p.address_hmac = x.address_hmac
          where p.id = s.subscriber_id)
    ),
    groups as (
      select sections, variant_ids, count(*) as readers from audience group by sections, variant_ids
    ),
    left_over as (
      select sections, variant_ids, readers, array(
        select c.id from candidates c
        where (groups.sections = '{}' or c.sections && groups.sections)
          and not exists (
            select from earlier e where e.id = any(groups.variant_ids) and c.id = any(e.article_ids))
        order by c.position
      ) as article_ids
      from groups
    )`
}
