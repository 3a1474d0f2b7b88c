import { sql, type Selectable } from 'kysely'
import type { AddressHash } from '../domain/address.ts'
import type { Executor } from './executor.ts'
import type { Suppressions } from './schema.ts'

export type SuppressionReason = 'bounced' | 'complained' | 'erased' | 'manual'

export interface Suppression {
  id: number
  reason: SuppressionReason
  detail: string | undefined
  createdAt: Date
}

export function suppressionsStore(db: Executor) {
  return {
    /** Under any key of the keyring: a suppression outlives the key that hashed it. */
    async find(hashes: AddressHash[]): Promise<Suppression | undefined> {
      const row = await db
        .selectFrom('suppressions')
        .selectAll()
        .where(
          'addressHmac',
          'in',
          hashes.map((hash) => hash.hmac),
        )
        .orderBy('createdAt', 'desc')
        .executeTakeFirst()
      return row && toSuppression(row)
    },

    /** A stronger reason stays: a complaint is not weakened to a bounce, and erasure gives way to both. */
    async put(hash: AddressHash, reason: SuppressionReason, detail?: string): Promise<void> {
      const rank = sql`array_position(array['erased', 'bounced', 'manual', 'complained']`
      await db
        .insertInto('suppressions')
        .values({ addressHmac: hash.hmac, keyId: hash.keyId, reason, detail: detail ?? null })
        .onConflict((conflict) =>
          conflict
            .column('addressHmac')
            .doUpdateSet({ reason, detail: detail ?? null, createdAt: sql<Date>`clock_timestamp()` })
            .where(sql<boolean>`${rank}, suppressions.reason) <= ${rank}, excluded.reason)`),
        )
        .execute()
    },

    async delete(hashes: AddressHash[], reasons?: SuppressionReason[]): Promise<boolean> {
      const result = await db
        .deleteFrom('suppressions')
        .where(
          'addressHmac',
          'in',
          hashes.map((hash) => hash.hmac),
        )
        .$if(reasons !== undefined, (query) => query.where('reason', 'in', reasons ?? []))
        .executeTakeFirst()
      return result.numDeletedRows > 0n
    },

    /** Newest entry first. */
    async list(page: { beforeId: number | undefined; limit: number }): Promise<Suppression[]> {
      const rows = await db
        .selectFrom('suppressions')
        .selectAll()
        .$if(page.beforeId !== undefined, (query) => query.where('id', '<', page.beforeId ?? 0))
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(toSuppression)
    },
  }
}

const toSuppression = (row: Selectable<Suppressions>): Suppression => ({
  id: row.id,
  reason: row.reason as SuppressionReason,
  detail: row.detail ?? undefined,
  createdAt: row.createdAt,
})
