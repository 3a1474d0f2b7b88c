import { sql } from 'kysely'
import type { Selection, SelectionKind } from '../../domain/articles/article.ts'
import { databaseTime, getRow, listRows, run, type Executor } from '../executor.ts'
import { prepared } from '../prepared.ts'

export interface NewSelection {
  kind: SelectionKind
  slug: string
  names: Record<string, string>
}

/** What may change beside the slug, which public URLs hold. */
export type SelectionChange = {
  [Name in 'names' | 'descriptions' | 'position' | 'listed']?: PlacedSelection[Name] | undefined
}

/**
 * With its place in the publication's order, whether it stands in the menu and on the signup form, and the slugs that
 * lead to it beside its own.
 */
export type PlacedSelection = Selection & { position: number; listed: boolean; formerly: string[] }

/** What a merge takes along. */
export interface SelectionUses {
  articles: number
  /** Who chose it, of those who are actively subscribed. */
  readers: number
  newsletters: number
}

/** Enough to tell what a newsroom writes about now; few enough for the head of every page. */
const newestCounted = 300

/** Any number that nothing else locks. */
const mergeLock = 0x6d65_7267

export function selectionsStore(db: Executor) {
  const columns = [
    ...(['id', 'kind', 'slug', 'names', 'description as descriptions', 'position', 'listed'] as const),
    sql<
      string[]
    >`array(select slug from selection_slugs where selection_id = selections.id order by slug)`.as(
      'formerly',
    ),
  ] as const
  const select = () => db.selectFrom('selections').select(columns).$castTo<PlacedSelection>()
  const named = (kind: SelectionKind, slug: string) =>
    select().where(
      'id',
      '=',
      sql<number>`(select id from selection_names where kind = ${kind} and slug = ${slug} limit 1)`,
    )

  return {
    /** Also by a slug that it had before. */
    findBySlug: (kind: SelectionKind, slug: string) => named(kind, slug).executeTakeFirst(),

    /** The same where readers know of it: tags and authors come with a story, which may not be out yet. */
    findPublic: (kind: SelectionKind, slug: string) =>
      named(kind, slug)
        .where(
          sql<boolean>`(kind in ('section', 'dossier') or exists (
            select from article_selections s join articles a on a.id = s.article_id
            where s.selection_id = selections.id and a.state in ('published', 'withdrawn')))`,
        )
        .executeTakeFirst(),

    /** In the publication's order. */
    list: (kind: SelectionKind): Promise<PlacedSelection[]> =>
      select().where('kind', '=', kind).orderBy('position').orderBy('id').execute(),

    /** The first few that are listed: as the desk has put them in order, and of those it has not, the ones that the newest articles are in. */
    listLeading: (kind: SelectionKind, limit: number) => listRows<Selection>(db)`${prepared}
      select s.id, s.kind, s.slug, s.names, s.description as descriptions from selections s
      left join (
        select x.selection_id, count(*) as articles
        from (select id from articles where state in ('published', 'withdrawn')
              order by first_public_at desc, id desc limit ${newestCounted}) as newest
        join article_selections x on x.article_id = newest.id
        group by x.selection_id) as used on used.selection_id = s.id
      where s.kind = ${kind} and s.listed
      order by s.position, used.articles desc nulls last, s.id
      limit ${limit}`,

    /** Those of `chosen`, then the `limit` most used. */
    listToChoose: (kind: SelectionKind, chosen: string[], limit: number) => listRows<Selection>(db)`
      select s.id, s.kind, s.slug, s.names, s.description as descriptions from selections s
      left join (select selection_id, count(*) as articles from article_selections group by selection_id) as used
        on used.selection_id = s.id
      where s.kind = ${kind}
      order by s.slug = any(${chosen}::text[]) desc, used.articles desc nulls last, s.id
      limit ${limit + chosen.length}`,

    /** Undefined where the slug is taken. */
    insert: (
      selection: NewSelection & { position?: number | undefined },
    ): Promise<PlacedSelection | undefined> =>
      db
        .insertInto('selections')
        .values({ ...selection, names: JSON.stringify(selection.names) })
        .onConflict((conflict) => conflict.columns(['kind', 'slug']).doNothing())
        .returning(columns)
        .$castTo<PlacedSelection>()
        .executeTakeFirst(),

    /**
     * The ids of these selections by `kind/slug`; unknown ones are created, known ones keep their names. Whoever writes a
     * slug of before means the selection that it leads to.
     * Sorted, so that two writers who create the same ones do not wait for each other in a circle.
     */
    async putMissing(selections: NewSelection[]): Promise<Map<string, number>> {
      if (selections.length === 0) return new Map()
      // A merge waits for who writes, and who writes for a merge: to find what became of it.
      await run(db)`select pg_advisory_xact_lock_shared(${mergeLock})`
      const wanted = [...new Map(selections.map((one) => [keyOf(one), one])).values()].sort((a, b) =>
        keyOf(a) < keyOf(b) ? -1 : 1,
      )
      const wantedJson = JSON.stringify(wanted)
      const known = () =>
        listRows<{ id: number; kind: string; slug: string }>(db)`
          select s.id, s.kind, s.slug from selection_names s
          join jsonb_to_recordset(${wantedJson}::jsonb) as w (kind text, slug text)
            on w.kind = s.kind and w.slug = s.slug`
      let rows = await known()
      if (rows.length < wanted.length) {
        await run(db)`
          insert into selections (kind, slug, names)
          select kind, slug, names from jsonb_to_recordset(${wantedJson}::jsonb) as w (kind text, slug text, names jsonb)
          where not exists (select from selection_slugs s where s.kind = w.kind and s.slug = w.slug)
          on conflict (kind, slug) do nothing`
        rows = await known()
      }
      return new Map(rows.map((row) => [keyOf(row), row.id]))
    },

    update: (id: number, change: SelectionChange): Promise<PlacedSelection | undefined> =>
      db
        .updateTable('selections')
        .set({
          names: change.names && JSON.stringify(change.names),
          description: change.descriptions && JSON.stringify(change.descriptions),
          position: change.position,
          listed: change.listed,
          updatedAt: databaseTime,
        })
        .where('id', '=', id)
        .returning(columns)
        .$castTo<PlacedSelection>()
        .executeTakeFirst(),

    /** The old slug leads to it; newsletters draw from it under the new one. */
    async updateSlug({ id, kind, slug }: Selection, to: string): Promise<void> {
      await run(db)`delete from selection_slugs where kind = ${kind} and slug = ${to}`
      await run(db)`update selections set slug = ${to} where id = ${id}`
      await run(db)`insert into selection_slugs (kind, slug, selection_id) values (${kind}, ${slug}, ${id})`
      await renameInNewsletters(db, kind, slug, to)
    },

    async countUses({ id, kind, slug }: Selection): Promise<SelectionUses> {
      const { column, block } = inNewsletters(kind, slug)
      return getRow<SelectionUses>(db)`
        select (select count(*)::int from article_selections where selection_id = ${id}) as articles,
          (select count(*)::int from subscriptions
           where state = 'active' and sections <> '{}' and sections @> array[${id}]::bigint[]) as readers,
          (select count(*)::int from newsletters where ${slug} = any(${column}) or blocks @> ${block}::jsonb) as newsletters`
    },

    /** Until the transaction ends nobody else writes to a selection or merges one, and no reader chooses any. */
    async claimAll(): Promise<void> {
      await run(db)`select pg_advisory_xact_lock(${mergeLock})`
      await run(db)`lock table subscriptions in share row exclusive mode`
    },

    /**
     * Makes one selection of two; after `claimAll`.
     * @param slugs that lead to `into` from now on, beside those of `gone`
     */
    async merge(gone: Selection, into: Selection, slugs: string[]): Promise<void> {
      // Changed and not made anew: that leaves the rows of articles alone, which somebody may hold who waits for us.
      await run(db)`
        delete from article_selections x using article_selections y
        where x.selection_id = ${gone.id} and y.selection_id = ${into.id} and y.article_id = x.article_id`
      await run(db)`
        update article_selections set selection_id = ${into.id} where selection_id = ${gone.id}`
      await run(db)`
        update subscriptions set updated_at = clock_timestamp(),
          sections = array(select distinct id from unnest(array_replace(sections, ${gone.id}::bigint, ${into.id}::bigint)) id order by id)
        where ${gone.id} = any(sections)`
      await renameInNewsletters(db, gone.kind, gone.slug, into.slug)
      await run(db)`update selection_slugs set selection_id = ${into.id} where selection_id = ${gone.id}`
      await run(db)`delete from selections where id = ${gone.id}`
      await run(db)`
        insert into selection_slugs (kind, slug, selection_id)
        select ${gone.kind}, slug, ${into.id}::bigint from unnest(${[gone.slug, ...slugs]}::text[]) slug
        where not exists (select from selections s where s.kind = ${gone.kind} and s.slug = slug.slug)
        on conflict do nothing`
    },

    /** Published articles by selection id, in one language or in all; a selection without any is absent. */
    async countArticles(ids: number[], language?: string): Promise<Map<number, number>> {
      // By their ids, for some have most of the articles and most have few: the plan follows from which they are.
      const rows = await listRows<{ id: number; articles: number }>(db)`
        select x.selection_id as id, count(*) as articles
        from article_selections x join articles a on a.id = x.article_id
        where x.selection_id = any(${ids}::bigint[]) and a.state = 'published'
          ${language === undefined ? sql`` : sql`and a.language = ${language}`}
        group by x.selection_id`
      return new Map(rows.map((row) => [row.id, row.articles]))
    },
  }
}

const inNewsletters = (kind: SelectionKind, slug: string) => ({
  column: sql.ref(kind === 'section' ? 'sections' : kind === 'dossier' ? 'dossiers' : 'tags'),
  block: JSON.stringify([{ kind, slug }]),
})

/** In their rules and parts; what would then be there twice is there once. */
async function renameInNewsletters(
  db: Executor,
  kind: SelectionKind,
  from: string,
  to: string,
): Promise<void> {
  const { column, block } = inNewsletters(kind, from)
  const { block: toBlock } = inNewsletters(kind, to)
  await run(db)`
    update newsletters set updated_at = clock_timestamp(),
      ${column} = array(select slug from unnest(array_replace(${column}, ${from}, ${to})) with ordinality as u (slug, n)
        group by slug order by min(n)),
      blocks = coalesce((
        select jsonb_agg(case when jsonb_build_array(b) = ${block}::jsonb then ${toBlock}::jsonb -> 0 else b end order by n)
        from jsonb_array_elements(blocks) with ordinality as e (b, n)
        where not (jsonb_build_array(b) = ${block}::jsonb and blocks @> ${toBlock}::jsonb)), '[]')
    where ${from} = any(${column}) or blocks @> ${block}::jsonb`
}

const keyOf = (selection: { kind: string; slug: string }): string => `${selection.kind}/${selection.slug}`
