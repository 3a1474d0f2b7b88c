import { parseAddress } from '../../domain/subscribers/address.ts'
import type { Actor, Editor, Role } from '../../domain/editor.ts'
import { conflict, forbidden, invalid, notFound } from '../../errors.ts'
import type { Parts } from '../parts.ts'
import { changesBetween } from './audit.ts'

export type EditorService = ReturnType<typeof createEditorService>

export function createEditorService({ database, now }: Pick<Parts, 'database' | 'now'>) {
  return {
    list: (): Promise<Editor[]> => database.stores.editors.list(),

    /** @throws DomainError `needs_person`, `editor_exists`, `invalid_address` */
    async add(wanted: { email: string; role: Role; language?: string }, actor: Actor): Promise<Editor> {
      refuseKeys(actor)
      const email = parseAddress(wanted.email).text
      return database.transaction(async (stores) => {
        if (await stores.editors.findByEmail(email)) {
          throw editorExists()
        }
        const publication = await stores.publication.get()
        const language = wanted.language ?? publication.languages[0] ?? 'en'
        const editor = await stores.editors.insert({ email, role: wanted.role, language })
        await stores.audit.insert(actor, 'editor.added', `editor:${editor.id}`, { role: wanted.role })
        return editor
      })
    },

    /**
     * A new role ends the editor's sessions; their keys may do no more than they may.
     * @throws DomainError `needs_person`, `no_editor`, `last_admin`
     */
    async changeRole(id: number, role: Role, actor: Actor): Promise<Editor> {
      return database.transaction(async (stores) => {
        await stores.editors.lock()
        const desk = await stores.editors.list()
        const editor = findEditor(desk, id)
        refuseKeys(actor)
        if (role !== 'admin') refuseLastAdmin(desk, editor)
        await stores.editors.update(id, { role })
        await stores.sessions.markEnded(id)
        await stores.audit.insert(actor, 'editor.role-changed', `editor:${id}`, {
          from: editor.role,
          to: role,
        })
        return { ...editor, role }
      })
    },

    /** Their sessions, open links and keys end with them. @throws DomainError `needs_person`, `no_editor`, `last_admin` */
    async remove(id: number, actor: Actor): Promise<void> {
      await database.transaction(async (stores) => {
        await stores.editors.lock()
        const desk = await stores.editors.list()
        const editor = findEditor(desk, id)
        refuseKeys(actor)
        refuseLastAdmin(desk, editor)
        await stores.editors.update(id, { removedAt: now() })
        await stores.sessions.markEnded(id)
        await stores.audit.insert(actor, 'editor.removed', `editor:${id}`, {
          keysRevoked: await stores.apiKeys.markRevokedOf(id),
        })
      })
    },

    /** Whose articles are theirs; null: nobody's. @throws DomainError `no_editor`, `unknown_author` */
    async changeAuthor(id: number, author: string | null, actor: Actor): Promise<Editor> {
      return database.transaction(async (stores) => {
        const editor = findEditor(await stores.editors.list(), id)
        const found =
          author === null ? null : await stores.selections.findBySlug('author', author.normalize())
        if (found === undefined) {
          const sentence = `There is no author “${author}”; take the last word of the address of their page.`
          throw invalid('unknown_author', sentence, { field: 'author' })
        }
        const slug = found?.slug ?? null
        await stores.editors.update(id, { author: slug })
        const detail = changesBetween({ author: editor.author }, { author: slug })
        await stores.audit.insert(actor, 'editor.author-changed', `editor:${id}`, detail)
        return { ...editor, author: slug }
      })
    },

    async changeLanguage(id: number, language: string): Promise<void> {
      await database.stores.editors.update(id, { language })
    },
  }
}

/** Who got hold of a key must not make themselves an editor with it. */
function refuseKeys(actor: Actor): void {
  if (actor.kind === 'key') throw needsPerson()
}

export const needsPerson = () =>
  forbidden(
    'needs_person',
    'A key does not manage the people of the desk: invite by POST /invitations, sign in to the desk, or use depeche editor.',
  )

export const editorExists = () =>
  conflict('editor_exists', 'Someone of the desk has this address already.', { field: 'email' })

export const noSuchEditor = () => notFound('no_editor', 'Nobody of the desk has this address or id.')

function findEditor(desk: Editor[], id: number): Editor {
  const editor = desk.find((one) => one.id === id)
  if (!editor) throw noSuchEditor()
  return editor
}

function refuseLastAdmin(desk: Editor[], editor: Editor): void {
  if (editor.role !== 'admin' || desk.filter(({ role }) => role === 'admin').length > 1) return
  throw conflict('last_admin', 'This is the last admin; make someone else admin first.')
}
