import { changesRows, getValue, hasRow, type Executor } from '../executor.ts'

export function articleViewsStore(db: Executor) {
  return {
    /**
     * Counts one view of a published article, or several, in total and for a day of the publication's zone.
     * False where no published article has that slug.
     * @param date ISO, such as 2026-03-14
     */
    insert: (slug: string, date: string, n = 1) => changesRows(db)`
      with article as (
        update articles set views_total = views_total + ${n}::bigint
        where slug = ${slug} and state = 'published'
        returning id
      )
      insert into article_views (article_id, date, n)
      select id, ${date}::date, ${n}::bigint from article
      on conflict (article_id, date) do update set n = article_views.n + excluded.n`,

    /** The secret of a day, made by whoever asks first; those of the days before are deleted then. */
    async keyOf(date: string, fresh: Buffer): Promise<Buffer> {
      const made = await db
        .insertInto('viewKeys')
        .values({ date, key: fresh })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      if (made.numInsertedOrUpdatedRows) await db.deleteFrom('viewKeys').where('date', '<', date).execute()
      return getValue<Buffer>(db)`select key from view_keys where date = ${date}`
    },

    isPublished: (slug: string) => hasRow(db)`
      select from articles where slug = ${slug} and state = 'published'`,

    /** Views of one article on a day; 0 where nobody came. */
    count: (articleId: number, date: string) => getValue<number>(db)`
      select coalesce(sum(n), 0) from article_views where article_id = ${articleId} and date = ${date}`,
  }
}
