import { sql } from 'kysely'
import { judgeInstance, type Guard, type Identity, type Recorded } from '../../domain/restored-copy.ts'
import { findRow, findValue, getValue, run, type Executor } from '../executor.ts'

/** That everything is held, because this database is a copy. */
export interface Hold {
  since: Date
  /** Those that go on once it is lifted. */
  digests: number
}

/**
 * What a restore writes is told by two things that no dump takes along: the transaction that wrote the stamp, which is
 * in the row itself too, and the oid of the guard's table. Neither changes by vacuuming, clustering or altering.
 */
const isStamped = sql<boolean>`exists (
  select from instance_stamp s
  where s.written_in = s.xmin::text and s.guard_oid = to_regclass('instance_guard')::oid)`

/** Nothing is claimed or sent by a restored copy until a person has said so; asked by every statement that lets mail go. */
export const notHeld = sql<boolean>`(
  ${isStamped} and not exists (select from instance_guard where held_at is not null))`

const insufficientPrivilege = '42501'

export function instanceGuardStore(db: Executor) {
  const isStampedNow = () => getValue<boolean>(db)`select ${isStamped} as is_stamped`

  const find = async (lock = sql``): Promise<Recorded> => {
    const guard = await findRow<Guard>(db)`
      select system_identifier as system, timeline, files, held_at is not null as is_held,
        extract(epoch from clock_timestamp() - beat_at)::float8 as silent_seconds
      from instance_guard ${lock}`
    return { guard, isStamped: await isStampedNow() }
  }

  return {
    async getIdentity(): Promise<Identity> {
      const database = sql`(select oid::text from pg_database where datname = current_database())`
      const whole = await orRefused(
        findRow<{ system: string; timeline: number }>(db)`
          select s.system_identifier::text || '/' || ${database} as system,
            -- Of a promotion the control file tells only after the next checkpoint.
            case when pg_is_in_recovery() then c.timeline_id
              else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline
          from pg_control_system() s, pg_control_checkpoint() c`,
      )
      // Written once, by initdb; its inode tells when, and is new in every copy.
      const placed = findValue<string>(db)`
        select extract(epoch from change)::text as files from pg_stat_file('PG_VERSION')`
      const files = (await orRefused(placed)) ?? ''
      if (whole) return { ...whole, files, isWhole: true }
      // Some managed databases keep the control file from their tenants.
      const system = await getValue<string>(db)`select 'unknown/' || ${database} as system`
      return { system, timeline: 0, files, isWhole: false }
    },

    /** Locked until the end of the transaction: two workers that start together judge one after the other. */
    claim: (): Promise<Recorded> => find(sql`for update`),

    /** Whether this database is a copy, also where no worker has run on it yet. */
    async isHeld(): Promise<boolean> {
      return judgeInstance(await this.getIdentity(), await find()) === 'copy'
    },

    /** Of a copy. */
    findHold: () => findRow<Hold>(db)`
      select coalesce((select held_at from instance_guard), clock_timestamp()) as since,
        (select count(*)::int from digests where state = 'paused' and paused_reason = 'restored') as digests`,

    /** This database is the one that sends. */
    async put(identity: Identity): Promise<void> {
      await run(db)`
        insert into instance_guard (system_identifier, timeline, files)
        values (${identity.system}, ${identity.timeline}, ${identity.files})
        on conflict (only_row) do update
        set system_identifier = excluded.system_identifier, timeline = excluded.timeline, files = excluded.files,
            beat_at = clock_timestamp(), held_at = null`
      if (await isStampedNow()) return
      await run(db)`
        insert into instance_stamp (guard_oid, written_in)
        values (to_regclass('instance_guard')::oid, pg_current_xact_id()::xid::text)
        on conflict (only_row) do update
        set guard_oid = excluded.guard_oid, written_in = excluded.written_in`
    },

    /** A worker saw that all is well. */
    async beat(): Promise<void> {
      await run(db)`update instance_guard set beat_at = clock_timestamp()`
    },

    /**
     * Holds personal mail, and pauses every digest that would go out by itself. Where there is no guard, a restore is at
     * work: what it has brought so far is judged once it is there.
     */
    async markHeld(): Promise<void> {
      await run(db)`update instance_guard set held_at = clock_timestamp() where held_at is null`
      await run(db)`
        update digests
        set state = 'paused', resume_state = state, paused_reason = 'restored', updated_at = clock_timestamp()
        where state in ('scheduled', 'preparing', 'sending') and exists (select from instance_guard)`
      await run(db)`
        update digests set paused_reason = 'restored', probe_at = null, updated_at = clock_timestamp()
        where state = 'paused' and probe_at is not null and exists (select from instance_guard)`
    },

    /**
     * What the hold paused goes on from where it was. Where its time is over meanwhile nobody would get it any more: it
     * stays paused, for the desk to decide. @returns how many digests go on
     */
    async releaseDigests(): Promise<number> {
      await run(db)`
        update digests set paused_reason = 'expired', updated_at = clock_timestamp()
        where state = 'paused' and paused_reason = 'restored' and expires_at <= clock_timestamp()`
      return run(db)`
        update digests
        set state = coalesce(resume_state, 'sending'), resume_state = null, paused_reason = null,
            updated_at = clock_timestamp()
        where state = 'paused' and paused_reason = 'restored'`
    },
  }
}

/** Undefined where this role may not ask. */
const orRefused = <T>(answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((error: unknown) => {
    if ((error as { code?: string }).code === insufficientPrivilege) return undefined
    throw error
  })
