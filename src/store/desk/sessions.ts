import { sql, type Selectable } from 'kysely'
import type { Role } from '../../domain/editor.ts'
import { rowsOf, run, type Executor } from '../executor.ts'
import type { Sessions } from '../schema.ts'

/** A signed-in browser of an editor. */
export interface Session {
  id: number
  editorId: number
  role: Role
  email: string
  language: string
}

export type ListedSession = Pick<Selectable<Sessions>, 'id' | 'label' | 'createdAt' | 'seenAt'>

/** Of the secret only a hash is stored. */
export function sessionStore(db: Executor) {
  return {
    /** Sessions that had ended, or run out, before then. */
    async deleteDead(before: Date): Promise<void> {
      await run(db)`delete from sessions where least(ended_at, expires_at) < ${before}`
    },

    async insert(session: {
      tokenSha256: Buffer
      editorId: number
      label: string
      expiresAt: Date
    }): Promise<void> {
      await db.insertInto('sessions').values(session).execute()
    },

    /** A session that lives, with its editor as they are now. */
    find: (
      tokenSha256: Buffer,
      { now, idleSince }: { now: Date; idleSince: Date },
    ): Promise<(Session & { seenAt: Date }) | undefined> =>
      db
        .selectFrom('sessions')
        .innerJoin('editors', 'editors.id', 'sessions.editorId')
        .select(['sessions.id', 'sessions.editorId', 'sessions.seenAt', 'role', 'email', 'language'])
        .where('tokenSha256', '=', tokenSha256)
        .where('endedAt', 'is', null)
        .where('removedAt', 'is', null)
        .where('expiresAt', '>', now)
        .where('seenAt', '>', idleSince)
        .$narrowType<{ role: Role }>()
        .executeTakeFirst(),

    updateSeen: (id: number, now: Date) => rowsOf(db, 'sessions', { id }).update({ seenAt: now }),

    list: (editorId: number): Promise<ListedSession[]> =>
      db
        .selectFrom('sessions')
        .select(['id', 'label', 'createdAt', 'seenAt'])
        .where('editorId', '=', editorId)
        .where('endedAt', 'is', null)
        .where('expiresAt', '>', sql<Date>`now()`)
        .orderBy('seenAt', 'desc')
        .execute(),

    /** Ends one session of the editor, or all of them. */
    markEnded: (editorId: number, id?: number) =>
      rowsOf(db, 'sessions', { editorId, endedAt: null, ...(id !== undefined && { id }) }).update({
        endedAt: sql<Date>`now()`,
      }),
  }
}
