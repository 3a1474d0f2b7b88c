import { sql } from 'kysely'
import { hasCopyReason, spreadReason } from '../../domain/delivery/delivery.ts'
import type { ReaderGroup } from '../../domain/digests/digest-variant.ts'
import type { Cadence } from '../../domain/newsletter.ts'
import { getRow, listRows, run, type Executor } from '../executor.ts'

/** Whose history counts, and of what. */
export interface AudienceQuery {
  digestId: number
  newsletterId: number
  cadence: Cadence
  /** To everyone who is subscribed, also where no article is left for them. */
  isLetter: boolean
  /** The first of the letters with the same words. */
  copyOf: number | null
  /** In the digest's order. */
  articleIds: readonly number[]
  /** Look at this newsletter's own digests alone. */
  isWithinNewsletter: boolean
}

/** In this moment; or a while ago, where they are so many that it takes seconds: within ten minutes, or as said. */
export type Counting = 'now' | 'lately' | { withinSeconds: number }

const secondsOf = (counting: Counting): number =>
  counting === 'now' ? 0 : counting === 'lately' ? 600 : counting.withinSeconds

/** Readers of a newsletter from whom on a count is kept. */
export const largeAudience = 50_000

/** What a count was made from; it holds while these hardly change. */
interface Basis {
  basis: string
  readers: number
  had: number
  isKept: boolean
}

interface CountedGroup extends ReaderGroup {
  sections: number[]
  variantIds: number[]
  barred: string
}

export function audienceStore(db: Executor) {
  const getBasis = (query: AudienceQuery, counting: Counting) => getRow<Basis>(db)`
      with ${matterOf(query)}, ${basisOf(query)}
      select basis, readers, had, exists (
        select from audience_counts c
        where c.newsletter_id = ${query.newsletterId} and c.basis = basis.basis
          and c.counted_at > now() - ${secondsOf(counting)} * interval '1 second'
          and abs(c.readers - basis.readers) * 100 <= c.readers and abs(c.had - basis.had) * 100 <= c.had
      ) as is_kept
      from basis`

  const count = (query: AudienceQuery): Promise<CountedGroup[]> => listRows<CountedGroup>(db)`
    with ${audienceOf(query)} select sections, variant_ids, barred, readers::int, article_ids from left_over`

  /** Where somebody else is at it, theirs is kept: nobody waits for a count. */
  const keep = async (query: AudienceQuery, { basis, readers, had }: Basis, counted: CountedGroup[]) => {
    const groups = counted.map(({ articleIds: _, ...group }) => group)
    await run(db)`
      insert into audience_counts (newsletter_id, basis, readers, had, groups)
      select ${query.newsletterId}, ${basis}, ${readers}, ${had}, ${JSON.stringify(groups)}::jsonb
      where pg_try_advisory_xact_lock(hashtext('depeche.audience'), ${query.newsletterId}::int)
      on conflict (newsletter_id, basis) do update set
        readers = excluded.readers, had = excluded.had, groups = excluded.groups, counted_at = now()`
  }

  const readKept = (query: AudienceQuery, { basis }: Basis): Promise<CountedGroup[]> =>
    listRows<CountedGroup>(db)`
      with ${matterOf(query)},
      groups as (
        select counted.sections, counted."variantIds" as variant_ids, counted.barred, counted.readers
        from audience_counts c cross join jsonb_to_recordset(c.groups)
          as counted (sections bigint[], "variantIds" bigint[], barred text, readers int)
        where c.newsletter_id = ${query.newsletterId} and c.basis = ${basis}
      ),
      ${leftOver}
      select barred, article_ids, readers from left_over`

  return {
    /**
     * The audience by what is left for them; those with nothing left have an empty list.
     * @param counting but for `now`: of a large audience, what was counted within that time, if since then no more than one
     *   reader of a hundred came, left, or got what they had not
     */
    async listGroups(query: AudienceQuery, counting: Counting): Promise<ReaderGroup[]> {
      const basis = await getBasis(query, counting)
      const { isKept } = basis
      const groups = isKept ? await readKept(query, basis) : await count(query)
      if (!isKept && basis.readers >= largeAudience) await keep(query, basis, groups)
      return groups.filter(({ barred }) => !query.isLetter || barred === '')
    },

    /** Counts that nobody uses any more. */
    async deleteOld(): Promise<void> {
      await run(db)`
        delete from audience_counts where (newsletter_id, basis) in (
          select newsletter_id, basis from audience_counts where counted_at < now() - interval '1 hour'
          for update skip locked)`
    },
  }
}

/** States of what a digest has sent someone or is about to, or may have. */
const hadStates = sql`('pending', 'claimed', 'committing', 'accepted', 'deferred', 'uncertain')`
export const isHad = sql`(d.state in ${hadStates} or d.ambiguous > 0)`

/** The articles that are public, in order, and the earlier versions that hold some of them. */
function matterOf({ digestId, newsletterId, articleIds, isWithinNewsletter }: AudienceQuery) {
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
    )`
}

/** Digests that bar readers from this one, and what changes with whom: copies of a letter, or what is spread over days. */
function barringOf({ digestId, newsletterId, isLetter, copyOf }: AudienceQuery) {
  const first = copyOf ?? digestId
  return isLetter
    ? sql`
      select id, audience from digests where (id = ${first} or copy_of = ${first}) and id <> ${digestId}`
    : sql`
      select id, spread_next_at from digests
      where newsletter_id = ${newsletterId} and id <> ${digestId} and state in ('sending', 'paused')
        and spread_next_at is not null`
}

function basisOf(query: AudienceQuery) {
  const { newsletterId, cadence, isLetter } = query
  return sql`
    barring as (${barringOf(query)}
    ),
    basis as (
      select md5(jsonb_build_array(
          ${isLetter ? 'letter' : cadence}::text, (select array_agg(id order by id) from earlier),
          (select jsonb_agg(to_jsonb(barring) order by id) from barring),
          -- A merge gives readers another section, and a daily that is given up another cadence.
          (select array_agg(id order by id) from selections where kind = 'section'),
          (select updated_at from newsletters where id = ${newsletterId})
        )::text) as basis,
        (select coalesce(sum(n), 0)::int from reader_counts where newsletter_id = ${newsletterId}) as readers,
        (select coalesce(sum(n), 0)::int from delivery_counts
         where state in ${hadStates} and digest_id in (
           select digest_id from earlier union select id from barring)) as had
    )`
}

/**
 * `audience` (subscriber, sections, what they have), and `left_over`: for each distinct pair of those, how many
 * readers and which articles remain, in order. People are grouped before articles are looked at, so the second half
 * works on a few hundred rows, however many subscribers there are.
 *
 * What a person has is what a digest has sent them or is about to: mail that is still on its way counts, or two
 * digests side by side would bring the same story; mail that was rejected, skipped or has expired does not, unless
 * an earlier attempt at it may have arrived.
 * Who still waits for a digest of this newsletter that is spread over days has that one first, and nothing of this one,
 * unless it is a letter. Who has, or is about to get, a letter with the same words gets no other: `barred` says why.
 * There is no limit in time here: only digests that hold one of these articles matter, and they find themselves.
 */
export function audienceOf(query: AudienceQuery) {
  const { newsletterId, cadence, isLetter } = query
  const choseIt = sql`and (s.cadence = ${cadence} or (${cadence} = 'alert' and s.alerts))`
  const bars = isLetter
    ? sql`
      select d.subscriber_id, ${hasCopyReason} as reason
      from barring join deliveries d on d.digest_id = barring.id
      where ${isHad}
      group by d.subscriber_id
      union
      select unnest(r.subscriber_ids), ${hasCopyReason}
      from barring join variant_readers r on r.digest_id = barring.id`
    : sql`
      select distinct d.subscriber_id, ${spreadReason} as reason
      from barring join deliveries d on d.digest_id = barring.id
      where d.state = 'deferred' and d.reason = ${spreadReason}`
  return sql`${matterOf(query)},
    got as (
      select subscriber_id, array_agg(variant_id order by variant_id) as variant_ids
      from (
        select d.subscriber_id, d.variant_id
        from deliveries d join earlier e on e.digest_id = d.digest_id and e.id = d.variant_id
        where ${isHad}
        union all
        select unnest(r.subscriber_ids), r.variant_id
        from variant_readers r join earlier e on e.id = r.variant_id
      ) had
      group by subscriber_id
    ),
    barring as (${barringOf(query)}
    ),
    bars as (${bars}
    ),
    audience as (
      select s.subscriber_id, s.sections, coalesce(got.variant_ids, '{}') as variant_ids,
        coalesce(bars.reason, '') as barred
      from subscriptions s
      left join got on got.subscriber_id = s.subscriber_id
      left join bars on bars.subscriber_id = s.subscriber_id
      where s.newsletter_id = ${newsletterId} and s.state = 'active'
        ${isLetter ? sql`` : choseIt}
        and (s.paused_until is null or s.paused_until <= now())
        -- From the suppressions, which are few, to their people: the other way reads every address.
        and not exists (
          select from suppressions x join subscribers p on p.address_hmac = x.address_hmac
          where p.id = s.subscriber_id)
    ),
    groups as (
      select sections, variant_ids, barred, count(*) as readers from audience group by sections, variant_ids, barred
    ),
    ${leftOver}`
}

/** What remains for each of the groups. */
const leftOver = sql`
    left_over as (
      select sections, variant_ids, barred, readers, array(
        select c.id from candidates c
        where barred = '' and (groups.sections = '{}' or c.sections && groups.sections)
          and not exists (
            select from earlier e where e.id = any(groups.variant_ids) and c.id = any(e.article_ids))
        order by c.position
      ) as article_ids
      from groups
    )`
