import type { Executor } from '../executor.ts'

export interface StoredAnswer {
  /** Of the request it answered. */
  requestSha256: Buffer
  status: number
  body: unknown
}

export function idempotencyKeysStore(db: Executor) {
  return {
    find: (scope: string, key: string): Promise<StoredAnswer | undefined> =>
      db
        .selectFrom('idempotencyKeys')
        .select(['requestSha256', 'status', 'body'])
        .where('scope', '=', scope)
        .where('key', '=', key)
        .executeTakeFirst(),

    async deleteBefore(before: Date): Promise<void> {
      await db.deleteFrom('idempotencyKeys').where('createdAt', '<', before).execute()
    },

    /** In the transaction of what it answers, so that an answer without its effect cannot exist. */
    async insert(scope: string, key: string, answer: StoredAnswer): Promise<void> {
      await db
        .insertInto('idempotencyKeys')
        .values({ ...answer, scope, key, body: JSON.stringify(answer.body) })
        .execute()
    },
  }
}
