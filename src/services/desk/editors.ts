import { parseAddress } from '../../domain/subscribers/address.ts'
import type { Actor, Editor, Role } from '../../domain/editor.ts'
import { sessionIdleMs, sessionLifetimeMs, signInLinkLifetimeMs } from '../../domain/session.ts'
import { conflict, forbidden, invalid, notFound } from '../../errors.ts'
import type { ListedSession, Session } from '../../store/desk/sessions.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { changesBetween } from './audit.ts'
import { randomSecret, sha256 } from '../secret.ts'
import { minuteMs } from '../../domain/time.ts'

export type EditorService = ReturnType<typeof createEditorService>

/** Whoever asks again within this gets no second mail: the link of the first works for longer. */
const linkEveryMs = 10 * minuteMs
/** How exactly a session's last use is kept. */
const seenResolutionMs = minuteMs

export function createEditorService(parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'now'>) {
  const { config, database, doorbell, now } = parts
  const inMs = (ms: number) => new Date(now().getTime() + ms)

  /** A one-time link for this editor, valid for half an hour. Only its hash is stored. */
  const createLink = async (stores: Stores, editorId: number): Promise<string> => {
    const token = randomSecret()
    await stores.sessions.insertSignInLink({
      tokenSha256: sha256(token),
      editorId,
      expiresAt: inMs(signInLinkLifetimeMs),
    })
    return `${config.publicUrl}/desk/sign-in/${token}`
  }

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
          keysRevoked: await stores.apiKeys.markRevoked({ createdBy: id }),
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

    /** For whoever runs the machine. @throws DomainError `no_editor` */
    async createSignInLink(email: string): Promise<string> {
      const editor = await database.stores.editors.findByEmail(email)
      if (!editor) throw noSuchEditor()
      return createLink(database.stores, editor.id)
    },

    /** For the mail that carries it: made when the mail is, so that nothing usable waits in the outbox. */
    createSignInLinkFor: (editorId: number): Promise<string> => createLink(database.stores, editorId),

    /**
     * Mails a link where the address is an editor's. Strangers who ask in their name cause a mail in ten minutes, and
     * never keep them out: a link that was mailed and not used still opens the desk.
     */
    async requestSignIn(email: string): Promise<void> {
      const { stores } = database
      const editor = await stores.editors.findByEmail(email)
      if (!editor) return
      const lastSignIn = await stores.sessions.findLastSignIn(editor.id)
      const period = Math.floor(now().getTime() / linkEveryMs)
      await stores.outbox.insert({
        kind: 'sign-in',
        editorId: editor.id,
        address: editor.email,
        language: editor.language,
        dedupeKey: `sign-in:${editor.id}:${lastSignIn?.getTime() ?? 0}:${period}`,
        expiresAt: inMs(signInLinkLifetimeMs),
      })
      await doorbell.ring('deliver-mail', {})
    },

    /** Whether the link would still open a session. Changes nothing: scanners follow links. */
    async isSignInLinkValid(token: string): Promise<boolean> {
      return (await database.stores.sessions.findSignInLink(sha256(token), now())) !== undefined
    },

    /** Uses the link up. @returns the session's secret for the cookie, undefined for a link that is not valid */
    async signIn(token: string, label: string): Promise<string | undefined> {
      return database.transaction(async (stores) => {
        const link = await stores.sessions.markSignInLinkUsed(sha256(token), now())
        const editor = link && (await stores.editors.find(link.editorId))
        if (!editor) return undefined
        return openSession(stores, { editorId: editor.id, label, now: now() })
      })
    },

    findSession: async (secret: string): Promise<Session | undefined> => {
      const session = await database.stores.sessions.find(sha256(secret), {
        now: now(),
        idleSince: inMs(-sessionIdleMs),
      })
      if (session && now().getTime() - session.seenAt.getTime() > seenResolutionMs) {
        await database.stores.sessions.updateSeen(session.id, now())
      }
      return session
    },

    listSessions: (editorId: number): Promise<ListedSession[]> => database.stores.sessions.list(editorId),

    endSession: (editorId: number, sessionId: number) =>
      database.stores.sessions.markEnded(editorId, sessionId),
  }
}

/** @returns the session's secret for the cookie */
export async function openSession(
  stores: Stores,
  { editorId, label, now }: { editorId: number; label: string; now: Date },
): Promise<string> {
  const secret = randomSecret()
  const expiresAt = new Date(now.getTime() + sessionLifetimeMs)
  await stores.sessions.insert({ tokenSha256: sha256(secret), editorId, label, expiresAt })
  await stores.audit.insert(`editor:${editorId}`, 'editor.signed-in')
  return secret
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

const noSuchEditor = () => notFound('no_editor', 'Nobody of the desk has this address or id.')

function findEditor(desk: Editor[], id: number): Editor {
  const editor = desk.find((one) => one.id === id)
  if (!editor) throw noSuchEditor()
  return editor
}

function refuseLastAdmin(desk: Editor[], editor: Editor): void {
  if (editor.role !== 'admin' || desk.filter(({ role }) => role === 'admin').length > 1) return
  throw conflict('last_admin', 'This is the last admin; make someone else admin first.')
}
