import { sql, type Selectable } from 'kysely'
import type { Article, ArticleState } from '../../domain/articles/article.ts'
import { insertBody } from './article-bodies.ts'
import { articleIdentity } from './article-identity.ts'
import { databaseTime, hasChanged, listRows, rowsOf, run, type Executor } from '../executor.ts'
import { empty, fill, type Filled } from '../row.ts'
import type { Articles } from '../schema.ts'

/** What a source's word about an article is weighed against. */
type Remote = Pick<Filled<Selectable<Articles>>, 'contentSha256' | 'remoteModifiedAt' | 'remoteRank'>

/** What an editor decides about an article, as its row holds it; `Remote` that is undefined leaves what is known. */
export type ArticleContent = Remote &
  Pick<Article, 'language' | 'title' | 'deck' | 'summary' | 'html' | 'slug' | 'state'> &
  Pick<Article, 'publishedAt' | 'firstPublicAt' | 'canonicalUrl' | 'oldPath' | 'heldAt'> &
  Pick<Article, 'picture' | 'enclosure' | 'areResponsesOpen' | 'markdown'> & {
    writtenBy: string | undefined
    /** Absent: what there is stays. */
    correction?: string | undefined
    /** Id of the article; absent: what there is stays. */
    translationOf?: number | undefined
  }

export type NewArticle = ArticleContent & Pick<Article, 'externalId' | 'guid' | 'shortCode' | 'viewsTotal'>

/** What decides how a write goes on. */
export type StoredArticle = Remote &
  Pick<Article, 'id' | 'externalId' | 'guid' | 'slug' | 'title' | 'canonicalUrl' | 'viewsTotal'> &
  Pick<Article, 'state' | 'publishedAt' | 'firstPublicAt' | 'heldAt' | 'updatedAt'>

export function articleWrites(db: Executor) {
  return {
    ...articleIdentity(db),

    /** Until the end of the transaction: two writers of one article, new or not, take turns. */
    async lock(names: string[]): Promise<void> {
      // Sorted by the lock's own number, so that no two writers wait for each other in a circle.
      await run(db)`
        select pg_advisory_xact_lock(number) from (
          select distinct hashtextextended('article ' || id, 0) as number
          from unnest(${names}::text[]) as id order by 1
        ) as locks`
    },

    /** Locks the rows against the scheduled publisher. */
    async listStored(ids: number[]): Promise<StoredArticle[]> {
      const rows = await db
        .selectFrom('articles')
        .select(['id', 'externalId', 'guid', 'slug', 'title', 'canonicalUrl', 'viewsTotal'])
        .select(['state', 'publishedAt', 'firstPublicAt', 'heldAt', 'updatedAt'])
        .select(['contentSha256', 'remoteModifiedAt', 'remoteRank'])
        .where(sql<boolean>`id = any(${ids})`)
        .orderBy('id')
        .forUpdate()
        .execute()
      return rows.map((row) => ({ ...fill(row), state: row.state as ArticleState }))
    },

    /** Which of these slugs an article has or once had, and whose they are. */
    listTakenSlugs: (slugs: string[]) => listRows<{ slug: string; articleId: number }>(db)`
      select slug, id as "articleId" from articles where slug = any(${slugs})
      union all
      select slug, article_id from article_slugs where slug = any(${slugs})`,

    /** The ids by external id; one whose slug, short code or guid was taken in the meantime is absent. */
    async insert(articles: NewArticle[]): Promise<Map<string, number>> {
      if (articles.length === 0) return new Map()
      const rows = await db
        .insertInto('articles')
        .values(
          articles.map((one) => ({ ...toRow(one), correctedAt: one.correction ? sql<Date>`now()` : null })),
        )
        .onConflict((conflict) => conflict.doNothing())
        .returning(['id', 'externalId'])
        .execute()
      return new Map(rows.map((row) => [row.externalId, row.id]))
    },

    /** Replaces the content. An old slug is kept for its redirect, what the article said as one of its bodies. */
    async update(id: number, content: ArticleContent): Promise<void> {
      const { oldPath, remoteModifiedAt, remoteRank, heldAt, state, writtenBy, correction } = content
      const isRewritten = await insertBody(db, id, content)
      await run(db)`
        insert into article_slugs (slug, article_id)
        select slug, id from articles where id = ${id} and slug <> ${content.slug} and first_public_at is not null
        on conflict (slug) do update set article_id = excluded.article_id`
      await rowsOf(db, 'articles', { id }).update({
        ...toRow(content),
        // An import knows the old path; a later PUT of the same article does not, and must not lose it.
        oldPath: oldPath ?? sql<string | null>`old_path`,
        remoteModifiedAt: remoteModifiedAt ?? sql<Date | null>`remote_modified_at`,
        remoteRank: remoteRank ?? sql<number | null>`remote_rank`,
        heldAt: heldAt ?? sql<Date | null>`held_at`,
        ...(state !== 'withdrawn' && notWithdrawn),
        ...('correction' in content && {
          correctedAt: sql<Date | null>`case when correction is not distinct from ${correction ?? null} then corrected_at
              when ${correction ?? null}::text is not null then now() end`,
        }),
        writtenBy: isRewritten ? (writtenBy ?? null) : sql<string | null>`written_by`,
        writtenAt: isRewritten ? databaseTime : sql<Date | null>`written_at`,
        ...touched,
      })
    },

    /** Raises the count to at least `total`; false where it was there already. */
    updateViews: (id: number, total: number): Promise<boolean> =>
      hasChanged(
        db
          .updateTable('articles')
          .set({ viewsTotal: total })
          .where('id', '=', id)
          .where('viewsTotal', '<', total),
      ),

    /** Replaces the selections of these articles. */
    async putSelections(
      articleIds: number[],
      selections: { articleId: number; selectionId: number; position: number }[],
    ): Promise<void> {
      await run(db)`delete from article_selections where article_id = any(${articleIds})`
      if (selections.length === 0) return
      await db
        .insertInto('articleSelections')
        .values(selections)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    /** Published → withdrawn. False for an article that was not public. */
    async markWithdrawn(id: number, reason: string, now: Date, sourceId?: number): Promise<boolean> {
      // Stronger than an update's own lock, which a preparation's would let pass; both take as long as they take.
      await run(db)`select set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)`
      await db.selectFrom('articles').select('id').where('id', '=', id).forUpdate().execute()
      return rowsOf(db, 'articles', { id, state: 'published' }).update({
        state: 'withdrawn',
        withdrawnAt: now,
        withdrawnReason: reason,
        withdrawnBy: sourceId ?? null,
        ...touched,
      })
    },

    /** Withdrawn → published, where this source withdrew it. */
    markRestored: (id: number, sourceId: number) =>
      rowsOf(db, 'articles', { id, state: 'withdrawn', withdrawnBy: sourceId }).update({
        state: 'published',
        ...notWithdrawn,
        ...touched,
      }),

    /** Scheduled → draft, where an export scheduled it: a site that is followed says itself what is public. */
    async markAwaited(siteKey: string): Promise<void> {
      await run(db)`
        update articles set state = 'draft', updated_at = ${touched.updatedAt}
        where state = 'scheduled' and held_at is null and external_id like 'wp:%'
          and regexp_replace(external_id, '^wp:(www\\.)?(.*):[^:]*$', '\\2') = ${siteKey.replace(/^www\./, '')}`
    },

    /** Scheduled → published for those whose time has come; their ids. */
    async markPublished(now: Date): Promise<number[]> {
      const rows = await db
        .updateTable('articles')
        .set({ state: 'published', firstPublicAt: sql<Date>`coalesce(first_public_at, ${now})`, ...touched })
        .where('state', '=', 'scheduled')
        .where('publishedAt', '<=', now)
        .returning('id')
        .execute()
      return rows.map((row) => row.id)
    },
  }
}

/** A version by its millisecond: no two are of the same. */
const touched = {
  updatedAt: sql<Date>`greatest(clock_timestamp(), articles.updated_at + interval '1 millisecond')`,
}

const notWithdrawn = { withdrawnAt: null, withdrawnReason: null, withdrawnBy: null }

const toRow = <Content extends ArticleContent>(content: Content) => {
  const { areResponsesOpen, picture, enclosure, markdown, ...rest } = content
  return {
    ...empty(rest),
    picture: picture ? JSON.stringify(picture) : null,
    enclosure: enclosure ? JSON.stringify(enclosure) : null,
    responsesOpen: areResponsesOpen,
    markdown: markdown ?? null,
    markdownMd5: markdown === undefined ? null : sql<string>`md5(${content.html})`,
  }
}
