import type { Editor, Role } from '../../domain/editor.ts'
import { findValue, rowsOf, type Executor } from '../executor.ts'
import { hourMs } from '../../domain/time.ts'

const columns = ['id', 'email', 'role', 'language', 'author', 'createdAt'] as const

export function editorStore(db: Executor) {
  const present = () =>
    db.selectFrom('editors').select(columns).$narrowType<{ role: Role }>().where('removedAt', 'is', null)

  return {
    find: (id: number): Promise<Editor | undefined> => present().where('id', '=', id).executeTakeFirst(),

    /** Of whoever it was, also after they left the desk. */
    findEmailEver: (id: number) => findValue<string>(db)`select email from editors where id = ${id}`,

    findByEmail: (email: string): Promise<Editor | undefined> =>
      present()
        .where((eb) => eb(eb.fn<string>('lower', ['email']), '=', email.toLowerCase()))
        .executeTakeFirst(),

    list: (): Promise<Editor[]> => present().orderBy('id').execute(),

    /** Until the transaction ends nobody else changes any of those who are there now. */
    async lock(): Promise<void> {
      await present().orderBy('id').forNoKeyUpdate().execute()
    },

    insert: (editor: { email: string; role: Role; language: string }): Promise<Editor> =>
      db
        .insertInto('editors')
        .values(editor)
        .returning(columns)
        .$narrowType<{ role: Role }>()
        .executeTakeFirstOrThrow(),

    /** Who is one of these authors and was not told within the hour: they are told now. */
    async markTold(authors: string[], now: Date): Promise<{ id: number; language: string }[]> {
      if (authors.length === 0) return []
      return db
        .updateTable('editors')
        .set({ toldAt: now })
        .where('author', 'in', authors)
        .where('removedAt', 'is', null)
        .where((eb) =>
          eb.or([eb('toldAt', 'is', null), eb('toldAt', '<=', new Date(now.getTime() - hourMs))]),
        )
        .returning(['id', 'language'])
        .execute()
    },

    update: (
      id: number,
      change: { role?: Role; language?: string; author?: string | null; removedAt?: Date },
    ) => rowsOf(db, 'editors', { id }).update(change),
  }
}
