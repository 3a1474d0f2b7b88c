import { findRow, getValue, run, type Executor } from '../executor.ts'

/** Of the secret only a hash is stored. */
export function signInLinkStore(db: Executor) {
  return {
    async insert(link: { tokenSha256: Buffer; editorId: number; expiresAt: Date }): Promise<void> {
      await db.insertInto('signInLinks').values(link).execute()
    },

    find: (tokenSha256: Buffer, now: Date) => findRow<{ editorId: number }>(db)`
      select editor_id from sign_in_links
      where token_sha256 = ${tokenSha256} and used_at is null and expires_at > ${now}`,

    /** Uses the link up: of several clicks at once, one gets the editor. */
    markUsed: (tokenSha256: Buffer, now: Date) => findRow<{ editorId: number }>(db)`
      update sign_in_links set used_at = ${now}
      where token_sha256 = ${tokenSha256} and used_at is null and expires_at > ${now}
      returning editor_id`,

    /** Those that no longer open anything, and have not since then. */
    async deleteDead(before: Date): Promise<void> {
      await run(db)`delete from sign_in_links where coalesce(used_at, expires_at) < ${before}`
    },

    /** When a link last opened a session; null where none has. */
    findLastUse: (editorId: number) => getValue<Date | null>(db)`
      select max(used_at) from sign_in_links where editor_id = ${editorId}`,
  }
}
