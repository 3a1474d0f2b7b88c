import { sql, type Selectable } from 'kysely'
import { keptDays } from '../../domain/retention.ts'
import {
  databaseTime,
  findValue,
  hasChanged,
  hasRow,
  listValues,
  rowsOf,
  run,
  type Executor,
} from '../executor.ts'
import type { Imports } from '../schema.ts'

export type ImportState = 'uploading' | 'waiting' | 'running' | 'done' | 'failed'

type Own = 'state' | 'format' | 'report' | 'problems'

/** `format`, `report` and `problems` are the service's own. */
export interface StoredImport extends Omit<Selectable<Imports>, Own | 'leaseToken' | 'leaseUntil'> {
  state: ImportState
  format: unknown
  report: unknown
  problems: unknown[]
}

export type ClaimedImport = StoredImport & { leaseToken: string }

/** What a batch of rows adds. */
export interface ImportProgress {
  rowsRead: number
  report: object
  /** Beside those that are known. */
  problems: object[]
}

/** What somebody is to a newsletter once a dry run were none. */
export interface Promised {
  addressHmac: Buffer
  /** 0: suppressed. */
  newsletterId: number
  state: string
}

export function importsStore(db: Executor) {
  const select = () =>
    db.selectFrom('imports').selectAll().$castTo<StoredImport>().where('state', '<>', 'uploading')

  /** Nothing where another worker has taken over. */
  const held = ({ id, leaseToken }: ClaimedImport) =>
    db.updateTable('imports').where('id', '=', id).where('leaseToken', '=', leaseToken)

  return {
    async insert(entry: { actor: string; isDryRun: boolean; basis: string | undefined }): Promise<number> {
      const row = await db.insertInto('imports').values(entry).returning('id').executeTakeFirstOrThrow()
      return row.id
    },

    async insertPiece(importId: number, number: number, bytes: Buffer): Promise<void> {
      await db.insertInto('importPieces').values({ importId, number, bytes }).execute()
    },

    findPiece: (importId: number, number: number) => findValue<Buffer>(db)`
      select bytes from import_pieces where import_id = ${importId} and number = ${number}`,

    hasPieces: (importId: number) => hasRow(db)`
      select from import_pieces where import_id = ${importId} limit 1`,

    /** Of a dry run that has ended; false where there are none. */
    movePieces: (from: number, to: number): Promise<boolean> =>
      hasChanged(
        db
          .updateTable('importPieces')
          .set({ importId: to })
          .where('importId', '=', from)
          .where(
            sql<boolean>`exists (select from imports where id = ${from} and is_dry_run and state = 'done')`,
          ),
      ),

    markWaiting: (id: number, of: { format: object; lines: number }) =>
      rowsOf(db, 'imports', { id, state: 'uploading' }).update({
        state: 'waiting',
        format: JSON.stringify(of.format),
        lines: of.lines,
      }),

    find: (id: number): Promise<StoredImport | undefined> => select().where('id', '=', id).executeTakeFirst(),

    /** Newest first. */
    list: (page: { beforeId: number | undefined; limit: number }): Promise<StoredImport[]> =>
      select()
        .$if(page.beforeId !== undefined, (query) => query.where('id', '<', page.beforeId ?? 0))
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute(),

    /** Undefined while another worker has it, or an older one is open: activation mails of two would mix. */
    claim: (id: number, leaseSeconds: number): Promise<ClaimedImport | undefined> =>
      db
        .updateTable('imports')
        .set({
          state: 'running',
          attempts: sql<number>`attempts + 1`,
          startedAt: sql<Date>`coalesce(started_at, clock_timestamp())`,
          leaseToken: sql<string>`gen_random_uuid()`,
          leaseUntil: leaseEnd(leaseSeconds),
        })
        .where('id', '=', id)
        .where('state', 'in', ['waiting', 'running'])
        .where(sql<boolean>`coalesce(lease_until < clock_timestamp(), true)`)
        .where(
          sql<boolean>`not exists (select from imports o where o.id < imports.id and o.state in ('waiting', 'running'))`,
        )
        .returningAll()
        .$castTo<ClaimedImport>()
        .executeTakeFirst(),

    /** In the transaction of the rows it counts; false, and they must not stay, where another worker has taken over. */
    markProgress: (
      claimed: ClaimedImport,
      leaseSeconds: number,
      { rowsRead, report, problems }: ImportProgress,
    ): Promise<boolean> =>
      hasChanged(
        held(claimed).set({
          rowsRead,
          report: JSON.stringify(report),
          attempts: 0,
          leaseUntil: leaseEnd(leaseSeconds),
          ...(problems.length > 0 && {
            problems: sql<string>`problems || ${JSON.stringify(problems)}::jsonb`,
          }),
        }),
      ),

    /** The same moment for every worker that goes on with it. */
    async updateFirstMailAt(claimed: ClaimedImport, at: Date): Promise<void> {
      await held(claimed).set({ firstMailAt: at }).execute()
    },

    /** Gives it back unfinished, for anyone to go on with. */
    async release(claimed: ClaimedImport): Promise<void> {
      await held(claimed).set({ leaseToken: null, leaseUntil: null }).execute()
    },

    /** What was promised, and uploaded but for a dry run, goes with it. False where another worker has taken over. */
    async markEnded(claimed: ClaimedImport, state: 'done' | 'failed'): Promise<boolean> {
      const result = await held(claimed)
        .set({ state, endedAt: databaseTime, leaseToken: null, leaseUntil: null })
        .executeTakeFirst()
      if (result.numUpdatedRows === 0n) return false
      // A dry run's are wanted again.
      if (!claimed.isDryRun || state === 'failed')
        await rowsOf(db, 'importPieces', { importId: claimed.id }).delete()
      await rowsOf(db, 'importPromises', { importId: claimed.id }).delete()
      return true
    },

    listOpen: () => listValues<number>(db)`
      select id from imports where state in ('waiting', 'running') order by id`,

    delete: (id: number) => rowsOf(db, 'imports', { id }).delete(),

    /** Uploads that broke off a day ago, imports that nobody worked on for `days`, and reports that are older still. */
    async deleteOld(): Promise<void> {
      await run(db)`
        delete from imports
        where (state = 'uploading' and created_at < clock_timestamp() - interval '1 day')
          or (state in ('waiting', 'running') and created_at < clock_timestamp() - make_interval(days => ${keptDays.importsUnworked})
            and coalesce(lease_until < clock_timestamp(), true))
          or created_at < clock_timestamp() - make_interval(days => ${keptDays.importReports})`
      await run(db)`
        delete from import_pieces p using imports i
        where i.id = p.import_id and i.state = 'done'
          and i.ended_at < clock_timestamp() - make_interval(days => ${keptDays.importsUnworked})`
    },

    listPromised: (importId: number, addressHmacs: Buffer[]): Promise<Promised[]> =>
      db
        .selectFrom('importPromises')
        .select(['addressHmac', 'newsletterId', 'state'])
        .where('importId', '=', importId)
        .where(sql<boolean>`address_hmac = any (${addressHmacs}::bytea[])`)
        .execute(),

    async putPromised(importId: number, promised: Promised[]): Promise<void> {
      if (promised.length === 0) return
      await db
        .insertInto('importPromises')
        .values(promised.map((one) => ({ importId, ...one })))
        .onConflict((conflict) =>
          conflict
            .columns(['importId', 'addressHmac', 'newsletterId'])
            .doUpdateSet({ state: sql<string>`excluded.state` }),
        )
        .execute()
    },
  }
}

const leaseEnd = (seconds: number) =>
  sql<Date>`clock_timestamp() + make_interval(secs => ${seconds}::double precision)`
