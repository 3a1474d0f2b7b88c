import { findValue, hasRow, listRows, run, type Executor } from '../executor.ts'

/** Two articles that are one story: what imports of earlier versions have doubled. */
export interface DoubledArticle {
  title: string
  externalIds: [string, string]
}

export function articleMerge(db: Executor) {
  return {
    /** Public articles of one title and one publication second, of which at least one was imported; the first few. */
    listDoubled: (limit: number) => listRows<DoubledArticle>(db)`
      select a.title, array[a.external_id, b.external_id] as external_ids
      from articles a join articles b on b.title = a.title and b.published_at = a.published_at and b.id > a.id
      where a.state = 'published' and b.state = 'published'
        and (a.external_id ~ '^(wp|feed):' or b.external_id ~ '^(wp|feed):')
      order by a.id limit ${limit}`,

    /** Whether a digest that is frozen and has not ended holds the article. */
    isInOpenDigest: (id: number) => hasRow(db)`
      select from digest_articles x join digests d on d.id = x.digest_id
      where x.article_id = ${id} and d.state in ('approved', 'scheduled', 'preparing', 'sending', 'paused')
      limit 1`,

    /**
     * All that leads to `gone` leads to `kept`: ids, guid, addresses, responses, views, and who was sent it. Then the
     * row is deleted.
     */
    async merge(kept: number, gone: number): Promise<void> {
      await mergeAddresses(db, kept, gone)
      await mergeContent(db, kept, gone)
      await mergeDigests(db, kept, gone)
      await run(db)`
        update picks set article_ids = array_replace(array_remove(article_ids, ${kept}), ${gone}, ${kept})
        where ${gone} = any(article_ids)`
      await run(db)`delete from articles where id = ${gone}`
    },
  }
}

async function mergeAddresses(db: Executor, kept: number, gone: number): Promise<void> {
  await run(db)`update article_aliases set article_id = ${kept} where article_id = ${gone}`
  await run(db)`
    insert into article_aliases (article_id, external_id, guid, short_code, old_path)
    select k.id, g.external_id, g.guid, g.short_code, case when k.old_path is not null then g.old_path end
    from articles k, articles g where k.id = ${kept} and g.id = ${gone}`
  await run(db)`update source_items set article_id = ${kept} where article_id = ${gone}`
  await run(db)`update article_slugs set article_id = ${kept} where article_id = ${gone}`
  await run(db)`
    insert into article_slugs (slug, article_id) select slug, ${kept}::bigint from articles where id = ${gone}
    on conflict (slug) do update set article_id = excluded.article_id`
}

async function mergeContent(db: Executor, kept: number, gone: number): Promise<void> {
  await run(db)`
    update articles k
    set views_total = k.views_total + g.views_total, old_path = coalesce(k.old_path, g.old_path),
        canonical_url = coalesce(k.canonical_url, g.canonical_url), updated_at = clock_timestamp()
    from articles g where k.id = ${kept} and g.id = ${gone}`
  await run(db)`update articles set translation_of = ${kept} where translation_of = ${gone} and id <> ${kept}`
  await run(db)`
    insert into article_views (article_id, date, n) select ${kept}::bigint, date, n from article_views where article_id = ${gone}
    on conflict (article_id, date) do update set n = article_views.n + excluded.n`
  await run(db)`
    update responses r set article_id = ${kept}
    where article_id = ${gone}
      and not exists (select from responses o where o.article_id = ${kept} and o.external_id = r.external_id)`
  await run(db)`
    insert into article_selections (article_id, selection_id, position)
    select ${kept}::bigint, selection_id, position from article_selections where article_id = ${gone}
    on conflict do nothing`
}

/** Who was sent one of the two was sent the story. Drafts are filled again. */
async function mergeDigests(db: Executor, kept: number, gone: number): Promise<void> {
  await run(db)`
    insert into newsletter_exclusions (newsletter_id, article_id, excluded_by, created_at)
    select newsletter_id, ${kept}::bigint, excluded_by, created_at from newsletter_exclusions where article_id = ${gone}
    on conflict do nothing`
  await run(db)`delete from newsletter_exclusions where article_id = ${gone}`
  await run(db)`
    update digests set pinned = array_replace(pinned, ${gone}::bigint, ${kept}::bigint),
      excluded = array_replace(excluded, ${gone}::bigint, ${kept}::bigint),
      chosen = array_replace(chosen, ${gone}::bigint, ${kept}::bigint)
    where ${gone}::bigint = any(pinned || excluded || coalesce(chosen, '{}'))`
  const variants = await listRows<{ id: number; digestId: number; articleIds: number[] }>(db)`
    select id, digest_id as "digestId", array(
      select one.id from unnest(array_replace(article_ids, ${gone}::bigint, ${kept}::bigint)) with ordinality as one (id, place)
      group by one.id order by min(one.place)) as "articleIds"
    from variants
    where digest_id in (select digest_id from digest_articles where article_id = ${gone})
      and article_ids @> array[${gone}]::bigint[]
    order by id`
  for (const { id, digestId, articleIds } of variants) {
    const twin = await findValue<number>(db)`
      select id from variants where digest_id = ${digestId} and article_ids = ${articleIds}::bigint[]`
    if (twin === undefined)
      await run(db)`update variants set article_ids = ${articleIds}::bigint[] where id = ${id}`
    else {
      await run(db)`
        update deliveries set variant_id = ${twin} where digest_id = ${digestId} and variant_id = ${id}`
      await run(db)`update variant_readers set variant_id = ${twin} where variant_id = ${id}`
      await run(db)`
        update variants v set readers = v.readers + g.readers from variants g where v.id = ${twin} and g.id = ${id}`
      await run(db)`delete from variants where id = ${id}`
    }
  }
  await run(db)`
    update digest_articles x set article_id = ${kept}
    where article_id = ${gone}
      and not exists (select from digest_articles o where o.digest_id = x.digest_id and o.article_id = ${kept})`
  await run(db)`delete from digest_articles where article_id = ${gone}`
}
