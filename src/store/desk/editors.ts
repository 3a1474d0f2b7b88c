import type { Editor, Role } from '../../domain/editor.ts'
import type { Executor } from '../executor.ts'
import type { Editors } from '../schema.ts'
import type { Selectable } from 'kysely'

export function editorStore(db: Executor) {
  const present = () => db.selectFrom('editors').selectAll().where('removedAt', 'is', null)
  return {
    async find(id: number): Promise<Editor | undefined> {
      return toEditor(await present().where('id', '=', id).executeTakeFirst())
    },

    /** Of whoever it was, also after they left the desk. */
    async findEmail(id: number): Promise<string | undefined> {
      const row = await db.selectFrom('editors').select('email').where('id', '=', id).executeTakeFirst()
      return row?.email
    },

    async findByEmail(email: string): Promise<Editor | undefined> {
      const row = await present()
        .where((eb) => eb(eb.fn<string>('lower', ['email']), '=', email.toLowerCase()))
        .executeTakeFirst()
      return toEditor(row)
    },

    async list(): Promise<Editor[]> {
      const rows = await present().orderBy('id').execute()
      return rows.map((row) => toEditor(row))
    },

    /** Until the transaction ends nobody else changes any of them. */
    async lock(): Promise<void> {
      await present().orderBy('id').forNoKeyUpdate().execute()
    },

    async insert(editor: { email: string; role: Role; language: string }): Promise<Editor> {
      return toEditor(await db.insertInto('editors').values(editor).returningAll().executeTakeFirstOrThrow())
    },

    async update(id: number, change: { role?: Role; language?: string; removedAt?: Date }): Promise<void> {
      await db.updateTable('editors').set(change).where('id', '=', id).execute()
    },
  }
}

function toEditor(row: Selectable<Editors>): Editor
function toEditor(row: Selectable<Editors> | undefined): Editor | undefined
function toEditor(row: Selectable<Editors> | undefined): Editor | undefined {
  if (!row) return undefined
  return {
    id: row.id,
    email: row.email,
    role: row.role as Role,
    language: row.language,
    createdAt: row.createdAt,
  }
}
