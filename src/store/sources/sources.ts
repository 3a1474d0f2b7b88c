import { sql, type Selectable, type UpdateObject } from 'kysely'
import type { FeedText, Links } from '../../domain/publication.ts'
import type { LookReason, SourceFailure, SourceKind, SourceQuestion } from '../../domain/sources/source.ts'
import {
  databaseTime,
  findRow,
  findValue,
  hasChanged,
  hasRow,
  rowsOf,
  run,
  type Executor,
} from '../executor.ts'
import { empty, fill, type Filled } from '../row.ts'
import type { DB, Sources } from '../schema.ts'

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
  links: Links | undefined
  feedText: FeedText | undefined
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

type Row = Selectable<Sources>

/** What a column holds more narrowly than its type says. */
interface Told extends FoundSource, SourceSettings {
  failure: SourceFailure | undefined
  question: SourceQuestion | undefined
}

export type StoredSource = Told & Omit<Filled<Row>, keyof Told | 'host' | 'leaseToken' | 'leaseUntil'>

/** A source that this worker may look at until its lease ends; `lookedAt` is when this look began. */
export interface ClaimedSource extends StoredSource {
  leaseToken: string
  reason: LookReason
}

/** What a look leaves behind. */
export type SourceProgress = Partial<
  Pick<Row, 'cursorAt' | 'caughtUpAt' | 'readWholeAt' | 'sweptAt' | 'sweepPage' | 'sweepAfter'> &
    Pick<Row, 'etag' | 'lastModified' | 'ttlMinutes' | 'home' | 'face'> &
    Pick<FoundSource, 'homes'>
>

/** Seconds that a worker may be silent: a slow site takes a minute to answer what one look asks. */
const leaseSeconds = 120
/** Looks at once, of all workers together. */
const mostAtOnce = 4
/** Of rings that come one after the other, so many seconds lie between the looks. */
const ringSeconds = 3
/** Any number that nothing else locks. */
const claimLock = 0x736f_7572

export function sourcesStore(db: Executor) {
  const update = async (id: number, change: UpdateObject<DB, 'sources'>): Promise<void> => {
    await rowsOf(db, 'sources', { id }).update(change)
  }
  const select = () => db.selectFrom('sources').selectAll()

  return {
    async list(): Promise<StoredSource[]> {
      return (await select().orderBy('id').execute()).map(toSource)
    },

    async find(id: number): Promise<StoredSource | undefined> {
      const row = await select().where('id', '=', id).executeTakeFirst()
      return row && toSource(row)
    },

    /** The same, held until the transaction ends. */
    async lock(id: number): Promise<StoredSource | undefined> {
      const row = await select().where('id', '=', id).forUpdate().executeTakeFirst()
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

    updateSettings: (id: number, settings: SourceSettings): Promise<void> => update(id, toRow(settings)),

    updatePaused: (id: number, isPaused: boolean): Promise<void> =>
      isPaused
        ? update(id, { pausedAt: sql`coalesce(paused_at, now())` })
        : update(id, { pausedAt: null, nextAt: databaseTime, failures: 0, failure: null }),

    delete: (id: number) => rowsOf(db, 'sources', { id }).delete(),

    /** A person wants it looked at now. */
    markWanted: (id: number): Promise<void> => update(id, { wantedAt: databaseTime, nextAt: databaseTime }),

    /** The one whose site rings with it. */
    findByToken: (token: string) => findValue<number>(db)`select id from sources where token = ${token}`,

    /** A site rings. Of many rings before the next look one counts, and looks are seconds apart. False where none is due. */
    markRung: (id: number) => hasRow(db)`
      update sources
      set rung_at = clock_timestamp(),
          next_at = greatest(clock_timestamp(), looked_at + make_interval(secs => ${ringSeconds}))
      where id = ${id} and paused_at is null and (rung_at is null or rung_at <= looked_at)
      returning id`,

    /** Seconds until it is due; undefined where it is paused or gone. */
    findSecondsLeft: (id: number) => findValue<number>(db)`
      select extract(epoch from next_at - clock_timestamp())::float8 as seconds from sources
      where id = ${id} and paused_at is null`,

    /** Undefined where it is not due, another worker has it or its host, or as many as may be are looked at. */
    async claim(id: number): Promise<ClaimedSource | undefined> {
      // Two workers that count at once would both find room.
      await run(db)`select pg_advisory_xact_lock(${claimLock})`
      const row = await findRow<Row & { leaseToken: string; reason: LookReason }>(db)`
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
            when s.wanted_at > coalesce(due.looked_at, '-infinity') then 'person' else 'clock' end as reason`
      return row && { ...toSource(row), leaseToken: row.leaseToken, reason: row.reason }
    },

    /** Keeps the lease, and what was reached with it. False where another worker has it: nothing may be written then. */
    updateProgress: (
      { id, leaseToken }: Pick<ClaimedSource, 'id' | 'leaseToken'>,
      { homes, ...progress }: SourceProgress = {},
    ) =>
      rowsOf(db, 'sources', { id, leaseToken }).update({
        ...progress,
        ...(homes && { homes: JSON.stringify(homes) }),
        leaseUntil: sql<Date>`clock_timestamp() + make_interval(secs => ${leaseSeconds})`,
      }),

    /** Gives the lease back. A ring or a wish that came meanwhile keeps its time. */
    async release(
      { id, leaseToken, reason }: ClaimedSource,
      end: { failure: SourceFailure | undefined; pauseSeconds: number; hasFound: boolean },
    ): Promise<void> {
      const found = reason === 'ring' ? 'foundByRingAt' : 'foundByClockAt'
      const isTelling = end.hasFound && reason !== 'person'
      await rowsOf(db, 'sources', { id, leaseToken }).update({
        leaseToken: null,
        leaseUntil: null,
        failure: end.failure ?? null,
        failures: end.failure === undefined ? 0 : sql<number>`failures + 1`,
        nextAt: sql<Date>`case when greatest(rung_at, wanted_at) > looked_at
            then greatest(clock_timestamp(), looked_at + make_interval(secs => ${ringSeconds}))
            else clock_timestamp() + make_interval(secs => ${end.pauseSeconds}) end`,
        ...(isTelling && { [found]: databaseTime }),
      })
    },

    /** Asks a person, or takes the question back. */
    async updateQuestion(id: number, question: SourceQuestion | null): Promise<void> {
      const askedAt = question === null ? null : sql<Date>`coalesce(asked_at, now())`
      await update(id, { question, askedAt })
    },

    /** A person has answered: the next look takes for its own what the site shows then. */
    markAnswered: (id: number, { isMoved }: { isMoved: boolean }): Promise<void> =>
      update(id, { question: null, askedAt: null, face: '', ...(isMoved && { home: '' }) }),

    /** Reads it another way from now on. False where another source has that address. */
    updateFound: (id: number, { kind, url, home, siteLanguage }: FoundSource): Promise<boolean> =>
      hasChanged(
        db
          .updateTable('sources')
          .set({ kind, url, home, siteLanguage, host: new URL(url).host, failures: 0, failure: null })
          .set({ nextAt: databaseTime, question: null, askedAt: null })
          .where('id', '=', id)
          .where((e) =>
            e.not(
              e.exists(
                e.selectFrom('sources as o').select('o.id').where('o.url', '=', url).where('o.id', '<>', id),
              ),
            ),
          ),
      ),
  }
}

const toRow = ({ language, since, links, feedText }: SourceSettings) =>
  empty({ language, since, links, feedText })

const toSource = (row: Row): StoredSource => fill(row) as Filled<Row> & Told
