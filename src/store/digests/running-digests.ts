import { sql } from 'kysely'
import type { DigestReason } from '../../domain/digests/digest.ts'
import {
  changesRows,
  databaseTime,
  findRow,
  findValue,
  getRow,
  getValue,
  hasRow,
  listValues,
  rowsOf,
  run,
  type Executor,
} from '../executor.ts'
import { notHeld } from '../delivery/instance-guard.ts'
import { longerWait } from '../delivery/suspects.ts'
import { undecided } from './doubts.ts'

/** What became of an attempt to complete a digest. */
export type Completion = 'completed' | 'completed_with_uncertain' | 'in_flight' | 'unbalanced' | 'not_sending'

/** A digest from the moment its deliveries exist until all of them have ended. */
export function runningDigestsStore(db: Executor) {
  const store = {
    listSending: () => listValues<number>(db)`select id from digests where state = 'sending' order by id`,

    /** Whether a delivery of it has not ended. One index for each, where one `in` would read them all. */
    isOpen: (id: number) => getValue<boolean>(db)`
      select exists (select from deliveries where digest_id = ${id} and state = 'pending')
        or exists (select from deliveries where digest_id = ${id} and state in ('claimed', 'committing'))
        or exists (select from deliveries where digest_id = ${id} and state = 'deferred') as is_open`,

    hasPending: (id: number) => getValue<boolean>(db)`
      select exists (select from deliveries where digest_id = ${id} and state = 'pending') as has_pending`,

    isSending: (id: number) => hasRow(db)`select from digests where id = ${id} and state = 'sending'`,

    /**
     * Every later `committing` fails. With an answer, the relay refuses us: it is asked again after the first wait that
     * is longer than what it has refused so far, and once more when the digest expires.
     * @returns false where the digest was not sending
     */
    markPaused: (
      id: number,
      reason: DigestReason,
      relay?: { answer: string; waitMinutes: readonly number[] },
    ) => changesRows(db)`
      update digests
      set state = 'paused', resume_state = 'sending', paused_reason = ${reason}, updated_at = clock_timestamp()
        ${
          relay
            ? sql`, relay_answer = ${relay.answer}, relay_since = coalesce(relay_since, clock_timestamp()),
              probe_at = least(expires_at, clock_timestamp()
                + ${longerWait(relay.waitMinutes, sql`coalesce(relay_since, clock_timestamp())`)})`
            : sql``
        }
      where id = ${id} and state = 'sending'`,

    /** Whether the relay refused us and has taken nothing of it since. */
    isProbing: (id: number) => hasRow(db)`
      select from digests where id = ${id} and relay_since is not null`,

    /** Digests that paused themselves and whose time to ask the relay again has come. @returns those that go on */
    resumeProbes: () => listValues<number>(db)`
      update digests
      set state = 'sending', resume_state = null, paused_reason = null, probe_at = null,
          updated_at = clock_timestamp()
      where state = 'paused' and probe_at <= clock_timestamp() and paused_reason in ('refused', 'relay_refuses')
        and ${notHeld}
      returning id`,

    /** The relay takes mail again. */
    async endProbing(id: number): Promise<void> {
      await run(db)`
        update digests set relay_since = null, relay_answer = null, probe_at = null
        where id = ${id} and relay_since is not null and state = 'sending'`
    },

    /**
     * Ends a digest when nothing of it is open and every person is accounted for. In a transaction of its own: the
     * digest is locked first, so that nothing reopens a delivery while we count.
     */
    async markCompleted(id: number): Promise<Completion> {
      const digest = await findRow<{ state: string; audience: number }>(db)`
        select state, audience from digests where id = ${id} for update`
      if (digest?.state !== 'sending') return 'not_sending'
      if (await store.isOpen(id)) return 'in_flight'
      const count = await getRow<{ total: number; undecided: number }>(db)`
        select count(*) as total, count(*) filter (where ${undecided}) as undecided
        from deliveries where digest_id = ${id}`
      if (count.total !== digest.audience) return 'unbalanced'
      const state = count.undecided > 0 ? 'completed_with_uncertain' : 'completed'
      await rowsOf(db, 'digests', { id }).update({
        state,
        completedAt: databaseTime,
        updatedAt: databaseTime,
      })
      return state
    },

    /**
     * All of a newsletter that has been paused or has ended. A pause makes what waits for its time a draft without one,
     * and stops what is on its way until somebody resumes it; an end cancels both.
     */
    async stopAll(newsletterId: number, because: 'paused' | 'ended'): Promise<void> {
      const wasOpen = sql`state in ('draft', 'approved', 'scheduled')`
      const change =
        because === 'ended'
          ? sql`state = 'cancelled', completed_at = clock_timestamp(), resume_state = null, probe_at = null`
          : sql`
            state = case when ${wasOpen} then 'draft' else 'paused' end,
            send_at = case when ${wasOpen} then null else send_at end,
            frozen_at = case when ${wasOpen} then null else frozen_at end,
            approved_sha256 = case when ${wasOpen} then null else approved_sha256 end,
            approved_by = case when ${wasOpen} then null else approved_by end,
            approved_at = case when ${wasOpen} then null else approved_at end,
            approval_due_at = null, probe_at = null,
            resume_state = case when state in ('preparing', 'sending') then state else resume_state end,
            paused_reason = case
              when state in ('preparing', 'sending') or probe_at is not null then 'by_hand' else paused_reason end`
      await run(db)`
        update digests set ${change}, version = version + 1, updated_at = clock_timestamp()
        where newsletter_id = ${newsletterId}
          and (${wasOpen} or state in ('preparing', 'sending', 'paused'))`
    },

    /** Cancelled digests of which something may still wait. */
    listUnsettled: () => listValues<number>(db)`
      select id from digests where state = 'cancelled' and settled_at is null order by id`,

    /**
     * Ends what a cancelled digest still has waiting, from a reader on: what was ended before has
     * left dead entries in the index, which would be read each time.
     * @returns the last reader; undefined where none was left
     */
    async skipCancelled(id: number, after = 0, limit = 10_000): Promise<number | undefined> {
      // One part for each index, where one `in` would read the whole digest.
      return findValue<number>(db)`
        with pending as materialized (
          select subscriber_id from deliveries
          where digest_id = ${id} and state = 'pending' and subscriber_id > ${after}
          order by subscriber_id limit ${limit} for update skip locked
        ), deferred as materialized (
          select subscriber_id from deliveries where digest_id = ${id} and state = 'deferred'
          limit ${limit} for update skip locked
        ), ended as (
          update deliveries m set state = 'skipped', reason = 'cancelled', next_at = null
          from (select * from pending union all select * from deferred) w
          where m.digest_id = ${id} and m.subscriber_id = w.subscriber_id
            and exists (select from digests where id = ${id} and state = 'cancelled')
          returning m.subscriber_id
        )
        select coalesce((select max(subscriber_id) from pending), ${after}) as last
        from ended having count(*) > 0`
    },

    /** Once nothing of a cancelled digest waits or is in a worker's hands, nobody looks again. */
    async markSettled(id: number): Promise<void> {
      if (await store.isOpen(id)) return
      await rowsOf(db, 'digests', { id, state: 'cancelled' }).update({ settledAt: databaseTime })
    },
  }
  return store
}
