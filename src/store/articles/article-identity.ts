import { sql } from 'kysely'
import { hasChanged, listRows, listValues, rowsOf, run, type Executor } from '../executor.ts'

/** One way an article is known, and which article it is. */
export interface FoundName {
  name: string
  articleId: number
}

const folded = (column: string) =>
  sql.raw(`lower(rtrim(regexp_replace(${column}, '^https?://(www\\.)?', ''), '/'))`)

/** Under which names articles are known. */
export function articleIdentity(db: Executor) {
  /** Own ones first, then aliases. */
  const listBy = (column: 'external_id' | 'guid') => (names: string[]) => {
    const name = sql.ref(column)
    return listRows<FoundName>(db)`
      select ${name} as name, id as "articleId" from articles where ${name} = any(${names})
      union all
      select ${name}, article_id from article_aliases where ${name} = any(${names})`
  }

  return {
    listByExternalIds: listBy('external_id'),
    listByGuids: listBy('guid'),

    /** Which of these external ids, also of those of before, are of a published article. */
    listPublished: (externalIds: string[]) => listValues<string>(db)`
      select external_id from articles where external_id = any(${externalIds}) and state = 'published'
      union all
      select o.external_id from article_aliases o join articles a on a.id = o.article_id
      where o.external_id = any(${externalIds}) and a.state = 'published'`,

    /** Folded guids and addresses of pages (`foldUrl`). */
    listByFoldedUrls: (urls: string[]) => listRows<FoundName>(db)`
      select ${folded('guid')} as name, id as "articleId" from articles
      where guid like 'http%' and ${folded('guid')} = any(${urls})
      union
      select ${folded('canonical_url')}, id from articles
      where canonical_url is not null and ${folded('canonical_url')} = any(${urls})`,

    /** Permalinks before an import (`canonicalPath`). */
    listByOldPaths: (paths: string[]) => listRows<FoundName>(db)`
      select lower(rtrim(old_path, '/')) as name, id as "articleId" from articles
      where old_path is not null and lower(rtrim(old_path, '/')) = any(${paths})`,

    /** The article is known by this, too. An external id or a guid that it had leads to it on. */
    async insertAliases(
      aliases: { articleId: number; externalId?: string | undefined; guid?: string | undefined }[],
    ): Promise<void> {
      if (aliases.length === 0) return
      const rows = JSON.stringify(aliases)
      await run(db)`
        insert into article_aliases (article_id, external_id, guid)
        select a."articleId", a."externalId", a.guid
        from jsonb_to_recordset(${rows}::jsonb) as a ("articleId" bigint, "externalId" text, guid text)
        where a.guid is null or not exists (
          select 1 from article_aliases k where k.article_id = a."articleId" and k.guid = a.guid)
        on conflict (external_id) do nothing`
    },

    /** A stronger id takes the place of the one it had, which becomes an alias. */
    async updateExternalId(id: number, externalId: string): Promise<void> {
      await run(db)`delete from article_aliases where external_id = ${externalId}`
      await run(db)`
        insert into article_aliases (article_id, external_id)
        select id, external_id from articles where id = ${id}
        on conflict (external_id) do nothing`
      await rowsOf(db, 'articles', { id }).update({ externalId })
    },

    /** The next that its source says of it is written, whatever stands here. False where it was not held. */
    markReleased: (id: number): Promise<boolean> =>
      hasChanged(
        db
          .updateTable('articles')
          // No content has this hash: what the source brings next is another text.
          .set({ heldAt: null, remoteModifiedAt: null, contentSha256: Buffer.alloc(0) })
          .where('id', '=', id)
          .where('heldAt', 'is not', null),
      ),

    /** Notes of articles whose text stays how new it is at the source, where that was not known. */
    async updateSources(
      marks: { id: number; modifiedAt: string | null; rank: number | null; oldPath: string | null }[],
    ): Promise<void> {
      if (marks.length === 0) return
      await run(db)`
        update articles as a
        set remote_modified_at = coalesce(a.remote_modified_at, m."modifiedAt"),
            remote_rank = coalesce(a.remote_rank, m.rank), old_path = coalesce(a.old_path, m."oldPath")
        from jsonb_to_recordset(${JSON.stringify(marks)}::jsonb)
          as m (id bigint, "modifiedAt" timestamptz, rank smallint, "oldPath" text)
        where a.id = m.id
          and (m.rank is not null and a.remote_rank is null or a.remote_modified_at is null and m."modifiedAt" is not null
            or a.old_path is null and m."oldPath" is not null)`
    },
  }
}
