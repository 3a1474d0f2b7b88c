import { sql } from 'kysely'
import type { Cursor } from '../../domain/cursor.ts'
import type { DeliveryState } from '../../domain/delivery/delivery.ts'
import { noCounts, type DeliveryCounts } from '../../domain/digests/digest.ts'
import type { SubscriptionFacts } from '../../domain/subscribers/explain.ts'
import type { Executor } from '../executor.ts'

const selectLines = (db: Executor) =>
  db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .select([
      'deliveries.subscriberId as subscriber',
      'subscribers.address as email',
      'deliveries.state',
      'deliveries.reason',
      'deliveries.attempt as attempts',
      'deliveries.smtpAnswer',
      'deliveries.acceptedAt',
      'deliveries.nextAt',
    ])
    .$narrowType<{ state: DeliveryState }>()

export type DeliveryLine = Awaited<ReturnType<ReturnType<typeof selectLines>['execute']>>[number]

export function digestProgressStore(db: Executor) {
  return {
    /** All nine, in one statement: at every moment their sum is the audience. A digest without rows is absent. */
    async countByState(digestIds: readonly number[]): Promise<Map<number, DeliveryCounts>> {
      const rows = await db
        .selectFrom('deliveryCounts')
        .select(['digestId', 'state', sql<number>`sum(n)`.as('n')])
        .where('digestId', '=', sql<number>`any(${digestIds}::bigint[])`)
        .groupBy(['digestId', 'state'])
        .execute()
      const counts = new Map<number, DeliveryCounts>()
      for (const row of rows) {
        const known = counts.get(row.digestId) ?? noCounts()
        counts.set(row.digestId, { ...known, [row.state]: row.n })
      }
      return counts
    },

    /** By subscriber; one more than `limit`. */
    async list(
      digestId: number,
      filter: { state?: DeliveryState | undefined; limit: number; after?: Cursor | undefined },
    ): Promise<DeliveryLine[]> {
      let query = selectLines(db)
        .where('deliveries.digestId', '=', digestId)
        .orderBy('deliveries.subscriberId')
        .limit(filter.limit + 1)
      if (filter.state) query = query.where('deliveries.state', '=', filter.state)
      if (filter.after) query = query.where('deliveries.subscriberId', '>', Number(filter.after[0]))
      return query.execute()
    },

    find: (digestId: number, subscriberId: number): Promise<DeliveryLine | undefined> =>
      selectLines(db)
        .where('deliveries.digestId', '=', digestId)
        .where('deliveries.subscriberId', '=', subscriberId)
        .executeTakeFirst(),

    findFacts: (subscriberId: number, newsletterId: number): Promise<SubscriptionFacts | undefined> =>
      db
        .selectFrom('subscriptions')
        .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
        .leftJoin('suppressions', 'suppressions.addressHmac', 'subscribers.addressHmac')
        .select([
          'subscriptions.state',
          'subscriptions.endedAt',
          'subscriptions.activatedAt',
          'subscriptions.cadence',
          'subscriptions.alerts',
          'subscriptions.pausedUntil',
          'suppressions.reason as suppressedReason',
        ])
        .where('subscriptions.subscriberId', '=', subscriberId)
        .where('subscriptions.newsletterId', '=', newsletterId)
        .executeTakeFirst(),
  }
}
