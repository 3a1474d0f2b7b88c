import type { Executor } from '../executor.ts'

export interface StoredAnswer {
  /** Hex, of the request it answered. */
  requestHash: string
  status: number
  body: unknown
}

export function idempotencyKeysStore(db: Executor) {
  return {
    async find(scope: string, key: string): Promise<StoredAnswer | undefined> {
      const row = await db
        .selectFrom('idempotencyKeys')
        .selectAll()
        .where('scope', '=', scope)
        .where('key', '=', key)
        .executeTakeFirst()
      return row && { requestHash: row.requestSha256.toString('hex'), status: row.status, body: row.body }
    },

    async deleteBefore(before: Date): Promise<void> {
      await db.deleteFrom('idempotencyKeys').where('createdAt', '<', before).execute()
    },

    /** In the transaction of what it answers, so that an answer without its effect cannot exist. */
    async insert(scope: string, key: string, answer: StoredAnswer): Promise<void> {
      await db
        .insertInto('idempotencyKeys')
        .values({
          scope,
          key,
          requestSha256: Buffer.from(answer.requestHash, 'hex'),
          status: answer.status,
          body: JSON.stringify(answer.body),
        })
        .execute()
    },
  }
}
