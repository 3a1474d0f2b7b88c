import type { Selectable } from 'kysely'
import type { Cursor } from '../../domain/cursor.ts'
import { nameOfActor, type Actor } from '../../domain/editor.ts'
import { getRow, getValue, type Executor } from '../executor.ts'
import type { Audit } from '../schema.ts'

/** No reader's address, token or key is ever in it. */
export type AuditDetail = Record<string, string | number | boolean | null>

export type StoredAuditEntry = Omit<Selectable<Audit>, 'detail'> & { detail: AuditDetail }

/** Who and what, where it is asked for. */
export interface AuditFilter {
  actor?: string | undefined
  action?: string | undefined
}

type AuditQuery = AuditFilter & { limit: number; after: Cursor | undefined }

export function auditStore(db: Executor) {
  return {
    /**
     * @param actor who, or the fixed word for what is nobody: `system`
     * @param action one that `desk.audit.actions` of the locales has words for
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
    async list({ limit, after, actor, action }: AuditQuery): Promise<StoredAuditEntry[]> {
      let query = db
        .selectFrom('audit')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit + 1)
      if (after) query = query.where('id', '<', Number(after[0]))
      if (actor) query = query.where('actor', '=', actor)
      if (action) query = query.where('action', '=', action)
      const rows = await query.execute()
      return rows.map((row) => ({ ...row, detail: row.detail as AuditDetail }))
    },

    /** Everybody and everything that the log holds. */
    listKinds: () => getRow<{ actors: string[]; actions: string[] }>(db)`
      select array(select distinct actor from audit order by 1) as actors,
        array(select distinct action from audit order by 1) as actions`,

    /** What people know actors and subjects by: addresses of the desk and names of keys, also of those that have ended. */
    listNames: () => getValue<Record<string, string>>(db)`
      select coalesce(jsonb_object_agg(key, name), '{}') as names from (
        select 'editor:' || id as key, email as name from editors
        union all select 'key:' || id, name from api_keys
        union all select 'invitation:' || id, email from invitations) known`,
  }
}
