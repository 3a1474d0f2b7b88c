import { sql } from 'kysely'
import type { Activation, ActivationMethod, Decision, RequestKind } from '../../domain/signups/activation.ts'
import { hmacsOf, type AddressHash } from '../../domain/subscribers/address.ts'
import type { Choices } from '../../domain/subscribers/subscription.ts'
import {
  databaseTime,
  findRow,
  findValue,
  hasRow,
  listRows,
  listValues,
  rowsOf,
  run,
  type Executor,
} from '../executor.ts'
import { prepared } from '../prepared.ts'

export interface NewActivation {
  kind: RequestKind
  address: string
  limit: AddressHash
  language: string
  wanted: Choices
  form: string
  isMailable: boolean
  createdAt: Date
  expiresAt: Date
  browserSha256?: Buffer | undefined
  subscriberId?: number | undefined
  decideAt?: Date | undefined
  /** What was agreed to, kept as proof. */
  consent: {
    text: string
    policyVersion: string
    ipPrefix: string | undefined
    userAgentSha256: Buffer | undefined
    basis?: string | undefined
    /** As an import states them. */
    givenAt?: Date | undefined
    source?: string | undefined
  }
}

export interface MailedCount {
  lastHour: number
  /** Of all that were mailed, by clicks within the last hour. */
  answered: number
  /** An hour. */
  usual: number
}

export interface WaitingSignups {
  count: number
  since: Date
  /** Where most of them are. */
  domain: string
}

export function activationsStore(db: Executor) {
  const select = () => db.selectFrom('activations').selectAll().$castTo<Activation>()

  return {
    /**
     * Requests and their consent records in one statement, the same for every address: whether somebody is known
     * cannot be told from what it does or how long it takes.
     */
    async insert(...requests: NewActivation[]): Promise<void> {
      await run(db)`${prepared}
        with given as materialized (
          select gen_random_uuid() as id, * from jsonb_to_recordset(${JSON.stringify(requests.map(toRecord))}::jsonb)
            as record (kind text, "subscriberId" bigint, address text, "limitHmac" bytea, "keyId" text, language text,
              wanted jsonb, form text, "browserSha256" bytea, "isMailable" boolean, "createdAt" timestamptz,
              "decideAt" timestamptz, "expiresAt" timestamptz, "text" text, "policyVersion" text, basis text,
              "ipPrefix" text, "userAgentSha256" bytea, "givenAt" timestamptz, source text)
        ), requested as (
          insert into activations (id, kind, subscriber_id, address, limit_hmac, key_id, language, wanted, form,
            browser_sha256, is_mailable, created_at, decide_at, expires_at)
          select id, kind, "subscriberId", address, "limitHmac", "keyId", language, wanted, form, "browserSha256",
            "isMailable", "createdAt", coalesce("decideAt", clock_timestamp()), "expiresAt" from given
        )
        insert into consents (at, event, activation_id, newsletter_id, form, consent_text, consent_text_sha256,
          locale, policy_version, basis, ip_prefix, user_agent_sha256, given_at, source)
        select "createdAt", 'requested', given.id, n.id, form, "text", sha256(convert_to("text", 'UTF8')),
          given.language, "policyVersion", basis, "ipPrefix", "userAgentSha256", "givenAt", source
        from given join newsletters n on wanted -> 'newsletters' ? n.slug`
    },

    find: (id: string): Promise<Activation | undefined> => select().where('id', '=', id).executeTakeFirst(),

    /** The same, held until the transaction ends: two clicks follow each other. */
    lock: (id: string): Promise<Activation | undefined> =>
      select().where('id', '=', id).forUpdate().executeTakeFirst(),

    /**
     * The next requests to decide, claimed until the transaction ends; domains under a flood wait, with all below them,
     * and those of an import until no import runs: a later row of its file may say that this person has left.
     */
    claimUndecided: (held: string[], limit: number): Promise<Activation[]> =>
      select()
        .where('decidedAt', 'is', null)
        .where('decideAt', '<=', databaseTime)
        .where(
          sql<boolean>`(form <> 'import'
            or not exists (select from imports where imports.state in ('waiting', 'running') and not is_dry_run))`,
        )
        .where(
          sql<boolean>`not exists (select from unnest(${held}::text[]) name
            where right('.' || split_part(address, '@', 2), length(name) + 1) = '.' || name)`,
        )
        .orderBy('decideAt')
        .limit(limit)
        .forUpdate()
        .skipLocked()
        .execute(),

    /** Ends the wait of requests; `subscriberId` as soon as there is one. */
    async markDecided(decided: { id: string; decision: Decision; subscriberId?: number | undefined }[]) {
      await run(db)`
        update activations a set decision = given.decision, decided_at = clock_timestamp(),
          mailed_at = case when given.decision = 'mailed' then clock_timestamp() else mailed_at end,
          subscriber_id = coalesce(given.subscriber_id, a.subscriber_id)
        from unnest(${decided.map(({ id }) => id)}::uuid[], ${decided.map(({ decision }) => decision)}::text[],
          ${decided.map(({ subscriberId }) => subscriberId ?? null)}::bigint[]) as given (id, decision, subscriber_id)
        where a.id = given.id`
    },

    markActivated: (id: string, method: ActivationMethod, subscriberId: number, at: Date) =>
      rowsOf(db, 'activations', { id }).update({ activatedAt: at, method, subscriberId }),

    /** What else somebody asked for as their address, by links to the one that they no longer have. */
    deleteOpenMoves: (subscriberId: number) => run(db)`
      delete from activations
      where subscriber_id = ${subscriberId} and kind = 'address-change' and activated_at is null`,

    /** Whether somebody has another address since: what was mailed before proves nothing of them any more. */
    hasMoved: (subscriberId: number, since: Date) => hasRow(db)`
      select from activations
      where subscriber_id = ${subscriberId} and kind = 'address-change' and activated_at >= ${since}`,

    /** The address goes with the request; what is left lets the page say so. */
    markRefused: (id: string, at: Date) =>
      rowsOf(db, 'activations', { id }).update({ refusedAt: at, address: null, subscriberId: null }),

    /** When the last request that an import wrote down, and that still waits, is to be decided. */
    findLastImported: () => findValue<Date>(db)`
      select max(decide_at) from activations where decided_at is null and form = 'import'`,

    /** Puts off a request whose decision failed, so that it does not stand in the way of the others. */
    updateDecideAt: (id: string, minutes: number) =>
      rowsOf(db, 'activations', { id }).update({
        decideAt: sql<Date>`clock_timestamp() + make_interval(mins => ${minutes})`,
      }),

    /** Decisions about this person of these kinds, newest first, within so many days. */
    listDecided: (limits: AddressHash[], decision: Decision, of: { kind: RequestKind; days: number }) =>
      listValues<Date>(db)`
      select decided_at from activations
      where limit_hmac = any(${hmacsOf(limits)}::bytea[]) and kind = ${of.kind} and decision = ${decision}
        and decided_at > clock_timestamp() - make_interval(days => ${of.days})`,

    /** Mails that ask to confirm something, of the last hour, and the hourly mean of the week before: of the site, and by domain. */
    async countMailed(): Promise<{ site: MailedCount; domains: (MailedCount & { domain: string })[] }> {
      const domain = sql`coalesce(split_part(address, '@', 2), '')`
      const rows = await listRows<MailedCount & { domain: string | null }>(db)`
        select ${domain} as "domain",
          count(*) filter (where decided_at > now() - interval '1 hour') as "lastHour",
          count(*) filter (where activated_at > now() - interval '1 hour') as "answered",
          count(*) filter (where decided_at <= now() - interval '1 hour') / 168.0 as "usual"
        from (
          select address, decided_at, activated_at from activations
          where decision = 'mailed' and form <> 'import' and decided_at > now() - interval '7 days'
          union all
          select r.address, w.mailed_at, w.held_at from written_responses w left join responders r on r.id = w.responder_id
          where w.mailed_at > now() - interval '7 days'
        ) mails
        group by grouping sets ((${domain}), ())
        having grouping(${domain}) = 1 or count(*) filter (where decided_at > now() - interval '1 hour') > 0`
      return {
        site: rows.find((row) => row.domain === null) ?? { lastHour: 0, answered: 0, usual: 0 },
        domains: rows.flatMap(({ domain: name, ...count }) =>
          name === null ? [] : [{ domain: name, ...count }],
        ),
      }
    },

    /** Requests whose decision is overdue, which is where a flood waits. */
    findWaiting: (minutes: number) => findRow<WaitingSignups>(db)`
      select count(*) as "count", min(decide_at) as "since",
        coalesce(mode() within group (order by split_part(address, '@', 2)), '') as "domain"
      from activations
      where decided_at is null and decide_at < clock_timestamp() - make_interval(mins => ${minutes})
      having count(*) > 0`,

    /** Mailed a day ago and still open: the newest request of each person, once. */
    claimForReminder: () => findRow<Activation>(db)`
      update activations set reminded_at = clock_timestamp()
      where id = (
        select a.id from activations a
        where a.decision = 'mailed' and a.kind = 'signup' and a.form <> 'import' and a.reminded_at is null
          and a.activated_at is null and a.refused_at is null and a.address is not null
          and a.decided_at between clock_timestamp() - interval '3 days' and clock_timestamp() - interval '24 hours'
          and a.expires_at > clock_timestamp() + interval '1 hour'
          and not exists (
            select from activations b
            where b.limit_hmac = a.limit_hmac and b.id <> a.id
              and (b.created_at > a.created_at or b.reminded_at is not null))
        order by a.decided_at limit 1
        for update skip locked)
      returning *`,

    /** Unconfirmed requests that expired before; with the proof that nobody gave. Returns who had been written down. */
    async deleteExpired(before: Date, limit: number): Promise<{ requests: number; subscriberIds: number[] }> {
      const whose = await listValues<number | null>(db)`
        with old as (
          select id from activations
          where expires_at < ${before} and activated_at is null
          order by expires_at limit ${limit}
          for update skip locked
        ), proofless as (
          delete from consents using old
          where consents.activation_id = old.id and consents.event in ('requested', 'refused')
        )
        delete from activations using old where activations.id = old.id
        returning activations.subscriber_id as "subscriberId"`
      const ids = new Set(whose.filter((id) => id !== null))
      return { requests: whose.length, subscriberIds: [...ids] }
    },

    /** What is left of activated requests once nobody can use the link: their consent record has it all. */
    deleteActivated: (before: Date, limit: number) => run(db)`
      delete from activations where id in (
        select id from activations where expires_at < ${before} and activated_at is not null limit ${limit}
        for update skip locked)`,

    /** What an import asked of people who, as a later row says, have left. Its consent record goes with each. */
    async deleteUndecidedImported(subscriberIds: number[]): Promise<void> {
      if (subscriberIds.length === 0) return
      await run(db)`
        with gone as (
          delete from activations
          where subscriber_id = any (${subscriberIds}) and form = 'import' and decided_at is null
          returning id
        )
        delete from consents using gone where consents.activation_id = gone.id`
    },

    async deleteOf(subscriberId: number, address: string): Promise<void> {
      await run(db)`
        delete from activations where subscriber_id = ${subscriberId} or lower(address) = lower(${address})`
    },
  }
}

/** Buffers as JSON can hold them. */
const toRecord = ({ limit, consent, ...request }: NewActivation) => ({
  ...request,
  ...consent,
  keyId: limit.keyId,
  limitHmac: toHex(limit.hmac),
  browserSha256: toHex(request.browserSha256),
  userAgentSha256: toHex(consent.userAgentSha256),
})

const toHex = (bytes: Buffer | undefined) => bytes && `\\x${bytes.toString('hex')}`
