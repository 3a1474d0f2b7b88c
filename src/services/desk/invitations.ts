import { parseAddress } from '../../domain/subscribers/address.ts'
import { lowerRole, mayActAs, type Actor, type Role } from '../../domain/editor.ts'
import { atField, forbidden, notFound } from '../../errors.ts'
import type { Invitation, InvitationRef } from '../../store/desk/invitations.ts'
import type { Parts } from '../parts.ts'
import { editorExists, needsPerson } from './editors.ts'
import { holdKey } from './keys.ts'
import { openSession } from './sign-in.ts'
import { withdrawInvitation } from './withdraw-invitation.ts'
import { dayMs } from '../../domain/time.ts'

const lifetimeMs = 7 * dayMs

/** Colleagues are asked to the desk by mail: its link makes them an editor and signs them in. */
export function createInvitationService(
  parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'keyring' | 'now'>,
) {
  const { config, database, doorbell, keyring, now } = parts

  const open = (token: string): InvitationRef | undefined => {
    const [, id, until] = /^(\d+)-(\d+)$/.exec(keyring.open('invitation', token) ?? '') ?? []
    return id === undefined ? undefined : { id: Number(id), expiresAt: new Date(Number(until)) }
  }

  return {
    /** Those that nobody has accepted yet, also when their time is over. */
    list: (): Promise<Invitation[]> => database.stores.invitations.list(),

    /**
     * Mails an invitation for seven days. Whoever is asked again gets another link, and the first one works no more.
     * @throws DomainError `editor_exists`, `role_above_own`, `needs_person` for an admin asked by a key, `invalid_address`
     */
    async invite(wanted: { email: string; role: Role }, actor: Actor): Promise<Invitation> {
      const { role } = wanted
      if (!mayActAs(actor.role, role)) throw isAbove()
      if (actor.kind === 'key' && role === 'admin') throw needsPerson()
      const email = parseAddress(wanted.email).text
      const expiresAt = new Date(now().getTime() + lifetimeMs)
      const invitation = await database.transaction(async (stores) => {
        if (await stores.editors.findByEmail(email)) throw editorExists()
        const invitedBy = actor.kind === 'key' ? (await holdKey(stores, actor.id)).createdBy : idOf(actor)
        const id = await stores.invitations.put({ email, role, invitedBy, expiresAt })
        const publication = await stores.publication.get()
        await stores.outbox.insert({
          kind: 'invitation',
          address: email,
          language: publication.languages[0] ?? 'en',
          payload: { invitationId: id, until: expiresAt.getTime() },
          expiresAt,
        })
        await stores.audit.insert(actor, 'invitation.sent', `invitation:${id}`, { role })
        return (await stores.invitations.list()).find((one) => one.id === id)
      })
      await doorbell.ring('deliver-mail', {})
      if (!invitation) throw new Error('an invitation vanished while it was sent')
      return invitation
    },

    /** @throws DomainError `no_invitation` */
    async withdraw(id: number, actor: Actor): Promise<void> {
      await database.transaction(async (stores) => {
        if (!(await withdrawInvitation(stores, id, actor)))
          throw notFound('no_invitation', 'There is no open invitation of this id.')
      })
    },

    /** For the mail that carries it; nothing of it is stored. */
    linkOf: ({ invitationId, until }: { invitationId: number; until: number }): string =>
      `${config.publicUrl}/desk/sign-in/${keyring.seal('invitation', `${invitationId}-${until}`)}`,

    /** Whether the link would still make an editor. Changes nothing: scanners follow links. */
    async isOpen(token: string): Promise<boolean> {
      const ref = open(token)
      return ref !== undefined && database.stores.invitations.has(ref, now())
    },

    /**
     * Makes the editor, with no more rights than whoever asked has now, and opens their session.
     * @returns the session's secret for the cookie, undefined for a link that is not valid
     */
    async accept(token: string, label: string): Promise<string | undefined> {
      const ref = open(token)
      return (
        ref &&
        database.transaction(async (stores) => {
          const found = await stores.invitations.markAccepted(ref, now())
          if (!found) return undefined
          const { email, inviterRole } = found
          const role = lowerRole(found.role, inviterRole ?? 'admin')
          const { languages } = await stores.publication.get()
          const editor =
            (await stores.editors.findByEmail(email)) ??
            (await stores.editors.insert({ email, role, language: languages[0] ?? 'en' }))
          await stores.audit.insert(`editor:${editor.id}`, 'invitation.accepted', `invitation:${ref.id}`, {
            role,
          })
          return openSession(stores, { editorId: editor.id, label, now: now() })
        })
      )
    },
  }
}

export type InvitationService = ReturnType<typeof createInvitationService>

const idOf = (actor: Actor): number | null => (actor.kind === 'editor' ? actor.id : null)

const isAbove = () =>
  forbidden(
    'role_above_own',
    'Nobody is asked to the desk with a higher role than your own.',
    atField('role', 'must be your own role, or a lower one'),
  )
