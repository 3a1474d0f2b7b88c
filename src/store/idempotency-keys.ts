import { findRow, type Executor } from './executor.ts'

export interface StoredAnswer {
  /** Of the request it answered. */
  requestSha256: Buffer
  status: number
  body: unknown
}

export function idempotencyKeysStore(db: Executor) {
  return {
    find: (scope: string, key: string) => findRow<StoredAnswer>(db)`
      select request_sha256, status, body from idempotency_keys where scope = ${scope} and key = ${key}`,

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
