import { sessionIdleMs, sessionLifetimeMs, signInLinkLifetimeMs } from '../../domain/session.ts'
import { minuteMs } from '../../domain/time.ts'
import type { ListedSession, Session } from '../../store/desk/sessions.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { randomSecret, sha256 } from '../secret.ts'
import { noSuchEditor } from './editors.ts'

export type SignInService = ReturnType<typeof createSignInService>

/** Whoever asks again within this gets no second mail: the link of the first works for longer. */
const linkEveryMs = 10 * minuteMs
/** How exactly a session's last use is kept. */
const seenResolutionMs = minuteMs

/** Links that sign an editor in, once each, and the sessions they open. */
export function createSignInService(parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'now'>) {
  const { config, database, doorbell, now } = parts
  const inMs = (ms: number) => new Date(now().getTime() + ms)

  /** A one-time link for this editor, valid for half an hour. Only its hash is stored. */
  const linkFor = async (stores: Stores, editorId: number): Promise<string> => {
    const token = randomSecret()
    await stores.signInLinks.insert({
      tokenSha256: sha256(token),
      editorId,
      expiresAt: inMs(signInLinkLifetimeMs),
    })
    return `${config.publicUrl}/desk/sign-in/${token}`
  }

  return {
    /** For whoever runs the machine. @throws DomainError `no_editor` */
    async createLink(email: string): Promise<string> {
      const editor = await database.stores.editors.findByEmail(email)
      if (!editor) throw noSuchEditor()
      return linkFor(database.stores, editor.id)
    },

    /** For the mail that carries it: made when the mail is, so that nothing usable waits in the outbox. */
    createLinkFor: (editorId: number): Promise<string> => linkFor(database.stores, editorId),

    /**
     * Mails a link where the address is an editor's. Strangers who ask in their name cause a mail in ten minutes, and
     * never keep them out: a link that was mailed and not used still opens the desk.
     */
    async requestLink(email: string): Promise<void> {
      const { stores } = database
      const editor = await stores.editors.findByEmail(email)
      if (!editor) return
      const lastSignIn = await stores.signInLinks.findLastUse(editor.id)
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
    async isLinkValid(token: string): Promise<boolean> {
      return (await database.stores.signInLinks.find(sha256(token), now())) !== undefined
    },

    /** Uses the link up. @returns the session's secret for the cookie, undefined for a link that is not valid */
    async useLink(token: string, label: string): Promise<string | undefined> {
      return database.transaction(async (stores) => {
        const link = await stores.signInLinks.markUsed(sha256(token), now())
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
