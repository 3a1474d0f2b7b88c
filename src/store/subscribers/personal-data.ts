import { databaseTime, listRows, rowsOf, run, type Executor } from '../executor.ts'

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

    /** The digests of which only this is kept: that the person has it, or may have it. */
    listMovedDigests: (subscriberId: number) => listRows<{
      digest: number
      newsletter: string
      isSure: boolean
    }>(db)`
      select r.digest_id as digest, n.slug as newsletter, r.is_sure
      from variant_readers r join digests g on g.id = r.digest_id join newsletters n on n.id = g.newsletter_id
      where int8range(r.first_id, r.last_id, '[]') @> ${subscriberId}::bigint
        and r.subscriber_ids @> array[${subscriberId}]::bigint[]
      order by r.digest_id desc limit 1000`,

    /** Nulls what identifies the person; that something was sent, and counted, stays. */
    async delete(subscriberId: number): Promise<void> {
      await db
        .updateTable('deliveries')
        .set({ smtpAnswer: null, relayId: null })
        .where('subscriberId', '=', subscriberId)
        .where('smtpAnswer', 'is not', null)
        .execute()
      await run(db)`
        update variant_readers set subscriber_ids = array_remove(subscriber_ids, ${subscriberId}::bigint)
        where int8range(first_id, last_id, '[]') @> ${subscriberId}::bigint
          and subscriber_ids @> array[${subscriberId}]::bigint[]`
      await rowsOf(db, 'bounces', { subscriberId }).update({ smtpAnswer: null, proof: null })
      await rowsOf(db, 'outbox', { subscriberId }).update({
        address: null,
        payload: '{}',
        smtpAnswer: null,
        messageId: null,
        relayId: null,
      })
      await rowsOf(db, 'subscribers', { id: subscriberId }).update({
        address: null,
        addressHmac: null,
        keyId: null,
        erasedAt: databaseTime,
      })
    },
  }
}
