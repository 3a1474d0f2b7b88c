import { sql } from 'kysely'
import type { Executor } from '../executor.ts'

/** What the record of sending holds about one person. */
export function personalDataStore(db: Executor) {
  return {
    /** Newest first. */
    async listDeliveries(subscriberId: number) {
      const rows = await db
        .selectFrom('deliveries as d')
        .innerJoin('digests as g', 'g.id', 'd.digestId')
        .innerJoin('newsletters as n', 'n.id', 'g.newsletterId')
        .select([
          'd.digestId as digest',
          'n.slug as newsletter',
          'd.state',
          'd.reason',
          'd.acceptedAt',
          'g.startedAt',
          'g.createdAt',
        ])
        .where('d.subscriberId', '=', subscriberId)
        .orderBy('d.digestId', 'desc')
        .limit(1_000)
        .execute()
      return rows
    },

    /** Nulls what identifies the person; that something was sent, and counted, stays. */
    async delete(subscriberId: number): Promise<void> {
      await db
        .updateTable('deliveries')
        .set({ smtpAnswer: null, relayId: null })
        .where('subscriberId', '=', subscriberId)
        .where('smtpAnswer', 'is not', null)
        .execute()
      await db
        .updateTable('bounces')
        .set({ smtpAnswer: null, proof: null })
        .where('subscriberId', '=', subscriberId)
        .execute()
      await db
        .updateTable('outbox')
        .set({ address: null, payload: '{}', smtpAnswer: null, messageId: null, relayId: null })
        .where('subscriberId', '=', subscriberId)
        .execute()
      await db
        .updateTable('subscribers')
        .set({ address: null, addressHmac: null, keyId: null, erasedAt: sql<Date>`clock_timestamp()` })
        .where('id', '=', subscriberId)
        .execute()
    },
  }
}
