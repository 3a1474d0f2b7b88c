import type { Executor } from './executor.ts'

export type MailKind =
  | 'activation'
  | 'reminder'
  | 'already-subscribed'
  | 'preferences-link'
  | 'address-change'
  | 'address-changed'
  | 'sign-in'
  | 'digest-test'
  | 'desk-notice'

/** One personal mail to write. Its address is that of the activation, the subscriber or the editor; else `address`. */
export interface NewMail {
  kind: MailKind
  activationId?: string
  subscriberId?: number
  editorId?: number
  address?: string
  language?: string
  /** What the template needs beyond those rows; never a usable token. */
  payload?: Record<string, unknown>
  /** A second mail under the same key is not written. */
  dedupeKey?: string
  /** Default: in 7 days. */
  expiresAt?: Date
}

export function outboxStore(db: Executor) {
  return {
    /** The new row's id; undefined where the dedupe key was taken. Ring `deliver-mail` after the commit. */
    async insert(mail: NewMail): Promise<number | undefined> {
      const row = await db
        .insertInto('outbox')
        .values({
          kind: mail.kind,
          activationId: mail.activationId ?? null,
          subscriberId: mail.subscriberId ?? null,
          editorId: mail.editorId ?? null,
          address: mail.address ?? null,
          language: mail.language ?? null,
          payload: JSON.stringify(mail.payload ?? {}),
          dedupeKey: mail.dedupeKey ?? null,
          ...(mail.expiresAt && { expiresAt: mail.expiresAt }),
        })
        .onConflict((conflict) => conflict.column('dedupeKey').doNothing())
        .returning('id')
        .executeTakeFirst()
      return row?.id
    },
  }
}
