import { sql, type Selectable, type UpdateObject } from 'kysely'
import { secondLook, unknownChange, type ItemList, type ItemState } from '../../domain/sources/source.ts'
import { databaseTime, getRow, listRows, listValues, rowsOf, run, type Executor } from '../executor.ts'
import { fill, type Filled } from '../row.ts'
import type { DB, SourceItems } from '../schema.ts'

/** What is kept of an item of a source; `reason`: why it was skipped. */
export type SourceItem = Omit<
  Filled<Selectable<SourceItems>>,
  'sourceId' | 'state' | 'missingSince' | 'withdrawnAt'
> & {
  state: ItemState
}

export type StoredItem = SourceItem &
  Filled<Pick<Selectable<SourceItems>, 'missingSince' | 'withdrawnAt'>> & {
    /** Of its article. */
    externalId: string | undefined
    heldAt: Date | undefined
  }

/** How many of a source's articles are where. */
export type ItemCounts = Record<
  'here' | 'skipped' | 'withdrawn' | 'missing' | 'held' | 'withdrawnLastHour' | 'withdrawnLastDay',
  number
>

const number = sql.raw("(substring(remote_id from '^[0-9]{1,18}$'))::bigint")
/** Of a list that is empty all is missing: so many are asked for again. */
const mostMissing = 200

export function sourceItemsStore(db: Executor) {
  const select = () =>
    db
      .selectFrom('sourceItems as i')
      .leftJoin('articles as a', 'a.id', 'i.articleId')
      .selectAll('i')
      .select(['a.externalId', 'a.heldAt'])
  const mark = (sourceId: number, remoteIds: string[], change: UpdateObject<DB, 'sourceItems'>) =>
    db
      .updateTable('sourceItems')
      .set(change)
      .where('sourceId', '=', sourceId)
      .where(sql<boolean>`remote_id = any(${remoteIds})`)

  return {
    async listByIds(sourceId: number, remoteIds: string[]): Promise<Map<string, StoredItem>> {
      const rows = await select()
        .where('i.sourceId', '=', sourceId)
        .where(sql<boolean>`i.remote_id = any(${remoteIds})`)
        .execute()
      return new Map(rows.map((row) => [row.remoteId, toItem(row)]))
    },

    /** Remote ids by guid; by link for what has none. */
    async listByNames(sourceId: number, names: string[]): Promise<Map<string, string>> {
      const rows = await listRows<{ name: string; remoteId: string }>(db)`
        select coalesce(guid, link) as name, remote_id as "remoteId" from source_items
        where source_id = ${sourceId} and coalesce(guid, link) = any(${names})`
      return new Map(rows.map(({ name, remoteId }) => [name, remoteId]))
    },

    async listFor(sourceId: number, list: ItemList, limit: number): Promise<StoredItem[]> {
      let query = select().where('i.sourceId', '=', sourceId).limit(limit)
      if (list === 'held') query = query.where('a.heldAt', 'is not', null)
      else if (list === 'missing')
        query = query.where('i.state', '=', 'here').where('i.missingSince', 'is not', null)
      else query = query.where('i.state', '=', list)
      return (await query.orderBy('i.publishedAt', 'desc').orderBy('i.remoteId').execute()).map(toItem)
    },

    count: (sourceId: number) => getRow<ItemCounts>(db)`
      select count(*) filter (where i.state = 'here') as here, count(*) filter (where i.state = 'skipped') as skipped,
        count(*) filter (where i.state = 'withdrawn') as withdrawn,
        count(*) filter (where i.state = 'here' and i.missing_since is not null) as missing,
        count(*) filter (where a.held_at is not null) as held,
        count(*) filter (where i.withdrawn_at > clock_timestamp() - interval '1 hour') as withdrawn_last_hour,
        count(*) filter (where i.withdrawn_at > clock_timestamp() - interval '1 day') as withdrawn_last_day
      from source_items i left join articles a on a.id = i.article_id
      where i.source_id = ${sourceId}`,

    /** Seen, and read: it is not missing. */
    async put(sourceId: number, items: SourceItem[]): Promise<void> {
      if (items.length === 0) return
      await run(db)`
        insert into source_items as i
          (source_id, remote_id, article_id, guid, link, title, state, reason, published_at, modified_at)
        select ${sourceId}::bigint, r."remoteId", r."articleId", r.guid, r.link, r.title, r.state, r.reason, r."publishedAt",
          coalesce(r."modifiedAt", ${unknownChange})
        from jsonb_to_recordset(${JSON.stringify(items)}::jsonb) as r ("remoteId" text, "articleId" bigint, guid text,
          link text, title text, state text, reason text, "publishedAt" timestamptz, "modifiedAt" timestamptz)
        on conflict (source_id, remote_id) do update
        set article_id = coalesce(excluded.article_id, i.article_id), guid = excluded.guid, link = excluded.link,
            title = excluded.title, state = excluded.state, reason = excluded.reason,
            published_at = excluded.published_at, modified_at = excluded.modified_at, missing_since = null,
            withdrawn_at = case when excluded.state = 'withdrawn' then i.withdrawn_at end`
    },

    /** They are there after all. */
    async markSeen(sourceId: number, remoteIds: string[]): Promise<void> {
      await mark(sourceId, remoteIds, { missingSince: null }).where('missingSince', 'is not', null).execute()
    },

    /**
     * Notes what a list of the site should show and does not: everything that is here between the ends of the list,
     * and not from before the source begins.
     * @param range ids, of which the list holds all that there are; or since when it holds all
     */
    async markMissing(
      sourceId: number,
      seen: string[],
      range: { after: number; upTo?: number } | { since: Date },
    ): Promise<void> {
      const between =
        'since' in range
          ? sql`published_at > ${range.since}`
          : sql`${number} > ${range.after} and (${range.upTo ?? null}::bigint is null or ${number} <= ${range.upTo ?? null}::bigint)`
      await run(db)`
        update source_items set missing_since = clock_timestamp()
        where (source_id, remote_id) in (
          select source_id, remote_id from source_items
          where source_id = ${sourceId} and ${between} and state = 'here' and missing_since is null
            and remote_id <> all(${seen}) and coalesce(published_at, 'infinity')
              >= coalesce((select since from sources where id = ${sourceId}), '-infinity')
          order by published_at desc limit ${mostMissing})`
    },

    /** They are gone, and wait for a person. */
    async markGone(sourceId: number, remoteIds: string[]): Promise<void> {
      const missingSince = sql<Date>`coalesce(missing_since, clock_timestamp())`
      await mark(sourceId, remoteIds, { missingSince }).execute()
    },

    /** What the site does not show; `isAgain`: for long enough to be asked for again. */
    async listMissing(sourceId: number, { isAgain }: { isAgain: boolean }): Promise<StoredItem[]> {
      const rows = await select()
        .where('i.sourceId', '=', sourceId)
        .where('i.state', '=', 'here')
        .where(
          sql<boolean>`i.missing_since <= clock_timestamp() - make_interval(secs => ${isAgain ? secondLook : 0})`,
        )
        .orderBy('i.publishedAt', 'desc')
        .limit(isAgain ? mostMissing : 10_000)
        .execute()
      return rows.map(toItem)
    },

    async markState(
      sourceId: number,
      remoteIds: string[],
      state: Exclude<ItemState, 'skipped'>,
    ): Promise<void> {
      const withdrawnAt = state === 'withdrawn' ? databaseTime : null
      await mark(sourceId, remoteIds, { state, missingSince: null, withdrawnAt }).execute()
    },

    /** What is to be read again, whatever the site says of its age. */
    listStale: (sourceId: number, limit: number) => listValues<string>(db)`
      select remote_id from source_items
      where source_id = ${sourceId} and modified_at is null and state <> 'kept' limit ${limit}`,

    /** They have been asked for: what the site did not show is not asked for at every look. */
    async markRead(sourceId: number, remoteIds: string[]): Promise<void> {
      await mark(sourceId, remoteIds, { modifiedAt: unknownChange }).where('modifiedAt', 'is', null).execute()
    },

    /** The next look reads the item of this article again; the sources that have one. */
    markStale: (articleId: number) => listValues<number>(db)`
      update source_items set modified_at = null where article_id = ${articleId} returning source_id`,

    /** What was skipped may be wanted now. */
    markSkippedStale: (sourceId: number) =>
      rowsOf(db, 'sourceItems', { sourceId, state: 'skipped' }).update({ modifiedAt: null }),
  }
}

type Row = Selectable<SourceItems> & { externalId: string | null; heldAt: Date | null }

const toItem = (row: Row): StoredItem => ({ ...fill(row), state: row.state as ItemState })
