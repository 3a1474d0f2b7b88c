import { sql } from 'kysely'
import type { Role } from '../../domain/editor.ts'
import type { Executor } from '../executor.ts'

/** An API key as it may be shown: the key itself is stored nowhere. */
export interface ApiKey {
  id: number
  name: string
  role: Role
  prefix: string
  createdAt: Date
  expiresAt: Date | null
  usedAt: Date | null
}

export function apiKeyStore(db: Executor) {
  const columns = ['id', 'name', 'role', 'prefix', 'createdAt', 'expiresAt', 'usedAt'] as const
  return {
    async insert(key: {
      name: string
      role: Role
      prefix: string
      keySha256: Buffer
      createdBy: number | null
      expiresAt: Date | null
    }): Promise<ApiKey> {
      const row = await db.insertInto('apiKeys').values(key).returning(columns).executeTakeFirstOrThrow()
      return { ...row, role: row.role as Role }
    },

    async findByHash(keySha256: Buffer, now: Date): Promise<ApiKey | undefined> {
      const row = await db
        .selectFrom('apiKeys')
        .select(columns)
        .where('keySha256', '=', keySha256)
        .where('revokedAt', 'is', null)
        .where((eb) => eb.or([eb('expiresAt', 'is', null), eb('expiresAt', '>', now)]))
        .executeTakeFirst()
      return row && { ...row, role: row.role as Role }
    },

    /** Also of a revoked one. */
    async findName(id: number): Promise<string | undefined> {
      const row = await db.selectFrom('apiKeys').select('name').where('id', '=', id).executeTakeFirst()
      return row?.name
    },

    async list(): Promise<ApiKey[]> {
      const rows = await db
        .selectFrom('apiKeys')
        .select(columns)
        .where('revokedAt', 'is', null)
        .orderBy('id')
        .execute()
      return rows.map((row) => ({ ...row, role: row.role as Role }))
    },

    async updateUsed(id: number, now: Date): Promise<void> {
      await db.updateTable('apiKeys').set({ usedAt: now }).where('id', '=', id).execute()
    },

    /** False where no such key was in use. */
    async markRevoked(id: number): Promise<boolean> {
      const result = await db
        .updateTable('apiKeys')
        .set({ revokedAt: sql`now()` })
        .where('id', '=', id)
        .where('revokedAt', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
  }
}
