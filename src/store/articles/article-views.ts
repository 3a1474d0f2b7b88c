import { run, type Executor } from '../executor.ts'

export function articleViewsStore(db: Executor) {
  return {
    /**
     * Counts one view of a published article, or several, in total and for a day of the publication's zone.
     * False where no published article has that slug.
     * @param date ISO, such as 2026-03-14
     */
    async insert(slug: string, date: string, n = 1): Promise<boolean> {
      const counted = await run(db)`
        with article as (
          update articles set views_total = views_total + ${n}::bigint
          where slug = ${slug} and state = 'published'
          returning id
        )
        insert into article_views (article_id, date, n)
        select id, ${date}::date, ${n}::bigint from article
        on conflict (article_id, date) do update set n = article_views.n + excluded.n`
      return counted > 0
    },

    /** The secret of a day, made by whoever asks first; those of the days before are deleted then. */
    async keyOf(date: string, fresh: Buffer): Promise<Buffer> {
      const made = await db
        .insertInto('viewKeys')
        .values({ date, key: fresh })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      if (made.numInsertedOrUpdatedRows) await db.deleteFrom('viewKeys').where('date', '<', date).execute()
      const { key } = await db
        .selectFrom('viewKeys')
        .select('key')
        .where('date', '=', date)
        .executeTakeFirstOrThrow()
      return key
    },

    async isPublished(slug: string): Promise<boolean> {
      const row = await db
        .selectFrom('articles')
        .select('id')
        .where('slug', '=', slug)
        .where('state', '=', 'published')
        .executeTakeFirst()
      return row !== undefined
    },

    /** Views of one article on a day; 0 where nobody came. */
    async count(articleId: number, date: string): Promise<number> {
      const row = await db
        .selectFrom('articleViews')
        .select('n')
        .where('articleId', '=', articleId)
        .where('date', '=', date)
        .executeTakeFirst()
      return row?.n ?? 0
    },
  }
}
