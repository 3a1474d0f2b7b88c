import { sql, type RawBuilder } from 'kysely'
import { keptReason } from '../../domain/delivery/delivery.ts'
import { getValue, run, type Executor } from '../executor.ts'

/** A delivery in doubt that nobody has decided on. */
export const undecided = sql<boolean>`state = 'uncertain' and reason is distinct from ${keptReason}`

/** Deliveries of which nobody knows whether they arrived, and what the desk makes of them. */
export function doubtStore(db: Executor) {
  /** Only ever from `uncertain`: whoever was accepted meanwhile is not touched. @returns how many */
  const decide = async (
    digestId: number,
    subscriberIds: readonly number[] | undefined,
    change: RawBuilder<unknown>,
  ): Promise<number> => {
    const named = subscriberIds
      ? sql<boolean>`subscriber_id = any(${subscriberIds}::bigint[])`
      : sql<boolean>`true`
    return run(db)`
      with locked as materialized (
        select subscriber_id as id from deliveries where digest_id = ${digestId} and ${undecided} and ${named}
        order by subscriber_id for update
      )
      update deliveries set ${change} from locked where digest_id = ${digestId} and subscriber_id = id`
  }

  return {
    count: (digestId: number) => getValue<number>(db)`
      select count(*)::int as n from deliveries where digest_id = ${digestId} and ${undecided}`,

    /**
     * They wait to be sent once more; all, or those named. `ambiguous` stays as it is, so that another answer that
     * does not come makes them uncertain again, and nothing is ever repeated without the desk.
     */
    release: (digestId: number, subscriberIds?: readonly number[]) =>
      decide(
        digestId,
        subscriberIds,
        sql`state = 'pending', reason = null, lease_token = null, next_at = null`,
      ),

    /** They stay uncertain, for good. */
    markKept: (digestId: number, subscriberIds?: readonly number[]) =>
      decide(digestId, subscriberIds, sql`reason = ${keptReason}`),
  }
}
