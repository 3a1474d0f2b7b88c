import { sql } from 'kysely'
import type { Executor } from './executor.ts'

/** Which database this is, as far as it can tell. */
export interface Identity {
  /** Cluster and database: a dump restored elsewhere, or beside the original, has another. */
  system: string
  /** Grows with every promotion and every recovery to a point in time. */
  timeline: number
  /** When the files of the cluster came to where they are, which no copy of them takes along; '' where we may not ask. */
  files: string
  /** False where this role may not ask for the cluster's identity. */
  isWhole: boolean
}

export interface Guard {
  system: string
  timeline: number
  files: string
  /** How long ago a worker last said that all was well. */
  silentSeconds: number
  isHeld: boolean
}

/** That everything is held, because this database is a copy. */
export interface Hold {
  since: Date
  /** Those that go on once it is lifted. */
  digests: number
}

const insufficientPrivilege = '42501'

export function instanceGuardStore(db: Executor) {
  return {
    async getIdentity(): Promise<Identity> {
      const database = sql`(select oid::text from pg_database where datname = current_database())`
      const whole = await orRefused(
        sql<{ system: string; timeline: number }>`
          select s.system_identifier::text || '/' || ${database} as system, c.timeline_id as timeline
          from pg_control_system() s, pg_control_checkpoint() c`.execute(db),
      )
      // Written once, by initdb; its inode tells when, and is new in every copy.
      const placed = await orRefused(
        sql<{
          files: string
        }>`select extract(epoch from change)::text as files from pg_stat_file('PG_VERSION')`.execute(db),
      )
      const files = placed?.rows[0]?.files ?? ''
      const [row] = whole?.rows ?? []
      if (row) return { ...row, files, isWhole: true }
      // Some managed databases keep the control file from their tenants: then only another database's oid tells.
      const { rows } = await sql<{ system: string }>`select 'unknown/' || ${database} as system`.execute(db)
      return { system: rows[0]?.system ?? 'unknown', timeline: 0, files, isWhole: false }
    },

    /** Locked until the end of the transaction: two workers that start together judge one after the other. */
    async find(): Promise<Guard | undefined> {
      const { rows } = await sql<Guard>`
        select system_identifier as system, timeline, files, held_at is not null as is_held,
          extract(epoch from clock_timestamp() - beat_at)::float8 as silent_seconds
        from instance_guard for update`.execute(db)
      return rows[0]
    },

    async isHeld(): Promise<boolean> {
      const row = await db.selectFrom('instanceGuard').select('heldAt').executeTakeFirst()
      return row?.heldAt != null
    },

    async findHold(): Promise<Hold | undefined> {
      const { rows } = await sql<Hold>`
        select held_at as since,
          (select count(*)::int from digests where state = 'paused' and paused_reason = 'restored') as digests
        from instance_guard where held_at is not null`.execute(db)
      return rows[0]
    },

    /** This database is the one that sends. */
    async put(identity: Identity): Promise<void> {
      await sql`
        insert into instance_guard (system_identifier, timeline, files)
        values (${identity.system}, ${identity.timeline}, ${identity.files})
        on conflict (only_row) do update
        set system_identifier = excluded.system_identifier, timeline = excluded.timeline, files = excluded.files,
            beat_at = clock_timestamp(), held_at = null`.execute(db)
    },

    /** Holds personal mail, and pauses every digest that would go out by itself. */
    async markHeld(): Promise<void> {
      await sql`update instance_guard set held_at = clock_timestamp() where held_at is null`.execute(db)
      await sql`
        update digests
        set state = 'paused', resume_state = state, paused_reason = 'restored', updated_at = clock_timestamp()
        where state in ('scheduled', 'preparing', 'sending')`.execute(db)
      await sql`
        update digests set paused_reason = 'restored', probe_at = null, updated_at = clock_timestamp()
        where state = 'paused' and probe_at is not null`.execute(db)
    },

    /**
     * What the hold paused goes on from where it was. Where its time is over meanwhile nobody would get it any more: it
     * stays paused, for the desk to decide. @returns how many digests go on
     */
    async releaseDigests(): Promise<number> {
      await sql`
        update digests set paused_reason = 'expired', updated_at = clock_timestamp()
        where state = 'paused' and paused_reason = 'restored' and expires_at <= clock_timestamp()`.execute(db)
      const { numAffectedRows } = await sql`
        update digests
        set state = coalesce(resume_state, 'sending'), resume_state = null, paused_reason = null,
            updated_at = clock_timestamp()
        where state = 'paused' and paused_reason = 'restored'`.execute(db)
      return Number(numAffectedRows ?? 0)
    },
  }
}

/** Undefined where this role may not ask. */
const orRefused = <T>(answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((error: unknown) => {
    if ((error as { code?: string }).code === insufficientPrivilege) return undefined
    throw error
  })
