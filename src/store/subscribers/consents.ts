import { sql } from 'kysely'
import { findValue, listRows, run, type Executor } from '../executor.ts'

export type ConsentEvent = 'activated' | 'refused' | 'imported' | 'changed' | 'ended' | 'restored'

export interface NewConsent {
  event: ConsentEvent
  newsletterIds: number[]
  subscriberId?: number | undefined
  activationId?: string | undefined
  method?: string
  basis?: string
  form?: string
  locale?: string
  policyVersion?: string
  messageId?: string | undefined
  reason?: string
  at?: Date
  /** When consent was given, and where, as an import states it. */
  givenAt?: Date
  source?: string
}

const hex = (column: string) => sql<string | null>`encode(${sql.ref(column)}, 'hex')`

const select = (db: Executor) =>
  db
    .selectFrom('consents as c')
    .leftJoin('newsletters as n', 'n.id', 'c.newsletterId')
    .select(['c.at', 'c.givenAt', 'c.source', 'c.event', 'c.newsletterId', 'n.slug as newsletter'])
    .select(['c.form', 'c.consentText', hex('c.consentTextSha256').as('consentTextSha256'), 'c.locale'])
    .select(['c.policyVersion', 'c.method', 'c.basis', 'c.ipPrefix', 'c.messageId', 'c.reason'])
    .select(hex('c.userAgentSha256').as('userAgentSha256'))

/** Of somebody, with what they asked for before they were known: each by an index, where an `or` would read all. */
const idsOf = (subscriberId: number) => sql<number>`(
  select id from consents where subscriber_id = ${subscriberId}
  union
  select asked.id from consents own join consents asked on asked.activation_id = own.activation_id
  where own.subscriber_id = ${subscriberId})`

export type ConsentEntry = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number]

/** Append-only: what was asked, when, by which form and text, and how it ended. */
export function consentsStore(db: Executor) {
  return {
    /** One row for each newsletter of each. */
    async insert(...consents: NewConsent[]): Promise<void> {
      const rows = consents.flatMap(({ newsletterIds, ...rest }) =>
        newsletterIds.map((newsletterId) => ({ ...rest, newsletterId })),
      )
      if (rows.length === 0) return
      // One parameter: an import writes hundreds at once, and to build a statement of that many values costs more than it.
      await run(db)`
        insert into consents (at, event, newsletter_id, subscriber_id, activation_id, method, basis, form, locale,
          policy_version, message_id, reason, given_at, source)
        select coalesce(at, clock_timestamp()), event, "newsletterId", "subscriberId", "activationId", method, basis,
          form, locale, "policyVersion", "messageId", reason, "givenAt", source
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as record
          (at timestamptz, event text, "newsletterId" bigint, "subscriberId" bigint, "activationId" uuid, method text,
            basis text, form text, locale text, "policyVersion" text, "messageId" text, reason text,
            "givenAt" timestamptz, source text)`
    },

    /** The Message-ID of the mail whose link was used: part of the proof. */
    findMessageId: (activationId: string) => findValue<string>(db)`
      select message_id from outbox where activation_id = ${activationId} and message_id is not null
      order by id desc`,

    /** Oldest first, with the requests that led to an activation. */
    list: (subscriberId: number): Promise<ConsentEntry[]> =>
      select(db).where('c.id', 'in', idsOf(subscriberId)).orderBy('c.at').orderBy('c.id').execute(),

    /** Who activated what by themselves, of these subscribers. */
    async listActivated(subscriberIds: number[]) {
      if (subscriberIds.length === 0) return []
      return listRows<{ subscriberId: number; newsletterId: number }>(db)`
        select distinct subscriber_id, newsletter_id from consents
        where subscriber_id = any (${subscriberIds}) and event = 'activated' and newsletter_id is not null`
    },

    /** Where somebody was, and by which browser, goes with the person; that they agreed, and when, stays. */
    async updateErased(subscriberId: number): Promise<void> {
      await run(db)`
        update consents set ip_prefix = null, user_agent_sha256 = null, message_id = null
        where id in ${idsOf(subscriberId)}`
    },
  }
}
