import { sql, type Selectable } from 'kysely'
import type { SourceFailure, SourceKind, SourceQuestion } from '../../domain/sources/source.ts'
import type { Executor } from '../executor.ts'
import type { Sources } from '../schema.ts'

/** Where a language of a site begins. */
export interface LanguageHome {
  home: string
  language: string
}

/** What a person decides of a source. */
export interface SourceSettings {
  /** Of all it brings; undefined: each item says its own. */
  language: string | undefined
  since: Date | undefined
  links: 'here' | 'canonical' | undefined
  feedText: 'full' | 'summary' | undefined
}

/** What was found at its address. */
export interface FoundSource {
  kind: SourceKind
  url: string
  home: string
  name: string
  siteLanguage: string
  homes: LanguageHome[]
  face: string
}

export interface StoredSource extends FoundSource, SourceSettings {
  id: number
  token: string
  createdAt: Date
  pausedAt: Date | undefined
  cursorAt: Date | undefined
  caughtUpAt: Date | undefined
  etag: string | undefined
  lastModified: string | undefined
  readWholeAt: Date | undefined
  ttlMinutes: number | undefined
  sweepPage: number | undefined
  sweepAfter: number
  sweptAt: Date | undefined
  lookedAt: Date | undefined
  nextAt: Date
  rungAt: Date | undefined
  wantedAt: Date | undefined
  foundByRingAt: Date | undefined
  foundByClockAt: Date | undefined
  failures: number
  failure: SourceFailure | undefined
  question: SourceQuestion | undefined
  askedAt: Date | undefined
}

/** A source that this worker may look at until its lease ends; `rungAt` and the like as they were before. */
export interface ClaimedSource extends StoredSource {
  leaseToken: string
  reason: 'clock' | 'ring' | 'person'
}

/** What a look leaves behind. */
export interface SourceProgress {
  cursorAt?: Date
  caughtUpAt?: Date
  etag?: string | null
  lastModified?: string | null
  readWholeAt?: Date
  ttlMinutes?: number | null
  sweepPage?: number | null
  sweepAfter?: number
  sweptAt?: Date
  home?: string
  name?: string
  face?: string
  homes?: LanguageHome[]
}

/** Seconds that a worker may be silent: a slow site takes a minute to answer what one look asks. */
const leaseSeconds = 120
/** Looks at once, of all workers together. */
const mostAtOnce = 4
/** Of rings that come one after the other, so many seconds lie between the looks. */
const ringSeconds = 3
/** Any number that nothing else locks. */
const claimLock = 0x736f_7572

export function sourcesStore(db: Executor) {
  return {
    async list(): Promise<StoredSource[]> {
      return (await db.selectFrom('sources').selectAll().orderBy('id').execute()).map(toSource)
    },

    async find(id: number): Promise<StoredSource | undefined> {
      const row = await db.selectFrom('sources').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toSource(row)
    },

    /** Undefined where a source has this address already. */
    async insert(found: FoundSource, settings: SourceSettings, token: string): Promise<number | undefined> {
      const row = await db
        .insertInto('sources')
        .values({
          ...found,
          homes: JSON.stringify(found.homes),
          host: new URL(found.url).host,
          token,
          ...toRow(settings),
        })
        .onConflict((conflict) => conflict.column('url').doNothing())
        .returning('id')
        .executeTakeFirst()
      return row?.id
    },

    async updateSettings(id: number, settings: SourceSettings): Promise<void> {
      await db.updateTable('sources').set(toRow(settings)).where('id', '=', id).execute()
    },

    async updatePaused(id: number, isPaused: boolean): Promise<void> {
      const pausedAt = isPaused ? sql<Date>`coalesce(paused_at, now())` : null
      await db
        .updateTable('sources')
        .set({ pausedAt, ...(!isPaused && { nextAt: sql<Date>`now()`, failures: 0, failure: null }) })
        .where('id', '=', id)
        .execute()
    },

    async delete(id: number): Promise<boolean> {
      const { numDeletedRows } = await db.deleteFrom('sources').where('id', '=', id).executeTakeFirst()
      return numDeletedRows > 0n
    },

    /** A person wants it looked at now. */
    async markWanted(id: number): Promise<void> {
      const now = sql<Date>`clock_timestamp()`
      await db.updateTable('sources').set({ wantedAt: now, nextAt: now }).where('id', '=', id).execute()
    },

    /**
     * A site rings. Of many rings before the next look one counts, and looks are seconds apart.
     * @returns its id where somebody should look
     */
    async markRung(token: string): Promise<number | undefined> {
      const { rows } = await sql<{ id: number }>`
        update sources
        set rung_at = clock_timestamp(),
            next_at = greatest(clock_timestamp(), looked_at + make_interval(secs => ${ringSeconds}))
        where token = ${token} and paused_at is null and (rung_at is null or rung_at <= looked_at)
        returning id`.execute(db)
      return rows[0]?.id
    },

    /** Seconds until it is due; undefined where it is paused or gone. */
    async findSecondsLeft(id: number): Promise<number | undefined> {
      const { rows } = await sql<{ seconds: number }>`
        select extract(epoch from next_at - clock_timestamp())::float8 as seconds from sources
        where id = ${id} and paused_at is null`.execute(db)
      return rows[0]?.seconds
    },

    /** Undefined where it is not due, another worker has it or its host, or as many as may be are looked at. */
    async claim(id: number): Promise<ClaimedSource | undefined> {
      // Two workers that count at once would both find room.
      await sql`select pg_advisory_xact_lock(${claimLock})`.execute(db)
      const { rows } = await sql<Row & { leaseToken: string; reason: ClaimedSource['reason'] }>`
        with busy as (select host from sources where lease_until > clock_timestamp()),
          due as (
            select * from sources
            where id = ${id} and paused_at is null and next_at <= clock_timestamp()
              and (select count(*) from busy) < ${mostAtOnce} and host not in (select host from busy)
            for update)
        update sources s
        set lease_token = gen_random_uuid(), looked_at = clock_timestamp(),
            lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds})
        from due where s.id = due.id
        returning s.*,
          case when s.rung_at > coalesce(due.looked_at, '-infinity') then 'ring'
            when s.wanted_at > coalesce(due.looked_at, '-infinity') then 'person' else 'clock' end as reason`.execute(
        db,
      )
      const row = rows[0]
      return row && { ...toSource(row), leaseToken: row.leaseToken, reason: row.reason }
    },

    /** Keeps the lease, and what was reached with it. False where another worker has it: nothing may be written then. */
    async updateProgress(
      { id, leaseToken }: Pick<ClaimedSource, 'id' | 'leaseToken'>,
      { homes, ...progress }: SourceProgress = {},
    ): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable('sources')
        .set({
          ...progress,
          ...(homes && { homes: JSON.stringify(homes) }),
          leaseUntil: sql<Date>`clock_timestamp() + make_interval(secs => ${leaseSeconds})`,
        })
        .where('id', '=', id)
        .where('leaseToken', '=', leaseToken)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    /** Gives the lease back. A ring or a wish that came meanwhile keeps its time. */
    async release(
      { id, leaseToken, reason }: ClaimedSource,
      end: { failure: SourceFailure | undefined; pauseSeconds: number; hasFound: boolean },
    ): Promise<void> {
      const found = reason === 'ring' ? 'foundByRingAt' : 'foundByClockAt'
      const isTelling = end.hasFound && reason !== 'person'
      await db
        .updateTable('sources')
        .set({
          leaseToken: null,
          leaseUntil: null,
          failure: end.failure ?? null,
          failures: end.failure === undefined ? 0 : sql<number>`failures + 1`,
          nextAt: sql<Date>`case when greatest(rung_at, wanted_at) > looked_at
            then greatest(clock_timestamp(), looked_at + make_interval(secs => ${ringSeconds}))
            else clock_timestamp() + make_interval(secs => ${end.pauseSeconds}) end`,
          ...(isTelling && { [found]: sql<Date>`clock_timestamp()` }),
        })
        .where('id', '=', id)
        .where('leaseToken', '=', leaseToken)
        .execute()
    },

    /** Asks a person, or takes the question back. */
    async updateQuestion(id: number, question: SourceQuestion | null): Promise<void> {
      const askedAt = question === null ? null : sql<Date>`coalesce(asked_at, now())`
      await db.updateTable('sources').set({ question, askedAt }).where('id', '=', id).execute()
    },

    /** A person has answered: the next look takes for its own what the site shows then. */
    async markAnswered(id: number, { isMoved }: { isMoved: boolean }): Promise<void> {
      await db
        .updateTable('sources')
        .set({ question: null, askedAt: null, face: '', ...(isMoved && { home: '' }) })
        .where('id', '=', id)
        .execute()
    },

    /** Reads it another way from now on. False where another source has that address. */
    async updateFound(id: number, { kind, url, home, siteLanguage }: FoundSource): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable('sources')
        .set({ kind, url, home, siteLanguage, host: new URL(url).host, failures: 0, failure: null })
        .set({ nextAt: sql<Date>`clock_timestamp()`, question: null, askedAt: null })
        .where('id', '=', id)
        .where((e) =>
          e.not(
            e.exists(
              e.selectFrom('sources as o').select('o.id').where('o.url', '=', url).where('o.id', '<>', id),
            ),
          ),
        )
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
  }
}

type Row = Selectable<Sources>

const toRow = ({ language, since, links, feedText }: SourceSettings) => ({
  language: language ?? null,
  since: since ?? null,
  links: links ?? null,
  feedText: feedText ?? null,
})

/** Columns that are null hold nothing. */
const toSource = (row: Row): StoredSource =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value ?? undefined]),
  ) as unknown as StoredSource
