import { sql } from 'kysely'
import type { Selection, SelectionKind } from '../../domain/articles/article.ts'
import { listRows, type Executor } from '../executor.ts'

export interface NewSelection {
  kind: SelectionKind
  slug: string
  names: Record<string, string>
}

/** What may change; the slug is part of public URLs and stays. */
export type SelectionChange = {
  [Name in 'names' | 'descriptions' | 'position' | 'listed']?: PlacedSelection[Name] | undefined
}

/** With its place in the publication's order, and whether it stands in the menu and on the signup form. */
export type PlacedSelection = Selection & { position: number; listed: boolean }

/** Enough to tell what a newsroom writes about now; few enough for the head of every page. */
const newestCounted = 300

export function selectionsStore(db: Executor) {
  const columns = [
    ...(['id', 'kind', 'slug', 'names', 'description as descriptions', 'position', 'listed'] as const),
  ] as const
  const select = () => db.selectFrom('selections').select(columns)
  type Row = Awaited<ReturnType<ReturnType<typeof select>['executeTakeFirstOrThrow']>>
  const toSelection = (row: Row): PlacedSelection => row as unknown as PlacedSelection

  return {
    async findBySlug(kind: SelectionKind, slug: string): Promise<PlacedSelection | undefined> {
      const row = await select().where('kind', '=', kind).where('slug', '=', slug).executeTakeFirst()
      return row && toSelection(row)
    },

    /** In the publication's order. */
    async list(kind: SelectionKind): Promise<PlacedSelection[]> {
      const rows = await select().where('kind', '=', kind).orderBy('position').orderBy('id').execute()
      return rows.map(toSelection)
    },

    /** The first few that are listed: as the desk has put them in order, and of those it has not, the ones that the newest articles are in. */
    async listLeading(kind: SelectionKind, limit: number): Promise<Selection[]> {
      const rows = await listRows<Row>(db)`
        select s.id, s.kind, s.slug, s.names, s.description as descriptions from selections s
        left join (
          select x.selection_id, count(*) as articles
          from (select id from articles where state in ('published', 'withdrawn')
                order by first_public_at desc, id desc limit ${newestCounted}) as newest
          join article_selections x on x.article_id = newest.id
          group by x.selection_id) as used on used.selection_id = s.id
        where s.kind = ${kind} and s.listed
        order by s.position, used.articles desc nulls last, s.id
        limit ${limit}`
      return rows.map(toSelection)
    },

    /** Those of `chosen`, then the `limit` most used. */
    async listToChoose(kind: SelectionKind, chosen: string[], limit: number): Promise<Selection[]> {
      const rows = await listRows<Row>(db)`
        select s.id, s.kind, s.slug, s.names, s.description as descriptions from selections s
        left join (select selection_id, count(*) as articles from article_selections group by selection_id) as used
          on used.selection_id = s.id
        where s.kind = ${kind}
        order by s.slug = any(${chosen}::text[]) desc, used.articles desc nulls last, s.id
        limit ${limit + chosen.length}`
      return rows.map(toSelection)
    },

    /** Undefined where the slug is taken. */
    async insert(
      selection: NewSelection & { position?: number | undefined },
    ): Promise<PlacedSelection | undefined> {
      const row = await db
        .insertInto('selections')
        .values({ ...selection, names: JSON.stringify(selection.names) })
        .onConflict((conflict) => conflict.columns(['kind', 'slug']).doNothing())
        .returning(columns)
        .executeTakeFirst()
      return row && toSelection(row)
    },

    /**
     * The ids of these selections by `kind/slug`; unknown ones are created, known ones keep their names.
     * Sorted, so that two writers who create the same ones do not wait for each other in a circle.
     */
    async putMissing(selections: NewSelection[]): Promise<Map<string, number>> {
      if (selections.length === 0) return new Map()
      const wanted = [...new Map(selections.map((one) => [keyOf(one), one])).values()].sort((a, b) =>
        keyOf(a) < keyOf(b) ? -1 : 1,
      )
      const wantedJson = JSON.stringify(wanted)
      const known = () =>
        sql<{ id: number; kind: string; slug: string }>`
          select s.id, s.kind, s.slug from selections s
          join jsonb_to_recordset(${wantedJson}::jsonb) as w (kind text, slug text)
            on w.kind = s.kind and w.slug = s.slug`.execute(db)
      let { rows } = await known()
      if (rows.length < wanted.length) {
        await sql`
          insert into selections (kind, slug, names)
          select kind, slug, names from jsonb_to_recordset(${wantedJson}::jsonb) as w (kind text, slug text, names jsonb)
          on conflict (kind, slug) do nothing`.execute(db)
        rows = (await known()).rows
      }
      return new Map(rows.map((row) => [keyOf(row), row.id]))
    },

    async update(id: number, change: SelectionChange): Promise<PlacedSelection | undefined> {
      const row = await db
        .updateTable('selections')
        .set({
          names: change.names && JSON.stringify(change.names),
          description: change.descriptions && JSON.stringify(change.descriptions),
          position: change.position,
          listed: change.listed,
          updatedAt: sql<Date>`clock_timestamp()`,
        })
        .where('id', '=', id)
        .returning(columns)
        .executeTakeFirst()
      return row && toSelection(row)
    },

    /** Published articles by selection id, in one language or in all; a selection without any is absent. */
    async countArticles(kind: SelectionKind, language?: string): Promise<Map<number, number>> {
      let query = db
        .selectFrom('articleSelections as x')
        .innerJoin('selections as s', 's.id', 'x.selectionId')
        .innerJoin('articles as a', 'a.id', 'x.articleId')
        .select(['s.id', sql<number>`count(*)`.as('articles')])
        .where('s.kind', '=', kind)
        .where('a.state', '=', 'published')
        .groupBy('s.id')
      if (language !== undefined) query = query.where('a.language', '=', language)
      const rows = await query.execute()
      return new Map(rows.map((row) => [row.id, row.articles]))
    },
  }
}

const keyOf = (selection: { kind: string; slug: string }): string => `${selection.kind}/${selection.slug}`
