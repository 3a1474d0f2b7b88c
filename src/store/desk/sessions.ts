import { sql } from 'kysely'
import type { Role } from '../../domain/editor.ts'
import { rowsOf, type Executor } from '../executor.ts'

/** A signed-in browser of an editor. */
export interface Session {
  id: number
  editorId: number
  role: Role
  email: string
  language: string
}

export interface ListedSession {
  id: number
  label: string
  createdAt: Date
  seenAt: Date
}

/** Sign-in links and the sessions they open; of both only a hash is stored. */
export function sessionStore(db: Executor) {
  return {
    async insertSignInLink(link: { tokenSha256: Buffer; editorId: number; expiresAt: Date }): Promise<void> {
      await db.insertInto('signInLinks').values(link).execute()
    },

    findSignInLink: (tokenSha256: Buffer, now: Date): Promise<{ editorId: number } | undefined> =>
      db
        .selectFrom('signInLinks')
        .select('editorId')
        .where('tokenSha256', '=', tokenSha256)
        .where('usedAt', 'is', null)
        .where('expiresAt', '>', now)
        .executeTakeFirst(),

    /** Uses the link up: of several clicks at once, one gets the editor. */
    markSignInLinkUsed: (tokenSha256: Buffer, now: Date): Promise<{ editorId: number } | undefined> =>
      db
        .updateTable('signInLinks')
        .set({ usedAt: now })
        .where('tokenSha256', '=', tokenSha256)
        .where('usedAt', 'is', null)
        .where('expiresAt', '>', now)
        .returning('editorId')
        .executeTakeFirst(),

    /** Those that no longer open anything, and have not since then. */
    async deleteSignInLinks(before: Date): Promise<void> {
      await db
        .deleteFrom('signInLinks')
        .where((eb) => eb(eb.fn.coalesce('usedAt', 'expiresAt'), '<', before))
        .execute()
    },

    /** Sessions that had ended, or run out, before then. */
    async deleteDead(before: Date): Promise<void> {
      await db
        .deleteFrom('sessions')
        .where((eb) => eb(eb.fn('least', ['endedAt', 'expiresAt']), '<', before))
        .execute()
    },

    /** When a link last opened a session; null where none has. */
    async findLastSignIn(editorId: number): Promise<Date | null> {
      const { usedAt } = await db
        .selectFrom('signInLinks')
        .select((eb) => eb.fn.max('usedAt').as('usedAt'))
        .where('editorId', '=', editorId)
        .executeTakeFirstOrThrow()
      return usedAt
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
    async markEnded(editorId: number, sessionId?: number): Promise<void> {
      let query = db
        .updateTable('sessions')
        .set({ endedAt: sql`now()` })
        .where('editorId', '=', editorId)
        .where('endedAt', 'is', null)
      if (sessionId !== undefined) query = query.where('id', '=', sessionId)
      await query.execute()
    },
  }
}
