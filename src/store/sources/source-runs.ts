import type { Selectable } from 'kysely'
import type { LookReason } from '../../domain/sources/source.ts'
import { run, type Executor } from '../executor.ts'
import type { SourceRuns } from '../schema.ts'

/** What a look has done. */
export type RunCounts = Record<'created' | 'updated' | 'skipped' | 'withdrawn' | 'restored', number>

export type SourceRun = Omit<Selectable<SourceRuns>, 'sourceId' | 'reason'> & { reason: LookReason }

const kept = 200

export function sourceRunsStore(db: Executor) {
  return {
    async insert(
      sourceId: number,
      look: RunCounts & { startedAt: Date; reason: LookReason; failure: string | undefined },
    ): Promise<void> {
      await db
        .insertInto('sourceRuns')
        .values({ sourceId, ...look, failure: look.failure ?? null })
        .execute()
      await run(db)`
        delete from source_runs where source_id = ${sourceId} and id <= (
          select id from source_runs where source_id = ${sourceId} order by id desc offset ${kept} limit 1)`
    },

    /** The latest first. */
    async list(sourceId: number, limit: number): Promise<SourceRun[]> {
      const rows = await db
        .selectFrom('sourceRuns')
        .selectAll()
        .where('sourceId', '=', sourceId)
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(({ sourceId: _, ...row }) => ({ ...row, reason: row.reason as LookReason }))
    },
  }
}
