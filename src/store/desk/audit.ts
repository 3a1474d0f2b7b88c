import type { Cursor } from '../../domain/cursor.ts'
import type { Executor } from '../executor.ts'

/** One line of the audit log. `actor` and `action` are fixed words; no reader's address, token or key is ever in `detail`. */
export interface AuditEntry {
  actor: string
  action: string
  subject?: string
  detail?: Record<string, string | number | boolean | null>
}

export interface StoredAuditEntry extends Required<AuditEntry> {
  id: number
  at: Date
}

export function auditStore(db: Executor) {
  return {
    async insert(entry: AuditEntry): Promise<void> {
      await db
        .insertInto('audit')
        .values({ ...entry, detail: JSON.stringify(entry.detail ?? {}) })
        .execute()
    },

    /** Newest first; fetches one more than `limit`, which tells that there is a next page. */
    async list({ limit, after }: { limit: number; after: Cursor | undefined }): Promise<StoredAuditEntry[]> {
      let query = db
        .selectFrom('audit')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit + 1)
      if (after) query = query.where('id', '<', Number(after[0]))
      const rows = await query.execute()
      return rows.map((row) => ({ ...row, detail: row.detail as StoredAuditEntry['detail'] }))
    },
  }
}
