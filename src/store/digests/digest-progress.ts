import { sql } from 'kysely'
import type { Cursor } from '../../domain/cursor.ts'
import type { DeliveryState } from '../../domain/delivery/delivery.ts'
import { noCounts, type DeliveryCounts } from '../../domain/digests/digest.ts'
import type { SubscriptionFacts } from '../../domain/subscribers/explain.ts'
import type { Executor } from '../executor.ts'

export interface DeliveryLine {
  subscriberId: number
  email: string | undefined
  state: DeliveryState
  reason: string | undefined
  attempts: number
  variantArticleIds: number[] | undefined
  smtpAnswer: string | undefined
  acceptedAt: Date | undefined
  nextAt: Date | undefined
}

export function digestProgressStore(db: Executor) {
  const lines = () =>
    db
      .selectFrom('deliveries')
      .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
      .leftJoin('variants', 'variants.id', 'deliveries.variantId')
      .select([
        'deliveries.subscriberId',
        'subscribers.address as email',
        'deliveries.state',
        'deliveries.reason',
        'deliveries.attempt',
        'variants.articleIds',
        'deliveries.smtpAnswer',
        'deliveries.acceptedAt',
        'deliveries.nextAt',
      ])
  type Line = Awaited<ReturnType<ReturnType<typeof lines>['execute']>>[number]
  const toLine = (row: Line): DeliveryLine => ({
    subscriberId: row.subscriberId,
    email: row.email ?? undefined,
    state: row.state as DeliveryState,
    reason: row.reason ?? undefined,
    attempts: row.attempt,
    variantArticleIds: row.articleIds ?? undefined,
    smtpAnswer: row.smtpAnswer ?? undefined,
    acceptedAt: row.acceptedAt ?? undefined,
    nextAt: row.nextAt ?? undefined,
  })

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
      let query = lines()
        .where('deliveries.digestId', '=', digestId)
        .orderBy('deliveries.subscriberId')
        .limit(filter.limit + 1)
      if (filter.state) query = query.where('deliveries.state', '=', filter.state)
      if (filter.after) query = query.where('deliveries.subscriberId', '>', Number(filter.after[0]))
      return (await query.execute()).map(toLine)
    },

    async find(digestId: number, subscriberId: number): Promise<DeliveryLine | undefined> {
      const row = await lines()
        .where('deliveries.digestId', '=', digestId)
        .where('deliveries.subscriberId', '=', subscriberId)
        .executeTakeFirst()
      return row && toLine(row)
    },

    async findFacts(subscriberId: number, newsletterId: number): Promise<SubscriptionFacts | undefined> {
      const row = await db
        .selectFrom('subscriptions')
        .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
        .leftJoin('suppressions', 'suppressions.addressHmac', 'subscribers.addressHmac')
        .select([
          'subscriptions.state',
          'subscriptions.endedReason',
          'subscriptions.endedAt',
          'subscriptions.activatedAt',
          'subscriptions.cadence',
          'subscriptions.alerts',
          'subscriptions.pausedUntil',
          'suppressions.reason as suppressedReason',
        ])
        .where('subscriptions.subscriberId', '=', subscriberId)
        .where('subscriptions.newsletterId', '=', newsletterId)
        .executeTakeFirst()
      if (!row) return undefined
      return {
        state: row.state,
        endedReason: row.endedReason ?? undefined,
        endedAt: row.endedAt ?? undefined,
        activatedAt: row.activatedAt ?? undefined,
        cadence: row.cadence,
        alerts: row.alerts,
        pausedUntil: row.pausedUntil ?? undefined,
        suppressedReason: row.suppressedReason ?? undefined,
      }
    },

    async findSubscriberId(address: string): Promise<number | undefined> {
      const row = await db
        .selectFrom('subscribers')
        .select('id')
        .where(sql`lower(address)`, '=', sql`lower(${address})`)
        .executeTakeFirst()
      return row?.id
    },

    async hasSubscriber(id: number): Promise<boolean> {
      return (
        (await db.selectFrom('subscribers').select('id').where('id', '=', id).executeTakeFirst()) !==
        undefined
      )
    },
  }
}
