import { sql, type ExpressionBuilder, type Selectable, type UpdateObject } from 'kysely'
import type {
  FeedAddress,
  FeedChange,
  FeedSubject,
  FoundFeed,
  MovedPaths,
  StoredFeed,
} from '../../domain/feeds/feed.ts'
import type { FeedPlace } from '../../domain/feeds/feed-window.ts'
import { databaseTime, findRow, getValue, listRows, listValues, run, type Executor } from '../executor.ts'
import { prepared } from '../prepared.ts'
import { fill } from '../row.ts'
import type { DB, FeedDocuments } from '../schema.ts'

/** `Database.listenForFeeds` hears it. */
export const feedChannel = 'feed_documents'

/** One thing that a feed could not show. */
export interface LeftOut {
  guid: string
  title: string
  /** Absent in what an earlier version has noted. */
  code?: string
  /** In English, for programs. */
  reason: string
}

/** A document without its bytes; `dirtyN` counts its marks. */
export type FeedDocument = ReturnType<typeof toDocument>

export type FeedGroup = Omit<FeedAddress, 'format'>
export type NewFeedDocument = FeedGroup & { path: string; contentType: string }

export type RenderedFeed = Omit<StoredFeed, 'path' | 'contentType'> & { contentSha256: Buffer }

/** What a render found, whether or not the bytes are new. */
export interface RenderNote {
  /** The item below which the feed shows nothing, as items are ordered. */
  floor: FeedPlace | undefined
  items: number
  leftOut: LeftOut[]
  madeFor: string
  dueAt: Date | undefined
}

/** Because of a change, or because of its time. */
const isWaiting = (eb: ExpressionBuilder<DB, 'feedDocuments'>) =>
  eb.or([eb('dirtyAt', 'is not', null), eb('dueAt', '<=', databaseTime)])

const columns = [
  ...(['path', 'subject', 'language', 'etag', 'lastModified', 'floorAt', 'floorId'] as const),
  ...(['contentSha256', 'items', 'leftOut', 'dirtyAt', 'dirtyN', 'movedTo', 'retiredAt'] as const),
] as const
type Row = Pick<Selectable<FeedDocuments>, (typeof columns)[number]> & { size: number }

/** Every process hears of the row when the transaction commits. */
const told = sql`pg_notify(${sql.lit(feedChannel)}, path)`.as('told')

export function feedDocumentsStore(db: Executor) {
  const select = () =>
    db
      .selectFrom('feedDocuments')
      .select(columns)
      .select(sql<number>`coalesce(length(body), 0)`.as('size'))
  const settled = { dirtyAt: null, dueAt: null }
  const mark = async (path: string, change: UpdateObject<DB, 'feedDocuments'>): Promise<void> => {
    await db.updateTable('feedDocuments').set(change).where('path', '=', path).returning(told).execute()
  }

  return {
    /** Notes what changed, for the feeds to follow: call it in the transaction of the change, ring `render-feeds` after it. */
    async markDirty(changes: FeedChange[]): Promise<void> {
      const unique = new Map(changes.map((change) => [`${change.subject} ${change.language ?? ''}`, change]))
      if (unique.size === 0) return
      const rows = [...unique.values()].map(({ subject, language }) => ({
        subject,
        language: language ?? null,
      }))
      await db.insertInto('feedChanges').values(rows).execute()
    },

    /** A number that is higher after each change that was noted. */
    lastChange: () => getValue<number>(db)`select last_value as n from feed_changes_id_seq`,

    /** Takes the noted changes; what is noted after this statement's snapshot stays for the next. */
    async claimChanges(): Promise<FeedChange[]> {
      const rows = await listRows<{ subject: string; language: string | null }>(db)`
        delete from feed_changes
        where id in (select id from feed_changes order by id limit 10000 for update skip locked)
        returning subject, language`
      return rows.map((row) => ({
        subject: row.subject as FeedChange['subject'],
        ...(row.language !== null && { language: row.language }),
      }))
    },

    /** Marks every document that shows one of the changes. */
    async updateDirty(changes: FeedChange[]): Promise<void> {
      // Locked in one order, so that two processes that do this at once cannot wait for each other in a circle.
      await run(db)`
        update feed_documents set dirty_at = coalesce(dirty_at, clock_timestamp()), dirty_n = dirty_n + 1
        where path in (
          select path from feed_documents
          where path in (
            select d.path from feed_documents d
            join jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as c (subject text, language text)
              on c.subject = d.subject and (c.language is null or d.language in ('', c.language)))
            or ${changes.some((change) => change.subject === '*')}
          order by path
          for update
        )`
    },

    /** Documents that are not there yet, to be rendered. */
    async insertMissing(documents: NewFeedDocument[]): Promise<void> {
      if (documents.length === 0) return
      await db
        .insertInto('feedDocuments')
        .values(
          documents.map((document) => ({
            ...document,
            language: document.language ?? '',
            dirtyAt: databaseTime,
          })),
        )
        .onConflict((conflict) => conflict.column('path').doNothing())
        .execute()
    },

    /** Feeds made by another version, for another address or another state of the publication. */
    async updateDirtyUnlessMadeFor(madeFor: string): Promise<void> {
      await run(db)`
        update feed_documents set dirty_at = coalesce(dirty_at, clock_timestamp()), dirty_n = dirty_n + 1
        where made_for is distinct from ${madeFor}`
    },

    /**
     * The feed that has waited longest and may change now, for this transaction alone: whoever asks for the same one waits or takes another.
     * A feed changes at most once a second, so that its Last-Modified can say so.
     */
    async claimDirty(): Promise<FeedGroup | undefined> {
      const row = await findRow<{ subject: string; language: string }>(db)`
        select subject, language from (
          select subject, language, min(coalesce(dirty_at, due_at)) as since
          from feed_documents
          where (dirty_at is not null or due_at <= clock_timestamp())
            and (last_modified is null or last_modified < date_trunc('second', clock_timestamp()))
            and moved_to is null and retired_at is null
          group by subject, language
          order by since
        ) as waiting
        where pg_try_advisory_xact_lock(hashtextextended(subject || ' ' || language, 0))
        limit 1`
      return row && { subject: row.subject as FeedSubject, language: row.language || undefined }
    },

    /** Waits until nobody else renders this feed; held until the transaction ends. */
    async claim({ subject, language }: FeedGroup): Promise<void> {
      await run(db)`select pg_advisory_xact_lock(hashtextextended(${`${subject} ${language ?? ''}`}, 0))`
    },

    /** The documents of a feed that may change now, in each format that someone reads. */
    async listClaimed({ subject, language }: FeedGroup): Promise<FeedDocument[]> {
      const rows = await select()
        .where('subject', '=', subject)
        .where('language', '=', language ?? '')
        .where(isWaiting)
        .where((eb) =>
          eb.or([
            eb('lastModified', 'is', null),
            eb('lastModified', '<', sql<Date>`date_trunc('second', clock_timestamp())`),
          ]),
        )
        .where('movedTo', 'is', null)
        .where('retiredAt', 'is', null)
        .orderBy('path')
        .execute()
      return rows.map(toDocument)
    },

    /** A render that failed is tried again in half a minute; the last copy is served meanwhile. */
    async release({ subject, language }: FeedGroup): Promise<void> {
      await db
        .updateTable('feedDocuments')
        .set({ dirtyAt: null, dueAt: sql<Date>`clock_timestamp() + interval '30 seconds'` })
        .where('subject', '=', subject)
        .where('language', '=', language ?? '')
        .where(isWaiting)
        .execute()
    },

    /** Whether a change waits: noted, or marked and held back by the clock. */
    hasDirty: () => getValue<boolean>(db)`
      select exists (select from feed_changes)
        or exists (select from feed_documents
                   where dirty_at is not null and moved_to is null and retired_at is null) as waiting`,

    /**
     * Ends a render: with new bytes every process hears of it when the transaction commits; without, both validators stay.
     * A change noted since `document` was read leaves it dirty.
     */
    async updateRendered(document: FeedDocument, note: RenderNote, rendered?: RenderedFeed): Promise<void> {
      await db
        .updateTable('feedDocuments')
        .set({
          ...rendered,
          floorAt: note.floor?.at ?? null,
          floorId: note.floor?.id ?? null,
          items: note.items,
          leftOut: JSON.stringify(note.leftOut),
          madeFor: note.madeFor,
          dueAt: note.dueAt ?? null,
          renderedAt: databaseTime,
          dirtyAt: sql<Date | null>`case when dirty_n = ${document.dirtyN} then null else dirty_at end`,
        })
        .where('path', '=', document.path)
        .$if(rendered !== undefined, (update) => update.returning(told))
        .execute()
    },

    /** The bytes for a poll; undefined where the address is unknown or was never rendered. */
    async find(path: string): Promise<FoundFeed | undefined> {
      const row = await db
        .selectFrom('feedDocuments')
        .select(['path', 'contentType', 'etag', 'lastModified', 'body', 'gzip', 'br', 'movedTo', 'retiredAt'])
        .where('path', '=', path)
        .executeTakeFirst()
      if (!row) return undefined
      if (row.movedTo !== null) return { kind: 'moved', to: row.movedTo }
      if (row.retiredAt !== null) return { kind: 'retired' }
      const { contentType, etag, lastModified, body, gzip, br } = row
      if (etag === null || !lastModified || !body || !gzip || !br) return undefined
      return { kind: 'feed', feed: { path, contentType, etag, lastModified, body, gzip, br } }
    },

    /** ETag and Last-Modified of those of the paths that are served. */
    async listVersions(paths: string[]): Promise<Map<string, string>> {
      if (paths.length === 0) return new Map()
      const rows = await db
        .selectFrom('feedDocuments')
        .select(['path', 'etag', 'lastModified'])
        .where('path', 'in', paths)
        .where('movedTo', 'is', null)
        .where('retiredAt', 'is', null)
        .execute()
      return new Map(rows.map((row) => [row.path, `${row.etag ?? ''} ${row.lastModified?.getTime() ?? 0}`]))
    },

    /** The feeds that are rendered ahead, those of everything first. */
    listPathsAhead: () => listValues<string>(db)`
      select path from feed_documents
      where body is not null and (subject = 'all' or subject like 'section:%' or subject like 'dossier:%')
      order by subject <> 'all', path`,

    /** Every document, by path, without bytes. */
    async list(): Promise<FeedDocument[]> {
      return (await select().orderBy('path').execute()).map(toDocument)
    },

    async listMoved(): Promise<MovedPaths> {
      const rows = await listRows<{ path: string; movedTo: string | null }>(db)`${prepared}
        select path, moved_to from feed_documents where moved_to is not null or retired_at is not null`
      return new Map(rows.map(({ path, movedTo }) => [path, movedTo ?? undefined]))
    },

    /** Polls of the path are redirected from now on. */
    markMoved: (path: string, to: string) => mark(path, { movedTo: to, retiredAt: null, ...settled }),

    /** Polls of the path are answered with 410 from now on. */
    markRetired: (path: string) => mark(path, { movedTo: null, retiredAt: databaseTime, ...settled }),

    /**
     * The path answers with its feed, to readers who had another one under their address until now: rendered next, with
     * a new date even where its content is what it was. Many ignore what is older than the feed they hold.
     */
    markServed: (path: string) =>
      mark(path, {
        movedTo: null,
        retiredAt: null,
        contentSha256: null,
        // As one that changed just now, it waits for the next second: later than any date handed out.
        lastModified: sql<Date | null>`case when last_modified is not null then date_trunc('second', clock_timestamp()) end`,
        dirtyAt: databaseTime,
      }),
  }
}

const toDocument = ({ floorAt, floorId, ...row }: Row) => ({
  ...fill(row),
  subject: row.subject as FeedSubject,
  language: row.language || undefined,
  floor: floorAt && floorId !== null ? { at: floorAt, id: floorId } : undefined,
  leftOut: row.leftOut as unknown as LeftOut[],
})
