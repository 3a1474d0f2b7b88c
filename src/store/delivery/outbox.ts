import { sql } from 'kysely'
import type { SendingTimes } from '../../domain/delivery/sending-times.ts'
import type { Choices } from '../../domain/subscribers/subscription.ts'
import type { NoticeText } from '../../domain/notice.ts'
import { run, type Executor } from '../executor.ts'
import { suspectsOn } from './suspects.ts'
import { leasesOn, type Ledger, type Lease } from './ledger.ts'

export type MailKind =
  | 'activation'
  | 'reminder'
  | 'already-subscribed'
  | 'preferences-link'
  | 'address-change'
  | 'address-changed'
  | 'newsletter-ended'
  | 'welcome'
  | 'sign-in'
  | 'digest-test'
  | 'desk-notice'
  | 'invitation'
  | 'response'

/** What a mail needs beyond the rows it names; never a usable token. */
interface Payloads {
  'already-subscribed': { newsletters: string[] }
  'newsletter-ended': { newsletter: string }
  welcome: { newsletter: string }
  'digest-test': { digestId: number; articleIds: number[]; contentHash: string }
  'desk-notice': NoticeText
  invitation: { invitationId: number; until: number }
  response: { responseId: number }
}

type WithPayload =
  | { [Kind in keyof Payloads]: { kind: Kind; payload: Payloads[Kind] } }[keyof Payloads]
  | { kind: Exclude<MailKind, keyof Payloads>; payload?: undefined }

/** One personal mail to write. Its address is that of the activation, the subscriber or the editor; else `address`. */
export type NewMail = WithPayload & {
  activationId?: string
  subscriberId?: number
  editorId?: number
  responderId?: number
  address?: string
  language?: string
  /** Why it is not sent. */
  reason?: string | undefined
  /** A second mail under the same key is not written. */
  dedupeKey?: string
  /** Default: in 7 days. */
  expiresAt?: Date
}

/** A claimed mail with what its message needs. */
export type ClaimedMail = Lease &
  WithPayload & {
    address: string
    language: string | null
    activationId: string | null
    subscriberId: number | null
    editorId: number | null
    suspectAt: Date | null
    expiresAt: Date
    /** Of the activation: what was chosen, and until when its link works. */
    wanted: Choices | null
    linkExpiresAt: Date | null
  }

// The limits on activation mail are counted where a request is decided; here only what may have changed since.
const objection = sql<string | null>`(
  select case
    when m.expires_at <= statement_timestamp() then 'expired'
    when a.refused_at is not null then 'refused'
    when a.activated_at is not null and m.kind <> 'address-changed' then 'activated'
    when a.expires_at <= statement_timestamp() and m.kind <> 'address-changed' then 'expired'
    when not a.is_mailable then 'limited'
    when exists (
      select from activation_blocks b
      where b.limit_hmac = a.limit_hmac and b.blocked_until > statement_timestamp()) then 'blocked'
    when m.kind = 'welcome' and not exists (
      select from subscriptions s join newsletters n on n.id = s.newsletter_id
      where s.subscriber_id = m.subscriber_id and n.slug = m.payload ->> 'newsletter' and s.state = 'active')
      then 'unsubscribed'
    when m.editor_id is not null and (e.id is null or e.removed_at is not null) then 'removed'
    when coalesce(m.address, a.address, p.address, e.email) is null then 'erased'
  end
  from (select) as one
  left join activations a on a.id = m.activation_id
  left join subscribers p on p.id = m.subscriber_id
  left join editors e on e.id = m.editor_id
)`

const ledger: Ledger<ClaimedMail> = {
  table: sql`outbox`,
  onClaim: sql``,
  // Consent records name the mail that was answered.
  onCommit: sql`message_id = locked.message_id,`,
  isCurrent: sql<boolean>`true`,
  key: sql`id`,
  scope: sql<boolean>`true`,
  scopeColumns: sql``,
  isOpen: sql<boolean>`true`,
  sameAs: (other) => sql<boolean>`m.id = ${sql.ref(`${other}.id`)}`,
  objection,
  address: sql<string | null>`(
    select coalesce(m.address, a.address, p.address, e.email)
    from (select) as one
    left join activations a on a.id = m.activation_id
    left join subscribers p on p.id = m.subscriber_id
    left join editors e on e.id = m.editor_id
  )`,
  expiresAt: sql<Date | null>`m.expires_at`,
  probeAt: sql<Date | null>`null::timestamptz`,
  isUnderWay: sql<boolean>`true`,
  // Nobody waits at a desk for a doubtful activation mail, and a second copy of it does no harm.
  policy: sql<string>`'resend_once'`,
  // A person waits for it, and worse than a third copy is none; a mail that kills its workers has an end all the same.
  deaths: 5,
  joins: sql`
    left join activations a on a.id = picked.activation_id
    left join subscribers p on p.id = picked.subscriber_id
    left join editors e on e.id = picked.editor_id`,
  columns: sql<ClaimedMail>`
    m.kind, coalesce(m.address, a.address, p.address, e.email) as address,
    coalesce(m.language, a.language, p.language, e.language) as language,
    m.activation_id, m.subscriber_id, m.editor_id, m.payload, m.suspect_at, m.expires_at,
    a.wanted, a.expires_at as link_expires_at`,
}

export function outboxStore(db: Executor, hot: Executor) {
  return {
    leases: (times: SendingTimes) => ({
      ...leasesOn({ db, hot }, ledger, times),
      ...suspectsOn(db, ledger, times),
    }),

    /** The new row's id; undefined where the dedupe key was taken. Ring `deliver-mail` after the commit. */
    async insert(mail: NewMail): Promise<number | undefined> {
      const row = await db
        .insertInto('outbox')
        .values({
          ...mail,
          ...(mail.reason !== undefined && { state: 'skipped' }),
          payload: JSON.stringify(mail.payload ?? {}),
        })
        .onConflict((conflict) => conflict.column('dedupeKey').doNothing())
        .returning('id')
        .executeTakeFirst()
      return row?.id
    },

    /** Of many, without keys, in their order. */
    async insertAll(mails: NewMail[]): Promise<void> {
      if (mails.length === 0) return
      await db
        .insertInto('outbox')
        .values(mails.map((mail) => ({ ...mail, payload: JSON.stringify(mail.payload ?? {}) })))
        .execute()
    },

    /** What a worker could not write, as one of the version before cannot write a kind that it does not know: five times. */
    async retryUnwritten(): Promise<void> {
      await run(db)`
        update outbox set state = 'pending', reason = null
        where state = 'rejected' and reason = 'not_written' and attempt < 5 and expires_at > now()`
    },
  }
}
