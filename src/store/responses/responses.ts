import { sql, type Selectable } from 'kysely'
import type { Response } from '../../domain/articles/article.ts'
import { rowsOf, type Executor } from '../executor.ts'
import { fill } from '../row.ts'
import type { Responses } from '../schema.ts'

export type NewResponse = Omit<Response, 'id'> & { contentSha256: Buffer }

export function responsesStore(db: Executor) {
  return {
    /** Of one article, oldest first, as a conversation is read. */
    async listByArticle(articleId: number, limit = 500): Promise<Response[]> {
      const rows = await db
        .selectFrom('responses')
        .selectAll()
        .where('articleId', '=', articleId)
        .orderBy('publishedAt')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(toResponse)
    },

    /** Newest first, under published articles alone; of one article, of one language, or all. */
    async listNewest(options: {
      limit: number
      articleId?: number | undefined
      language?: string | undefined
      since?: Date
    }): Promise<Response[]> {
      let query = db
        .selectFrom('responses as r')
        .innerJoin('articles as a', 'a.id', 'r.articleId')
        .selectAll('r')
        .where('a.state', '=', 'published')
        .orderBy('r.publishedAt', 'desc')
        .orderBy('r.id', 'desc')
        .limit(options.limit)
      if (options.articleId !== undefined) query = query.where('r.articleId', '=', options.articleId)
      if (options.language !== undefined) query = query.where('a.language', '=', options.language)
      if (options.since) query = query.where('r.publishedAt', '>=', options.since)
      return (await query.execute()).map(toResponse)
    },

    async find(articleId: number, externalId: string): Promise<Response | undefined> {
      const row = await db
        .selectFrom('responses')
        .selectAll()
        .where('articleId', '=', articleId)
        .where('externalId', '=', externalId)
        .executeTakeFirst()
      return row && toResponse(row)
    },

    async findByGuid(guid: string): Promise<Response | undefined> {
      const row = await db.selectFrom('responses').selectAll().where('guid', '=', guid).executeTakeFirst()
      return row && toResponse(row)
    },

    /** Creates or replaces by article and external id; rows with the same content are left alone. What happened, by `articleId/externalId`. */
    async put(responses: NewResponse[]): Promise<Map<string, 'created' | 'updated'>> {
      if (responses.length === 0) return new Map()
      const rows = await db
        .insertInto('responses')
        .values(responses.map((one) => ({ ...one, authorUrl: one.authorUrl ?? null })))
        .onConflict((conflict) =>
          conflict
            .columns(['articleId', 'externalId'])
            // The guid is permanent: what a reader has seen stays the same item.
            .doUpdateSet((eb) => ({
              kind: eb.ref('excluded.kind'),
              author: eb.ref('excluded.author'),
              authorUrl: eb.ref('excluded.authorUrl'),
              html: eb.ref('excluded.html'),
              publishedAt: eb.ref('excluded.publishedAt'),
              contentSha256: eb.ref('excluded.contentSha256'),
            }))
            .whereRef('responses.contentSha256', 'is distinct from', 'excluded.contentSha256'),
        )
        .returning(['articleId', 'externalId', sql<boolean>`xmax = 0`.as('isNew')])
        .execute()
      return new Map(
        rows.map((row) => [`${row.articleId}/${row.externalId}`, row.isNew ? 'created' : 'updated']),
      )
    },

    /** False where there was none. */
    delete: (articleId: number, externalId: string) =>
      rowsOf(db, 'responses', { articleId, externalId }).delete(),
  }
}

const toResponse = ({ contentSha256: _hash, ...row }: Selectable<Responses>): Response => ({
  ...fill(row),
  kind: row.kind as Response['kind'],
})
