import { sql, type RawBuilder } from 'kysely'
import type { SendingTimes } from '../../domain/delivery/sending-times.ts'
import { spreadReason } from '../../domain/delivery/delivery.ts'
import { type Executor, findValue, getValue, listRows, listValues, run, seconds } from '../executor.ts'
import { notHeld } from './instance-guard.ts'
import { prepared } from '../prepared.ts'

/** One row as its worker holds it. A new claim makes a new token: the statements of an earlier holder find nothing. */
export interface Lease {
  key: number
  token: string
}

/** What a conversation tells of its mail: with an answer the server has taken it, without one it has all but the final dot. */
export type Told =
  | (Lease & { answer?: undefined; messageId?: string | undefined })
  | { key: number; token?: undefined; messageId?: undefined; answer: string }

/** Rows of silent workers that one statement takes up. */
const recoveredAtOnce = 1_000

/** A table of mail to send, as the machine needs to know it. Fragments call its row `m`. */
export interface Ledger<Row> {
  table: RawBuilder<unknown>
  /** The column that names a row within the scope. */
  key: RawBuilder<unknown>
  /** Which rows a worker works on: one digest's, or all. */
  scope: RawBuilder<boolean>
  /** Whether rows of the scope may be claimed at all now. */
  isOpen: RawBuilder<boolean>
  /** The columns of the primary key beside `key`, each followed by a comma: `sameAs` compares them too. */
  scopeColumns: RawBuilder<unknown>
  /** Whether two rows are one: `m` and the named other. */
  sameAs: (other: string) => RawBuilder<boolean>
  /** Why this mail may not go now, null where it may. `waiting` keeps it, `expired` ends it, all others skip it. */
  objection: RawBuilder<string | null>
  /** Whom it is for; null once erased. */
  address: RawBuilder<string | null>
  /** No attempt is made after it. */
  expiresAt: RawBuilder<Date | null>
  /** When the relay is asked again for all of the scope; null where each row has its own time. */
  probeAt: RawBuilder<Date | null>
  /** Whether a mail that was rejected may still be sent after all. */
  isUnderWay: RawBuilder<boolean>
  policy: RawBuilder<string>
  /** After so many deaths of workers that left a row in doubt it is tried again; after one more it is not. */
  deaths: number
  /** What a claim returns of a row beyond its lease; joins may refer to `picked`. */
  joins: RawBuilder<unknown>
  columns: RawBuilder<Row>
  /** What a claim changes of a row beyond its lease, each followed by a comma. */
  onClaim: RawBuilder<unknown>
  /** What is kept of a mail that may go, each followed by a comma. */
  onCommit: RawBuilder<unknown>
  /** Whether what was claimed is still what may go. Not an objection: a new claim puts it right. */
  isCurrent: RawBuilder<boolean>
}

/** Why a mail failed: a fixed word, and what the server said. */
export interface Failure {
  reason: string
  answer: string
}

/** Where the statements of the machine run: those that come with every mail are `hot`. */
export interface LeaseExecutors {
  db: Executor
  hot: Executor
}

/**
 * The life of a mail between `pending` and its end, the same for every table. Each method is one statement that
 * succeeds only from the states it names; all times are the database's.
 *
 * A statement that changes several rows first locks them in the order of their keys, or skips what is locked: whatever
 * their plans, two that meet at the same rows never wait for each other in a circle.
 */
export function leasesOn<Row>({ db, hot }: LeaseExecutors, ledger: Ledger<Row>, times: SendingTimes) {
  const { table, key, scope } = ledger
  const leaseEnd = sql`clock_timestamp() + ${seconds(times.leaseSeconds)}`
  /**
   * Rows by their keys, as `given`. Materialized, so that the table can be read by what is given alone: left to choose,
   * the planner reads all of a digest whose size it does not know.
   */
  const given = (rows: readonly Told[]) => sql`
    given as materialized (
      select ${ledger.scopeColumns} k.*
      from unnest(${rows.map((row) => row.key)}::bigint[], ${rows.map((row) => row.token ?? null)}::uuid[],
        ${rows.map((row) => row.answer ?? null)}::text[], ${rows.map((row) => row.messageId ?? null)}::text[])
        as k (${key}, token, answer, message_id))`
  const isGiven = ledger.sameAs('given')
  /** A given row that is still its worker's. `m.state || ''` fits no index: that of rows in hand is full of dead entries. */
  const isHeld = (...states: string[]) => sql`
    m.lease_token = given.token and (m.state || '') in (${sql.join(states.map((state) => sql.lit(state)))})`
  const isInHand = (...states: string[]) => sql`${isGiven} and ${isHeld(...states)}`
  const isMine = isInHand('claimed', 'committing')
  /** Of the given rows those that fit, as `locked`, held by key. */
  const lockedWhere = (which: RawBuilder<unknown>) => sql`
    locked as materialized (
      select given.* from given join ${table} m on ${which} order by given.${key} for update of m)`
  const isLocked = ledger.sameAs('locked')
  const waits = times.backOffMinutes.map((minutes) => minutes * 60)
  // Jitter keeps a crowd that failed together from coming back together.
  const nextAt = sql`(clock_timestamp() + (0.8 + 0.4 * random())
    * make_interval(secs => (${waits}::double precision[])[least(m.attempt + 1, ${waits.length}::int)]))`

  return {
    /**
     * Takes up to `limit` pending rows past key `after`, in order. Rows nobody wants any more are skipped on the way,
     * so a claim may return fewer rows than there are: `examined` tells an empty table from that.
     * @param avoided domains of addresses that are passed over
     */
    async claim(limit: number, after: number, avoided: readonly string[] = []) {
      const elsewhere =
        avoided.length === 0
          ? sql``
          : sql`and lower(split_part(${ledger.address}, '@', 2)) <> all(${avoided}::text[])`
      // Past a key rather than from the start: rows just claimed leave dead index entries that every claim would re-read.
      const rows = await listRows<Lease & Row & { state: string }>(db)`${prepared}
        with picked as materialized (
          select m.*, ${ledger.objection} as objection
          from ${table} m
          where ${scope} and m.state = 'pending' and m.${key} > ${after} and ${ledger.isOpen} and ${notHeld} ${elsewhere}
          order by m.${key}
          limit ${limit}
          for update of m skip locked
        )
        update ${table} m
        set state = case when picked.objection is null then 'claimed' else ${stateAfter('picked.objection')} end,
            reason = picked.objection,
            lease_token = case when picked.objection is null then gen_random_uuid() end,
            lease_until = case when picked.objection is null then ${leaseEnd} end,
            ${ledger.onClaim} next_at = null
        from picked ${ledger.joins}
        where ${scope} and m.${key} = picked.${key}
        returning m.state, m.${key} as key, m.lease_token as token, ${ledger.columns}`
      const last = rows.reduce((max, row) => Math.max(max, row.key), after)
      const claimed = rows.filter((row) => row.state === 'claimed').sort((a, b) => a.key - b.key)
      return { claimed, examined: rows.length, last }
    },

    /** Whether a claim might find something. */
    hasPending: () => getValue<boolean>(db)`
      select exists (select from ${table} m where ${scope} and m.state = 'pending' and ${ledger.isOpen})
        as has_pending`,

    /** A heartbeat for exactly these rows. Extending "all that is mine" would keep a forgotten row for ever. */
    async extend(leases: readonly Lease[]): Promise<void> {
      // What another statement holds at this moment has its next heartbeat long before the lease ends.
      await run(hot)`${prepared}
        with ${given(leases)}, kept as materialized (
          select given.* from given join ${table} m on ${isMine} for update of m skip locked)
        update ${table} m set lease_until = ${leaseEnd} from kept where ${ledger.sameAs('kept')}`
    },

    /**
     * What conversations tell at one moment, in one statement: mails whose body is with the server, and mails that it has
     * taken. Returns the keys of the first that may go.
     *
     * The last moment, between the last byte of the body and the final dot, is judged by `statement_timestamp()`, which
     * lies before the snapshot that the objections are judged by: whoever left before `committing_at` was seen to have
     * left. A 250 is a fact and outranks whatever the row says meanwhile, so no lease is asked for.
     */
    async record(told: readonly Told[]): Promise<Set<number>> {
      const keys = await listValues<number>(hot)`${prepared}
        with ${given(told)},
          ${lockedWhere(sql`${isGiven} and case when given.answer is null then ${isHeld('claimed')}
            else m.state <> 'accepted' end`)},
          accepted as (
            update ${table} m
            set state = 'accepted', reason = null, accepted_at = clock_timestamp(), smtp_answer = locked.answer,
                relay_id = ${relayId}, attempt = m.attempt + 1, lease_until = null, next_at = null
            from locked where ${isLocked} and locked.answer is not null)
        update ${table} m
        set state = 'committing', committing_at = statement_timestamp(), ${ledger.onCommit} lease_until = ${leaseEnd}
        from locked
        where ${isLocked} and locked.answer is null
          and ${notHeld} and ${ledger.objection} is null and ${ledger.isCurrent}
        returning m.${key} as key`
      return new Set(keys)
    },

    /**
     * Surely not sent, and worth another attempt after the back-off.
     * @returns true where that would come too late, and the mail has expired
     */
    async markDeferred(lease: Lease, failure: Failure): Promise<boolean> {
      const state = await findValue<string>(hot)`${prepared}
        with ${given([lease])}
        update ${table} m
        set (state, next_at) = (
              select case when w.next_at > ${ledger.expiresAt} then 'expired' else 'deferred' end, w.next_at
              from (select ${nextAt} as next_at) w),
            reason = ${failure.reason}, smtp_answer = ${failure.answer}, attempt = m.attempt + 1, lease_until = null
        from given where ${isMine}
        returning m.state`
      return state === 'expired'
    },

    /** Surely not sent, and never will be. */
    async markRejected(lease: Lease, failure: Failure): Promise<void> {
      await run(hot)`${prepared}
        with ${given([lease])}
        update ${table} m
        set state = 'rejected', lease_until = null, attempt = m.attempt + 1, reason = ${failure.reason},
            smtp_answer = ${failure.answer}
        from given where ${isMine}`
    },

    /** The server is in trouble: another attempt later, which costs the mail nothing. */
    async postpone(lease: Lease, failure: Failure): Promise<void> {
      await run(hot)`${prepared}
        with ${given([lease])}
        update ${table} m
        set state = 'deferred', next_at = least(${nextAt}, ${ledger.expiresAt}),
            reason = ${failure.reason}, smtp_answer = ${failure.answer}, lease_until = null
        from given where ${isMine}`
    },

    /** The server may or may not have it: one more attempt where the policy allows, else `uncertain`. */
    async markAmbiguous(lease: Lease, answer: string): Promise<void> {
      await run(hot)`${prepared}
        with ${given([lease])}
        update ${table} m
        set state = ${afterAmbiguity(ledger, sql`'deferred'`)},
            reason = 'no_answer', next_at = ${nextAt}, smtp_answer = ${answer},
            attempt = m.attempt + 1, ambiguous = m.ambiguous + 1, lease_until = null
        from given where ${isMine}`
    },

    /**
     * Surely not sent, through no fault of the person: back to `pending` without a trace, or skipped where the
     * mail is no longer wanted. Returns the keys that wait again.
     */
    async release(leases: readonly Lease[]): Promise<Set<number>> {
      const rows = await listRows<{ key: number; state: string }>(hot)`${prepared}
        with ${given(leases)}, ${lockedWhere(isInHand('claimed', 'committing', 'deferred'))}
        update ${table} m
        set (state, reason) = (
              select ${stateAfter('o.why')}, nullif(o.why, 'waiting')
              from (select ${ledger.objection} as why) o),
            lease_token = null, lease_until = null, next_at = null
        from locked where ${isLocked}
        returning m.${key} as key, m.state`
      return new Set(rows.filter((row) => row.state === 'pending').map((row) => row.key))
    },

    /**
     * Rows whose worker fell silent: claimed ones wait again, committing ones are ambiguous. Not within one lease of
     * a database restart, for while it was down no living worker could send its heartbeat.
     * @returns how many were found in each state
     */
    async recover(): Promise<{ claimed: number; committing: number }> {
      const rows = await listRows<{ before: 'claimed' | 'committing'; n: number }>(db)`
        with silent as materialized (
          select m.*, m.state as before
          from ${table} m
          where ${scope} and m.state in ('claimed', 'committing') and m.lease_until < clock_timestamp()
            and pg_postmaster_start_time() < clock_timestamp() - ${seconds(times.leaseSeconds)}
          limit ${recoveredAtOnce}
          for update of m skip locked
        ), recovered as (
          update ${table} m
          set state = case when silent.before = 'claimed' then 'pending'
                else ${afterAmbiguity(ledger, sql`'pending'`, ledger.deaths)} end,
              reason = case when silent.before = 'committing' then 'worker_lost' end,
              ambiguous = m.ambiguous + case when silent.before = 'committing' then 1 else 0 end,
              lease_until = null
          from silent where ${ledger.sameAs('silent')}
          returning silent.before
        )
        select before, count(*)::int as n from recovered group by before`
      const found = { claimed: 0, committing: 0 }
      for (const row of rows) found[row.before] = row.n
      return found
    },

    /**
     * Deferred rows whose time has come are pending again, but for two kinds: readers of a later day of a spread, whose
     * portion is opened; and, until the relay is asked again, readers whom it refused: it is asked with somebody else.
     * @returns how many; fewer than `limit` means none is left
     */
    wake: (limit = 10_000) => run(db)`
      with due as materialized (
        select m.* from ${table} m
        where ${scope} and m.state = 'deferred' and m.next_at <= clock_timestamp()
          and m.reason is distinct from ${spreadReason}
          and (m.suspect_at is null or ${ledger.probeAt} is null)
        limit ${limit}
        for update of m skip locked
      )
      update ${table} m set state = 'pending', next_at = null
      from due where ${ledger.sameAs('due')}`,
  }
}

/** The relay's name for the message, which ends its answer; kept where a provider may come back with nothing else. */
const relayId = sql`case when exists (select from providers) then substring(
  locked.answer from '<?((?=[^<>[:space:]]*[0-9])[^<>[:space:]]{6,200})>?[[:space:]]*$') end`

export type Leases<Row> = ReturnType<typeof leasesOn<Row>>

/** Where the policy allows it, one more attempt after each of the first `attempts` ambiguous ones. */
const afterAmbiguity = (ledger: Pick<Ledger<unknown>, 'policy'>, again: RawBuilder<unknown>, attempts = 1) =>
  sql`case when m.ambiguous < ${attempts} and ${ledger.policy} = 'resend_once' then ${again} else 'uncertain' end`

const stateAfter = (objection: string) => sql`
  case coalesce(${sql.raw(objection)}, 'waiting')
    when 'waiting' then 'pending' when 'expired' then 'expired' else 'skipped' end`
