import { sql } from 'kysely'
import type { Role } from '../../domain/editor.ts'
import { findRow, getValue, hasRow, listRows, listValues, run, type Executor } from '../executor.ts'

/** A colleague who was asked to the desk, and has not come yet. */
export interface Invitation {
  id: number
  email: string
  role: Role
  /** Address of whoever asked, or whose key did; null for the command line. */
  invitedBy: string | null
  createdAt: Date
  expiresAt: Date
}

/** What a link names: when it is mailed again, it names another end. */
export type InvitationRef = Pick<Invitation, 'id' | 'expiresAt'>

export function invitationStore(db: Executor) {
  const isOpen = sql`i.accepted_at is null and i.withdrawn_at is null`
  const inviter = sql`left join editors e on e.id = i.invited_by`
  /** Whoever asked is at the desk still. */
  const holds = ({ id, expiresAt }: InvitationRef, now: Date) => sql`
    i.id = ${id} and i.expires_at = ${expiresAt} and i.expires_at > ${now} and ${isOpen}
    and not exists (select from editors e where e.id = i.invited_by and e.removed_at is not null)`

  return {
    list: () => listRows<Invitation>(db)`
      select i.id, i.email, i.role, e.email as "invitedBy", i.created_at as "createdAt", i.expires_at as "expiresAt"
      from invitations i ${inviter} where ${isOpen} order by i.id`,

    /** Open ones that a program has sent with this key. */
    listOfKey: (keyId: number) => listValues<number>(db)`
      select i.id from invitations i
      where ${isOpen} and exists (
        select from audit a
        where a.subject = 'invitation:' || i.id and a.action = 'invitation.sent' and a.actor = ${`key:${keyId}`})`,

    /** The open one of this address begins anew. */
    async put(invitation: {
      email: string
      role: Role
      invitedBy: number | null
      expiresAt: Date
    }): Promise<number> {
      const { email, role, invitedBy, expiresAt } = invitation
      return getValue<number>(db)`
        insert into invitations as i (email, role, invited_by, expires_at)
        values (${email}, ${role}, ${invitedBy}, ${expiresAt})
        on conflict (lower(email)) where accepted_at is null and withdrawn_at is null
        do update set email = excluded.email, role = excluded.role, invited_by = excluded.invited_by,
          expires_at = excluded.expires_at
        returning id`
    },

    has: (ref: InvitationRef, now: Date) => hasRow(db)`select from invitations i where ${holds(ref, now)}`,

    /** Uses the link up: of several clicks at once, one gets the invitation. */
    markAccepted: (ref: InvitationRef, now: Date) => findRow<{
      email: string
      role: Role
      inviterRole: Role | null
    }>(db)`
      update invitations i set accepted_at = ${now} where ${holds(ref, now)}
      returning i.email, i.role,
        (select e.role from editors e where e.id = i.invited_by) as "inviterRole"`,

    /** Those that have ended, in whatever way, before then. */
    async deleteBefore(before: Date): Promise<void> {
      await run(db)`
        delete from invitations where least(accepted_at, withdrawn_at, expires_at) < ${before}`
    },

    /** The mail that has not gone yet goes no more. False where there is none to withdraw. */
    async markWithdrawn(id: number): Promise<boolean> {
      const isWithdrawn = await hasRow(db)`
        update invitations i set withdrawn_at = now() where i.id = ${id} and ${isOpen} returning i.id`
      await run(db)`
        update outbox set state = 'skipped', reason = 'withdrawn'
        where kind = 'invitation' and payload ->> 'invitationId' = ${String(id)}
          and state in ('pending', 'deferred')`
      return isWithdrawn
    },
  }
}
