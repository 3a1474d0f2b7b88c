import { sql } from 'kysely'
import type { VariantPlan } from '../../domain/digests/digest.ts'
import { getRow, hasRow, listRows, run, type Executor } from '../executor.ts'
import { audienceOf, type AudienceQuery } from './audience.ts'

/** A withdrawn article in one digest. */
export interface WithdrawnReach {
  digestId: number
  articleId: number
  withdrawnAt: Date
  /** Who surely have it. */
  accepted: number
  /** Who may have it: nobody knows whether their mail was taken before the withdrawal. */
  inDoubt: number
}

export function variantsStore(db: Executor) {
  const countReaders = async (digestIds: readonly number[]): Promise<void> => {
    await run(db)`
      with counted as (
        select variant_id, count(*)::int as n from deliveries where digest_id = any(${digestIds}::bigint[])
        group by variant_id
      )
      update variants v set readers = coalesce((select n from counted c where c.variant_id = v.id), 0)
      where v.digest_id = any(${digestIds}::bigint[])`
  }

  const replaceVariants = async (ids: readonly number[], articleId: number): Promise<void> => {
    await run(db)`
      insert into variants (digest_id, article_ids, readers)
      select distinct digest_id, array_remove(article_ids, ${articleId}), 0 from variants
      where id = any(${ids}::bigint[])
      on conflict do nothing`
    await run(db)`
      update variants v set replaced_by = rest.id
      from variants rest
      where v.id = any(${ids}::bigint[]) and rest.digest_id = v.digest_id
        and rest.article_ids = array_remove(v.article_ids, ${articleId})`
    // What was replaced by one of these before follows it.
    await run(db)`
      update variants v set replaced_by = rest.replaced_by
      from variants rest
      where v.replaced_by = any(${ids}::bigint[]) and rest.id = v.replaced_by`
  }

  return {
    /**
     * The one statement that turns rules and histories into work: variants, and one delivery for each of the
     * audience. Who has nothing left is `skipped`, so that the sum still is the audience.
     * Run it under `claimPreparation`: two digests prepared side by side would not see each other's deliveries.
     */
    async insertDeliveries(
      query: AudienceQuery,
      maxArticles: number,
    ): Promise<{ audience: number; pending: number }> {
      // An article that is withdrawn meanwhile waits for this preparation, and then finds what it has to change.
      await run(db)`
        select from articles where id = any(${query.articleIds}::bigint[]) order by id for key share`
      // Linear in the audience: hash joins and one sort over the readers; the plan is in docs/decisions/0062.
      return getRow<{ audience: number; pending: number }>(db)`
        with ${audienceOf(query)},
        plans as (
          select sections, variant_ids, barred, readers, article_ids[1:${maxArticles}::int] as article_ids,
            barred = '' and (article_ids <> '{}' or ${query.isLetter}) as is_mailed
          from left_over
        ),
        made as (
          insert into variants (digest_id, article_ids, readers)
          select ${query.digestId}, article_ids, sum(readers) from plans where is_mailed group by article_ids
          returning id, article_ids
        ),
        -- A few hundred rows, joined before the million.
        plan_variants as (
          select plans.sections, plans.variant_ids, plans.barred, made.id
          from plans left join made on plans.is_mailed and made.article_ids = plans.article_ids
        ),
        inserted as (
          insert into deliveries (digest_id, subscriber_id, variant_id, state, reason)
          select ${query.digestId}, audience.subscriber_id, plan_variants.id,
            case when plan_variants.id is null then 'skipped' else 'pending' end,
            case when barred <> '' then barred when plan_variants.id is null then 'nothing_new' end
          from audience join plan_variants using (sections, variant_ids, barred)
          -- In the order of the primary key, whose index then grows at its end alone.
          order by audience.subscriber_id
          on conflict do nothing
          returning state
        )
        select count(*)::int as audience, (count(*) filter (where state = 'pending'))::int as pending from inserted`
    },

    /**
     * Takes a withdrawn article out of what has not been sent. Every version that holds it is replaced by one without
     * it; unsent deliveries move there, or end where it was their last. A delivery in a worker's hands loses its lease,
     * so the worker's guarded update fails and the message is cut off. One that is between final dot and answer stays
     * what it is: if it ever comes back, the next claim moves it.
     * @returns how many surely have it, by digest that is still going out
     */
    async dropArticle(articleId: number): Promise<{ digestId: number; accepted: number }[]> {
      const affected = await listRows<{ id: number; digestId: number; isGoingOut: boolean }>(db)`
        select v.id, v.digest_id, d.state <> 'completed_with_uncertain' as is_going_out
        from variants v join digests d on d.id = v.digest_id
        -- An editor may send again to readers in doubt.
        where d.state in ('preparing', 'sending', 'paused', 'completed_with_uncertain')
          and v.article_ids @> array[${articleId}]::bigint[] and v.replaced_by is null
          and v.digest_id in (select digest_id from digest_articles where article_id = ${articleId})
        order by v.id`
      const ids = affected.map((variant) => variant.id)
      const digestIds = [...new Set(affected.map((variant) => variant.digestId))]
      await replaceVariants(ids, articleId)
      // All of them at once and by key, as workers lock them: then neither can block the other for good.
      await run(db)`
        select from deliveries
        where digest_id = any(${digestIds}::bigint[]) and variant_id = any(${ids}::bigint[])
          and state in ('pending', 'claimed', 'deferred')
        order by digest_id, subscriber_id for update`
      await run(db)`
        update deliveries d set
          variant_id = rest.id, lease_token = null, lease_until = null,
          state = case when rest.article_ids = '{}' and g.kind <> 'letter' then 'skipped' when d.state = 'claimed' then 'pending' else d.state end,
          reason = case when rest.article_ids = '{}' and g.kind <> 'letter' then 'withdrawn' else d.reason end
        from variants v join variants rest on rest.id = v.replaced_by join digests g on g.id = v.digest_id
        where v.id = any(${ids}::bigint[]) and d.digest_id = v.digest_id and d.variant_id = v.id
          and d.state in ('pending', 'claimed', 'deferred')`
      await countReaders(digestIds)
      await db
        .updateTable('digestArticles')
        .set({ withdrawnAt: sql<Date>`now()` })
        .where('articleId', '=', articleId)
        .where('digestId', '=', sql<number>`any(${digestIds}::bigint[])`)
        .execute()
      const goingOut = new Set(affected.flatMap(({ digestId, isGoingOut }) => (isGoingOut ? [digestId] : [])))
      const reached = await this.listReached([...goingOut])
      return reached
        .filter((one) => one.articleId === articleId)
        .map(({ digestId, accepted }) => ({ digestId, accepted }))
    },

    /** Of these digests, whom the articles that were withdrawn on the way reached all the same. */
    listReached: (digestIds: readonly number[]) => listRows<WithdrawnReach>(db)`
      select x.digest_id, x.article_id, x.withdrawn_at,
        (select count(*)::int from deliveries d
         where d.digest_id = x.digest_id and d.state = 'accepted' and d.variant_id = any(held.ids))
          + moved.sure as accepted,
        (select count(*)::int from deliveries d
         where d.digest_id = x.digest_id and (
           (d.variant_id = any(held.ids) and d.state in ('committing', 'uncertain'))
           or (d.variant_id = any(held.rests) and d.ambiguous > 0))) + moved.in_doubt as in_doubt
      from digest_articles x cross join lateral (
        select coalesce(array_agg(v.id), '{}') as ids, coalesce(array_agg(v.replaced_by), '{}') as rests
        from variants v
        where v.digest_id = x.digest_id and v.article_ids @> array[x.article_id]
      ) held cross join lateral (
        select coalesce(sum(cardinality(subscriber_ids)) filter (where is_sure), 0)::int as sure,
          coalesce(sum(cardinality(subscriber_ids)) filter (where not is_sure), 0)::int as in_doubt
        from variant_readers where variant_id = any(held.ids)
      ) moved
      where x.digest_id = any(${digestIds}::bigint[]) and x.withdrawn_at is not null`,

    /** Once a digest has ended: claims have moved readers to versions that took the place of others. */
    async recountReplaced(digestId: number): Promise<void> {
      const isReplaced = await hasRow(db)`
        select from variants where digest_id = ${digestId} and replaced_by is not null limit 1`
      if (isReplaced) await countReaders([digestId])
    },

    /** After a preparation, outside its transaction: until then the planner knows nothing of the new rows. */
    async analyze(): Promise<void> {
      // Where somebody is at it already, it is done.
      await run(db)`analyze (skip_locked) deliveries`
    },

    /** One preparation at a time, until the transaction ends. */
    async claimPreparation(): Promise<void> {
      // A million readers take a minute, and digests wait for each other. Sorts and hashes would go through files.
      await run(db)`
        select set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true),
          set_config('work_mem', '128MB', true)`
      await run(db)`select pg_advisory_xact_lock(hashtext('depeche.prepare'))`
    },

    /** Stored versions of a digest, the largest first. */
    list: (digestId: number) => listRows<VariantPlan>(db)`
      select article_ids, readers from variants where digest_id = ${digestId} order by readers desc, id`,
  }
}
