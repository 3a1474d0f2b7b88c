import type { Cursor } from '../../domain/cursor.ts'
import { nameOfActor, type Actor } from '../../domain/editor.ts'
import type { Executor } from '../executor.ts'

/** No reader's address, token or key is ever in it. */
export type AuditDetail = Record<string, string | number | boolean | null>

export interface StoredAuditEntry {
  id: number
  at: Date
  actor: string
  action: string
  subject: string
  detail: AuditDetail
}

export function auditStore(db: Executor) {
  return {
    /**
     * @param actor who, or the fixed word for what is nobody: `system`
     * @param action a fixed word
     */
    async insert(
      actor: Actor | string,
      action: string,
      subject = '',
      detail: AuditDetail = {},
    ): Promise<void> {
      const name = typeof actor === 'string' ? actor : nameOfActor(actor)
      await db
        .insertInto('audit')
        .values({ actor: name, action, subject, detail: JSON.stringify(detail) })
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
      return rows.map((row) => ({ ...row, detail: row.detail as AuditDetail }))
    },
  }
}
