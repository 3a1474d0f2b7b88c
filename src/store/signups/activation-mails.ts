import { sql } from 'kysely'
import { mailLimitHours } from '../../domain/signups/activation.ts'
import { hmacsOf, type AddressHash } from '../../domain/subscribers/address.ts'
import type { Executor } from '../executor.ts'

/** What limits activation mail to one person: HMACs alone, which outlive the requests. */
export function activationMailsStore(db: Executor) {
  return {
    /** Decisions about one person follow each other until the transaction ends. */
    async lock(limit: AddressHash): Promise<void> {
      await sql`select pg_advisory_xact_lock(hashtextextended(encode(${limit.hmac}, 'hex'), 0))`.execute(db)
    },

    async insert(limitHmac: Buffer): Promise<void> {
      await db.insertInto('activationMails').values({ limitHmac }).execute()
    },

    /** When mails were decided for this person, under any key, as far back as any limit looks. */
    async list(limits: AddressHash[]): Promise<Date[]> {
      const rows = await db
        .selectFrom('activationMails')
        .select('sentAt')
        .where('limitHmac', 'in', hmacsOf(limits))
        .where('sentAt', '>', sql<Date>`clock_timestamp() - make_interval(hours => ${mailLimitHours})`)
        .execute()
      return rows.map((row) => row.sentAt)
    },

    async isBlocked(limits: AddressHash[], now: Date): Promise<boolean> {
      const row = await db
        .selectFrom('activationBlocks')
        .select('limitHmac')
        .where('limitHmac', 'in', hmacsOf(limits))
        .where('blockedUntil', '>', now)
        .executeTakeFirst()
      return row !== undefined
    },

    async putBlock(limitHmac: Buffer, blockedUntil: Date): Promise<void> {
      await db
        .insertInto('activationBlocks')
        .values({ limitHmac, blockedUntil })
        .onConflict((conflict) => conflict.column('limitHmac').doUpdateSet({ blockedUntil }))
        .execute()
    },

    /** What no limit counts any more. @returns how many mails; fewer than `limit` means none is left */
    async deleteOld(now: Date, limit: number): Promise<number> {
      const dayMs = 24 * 3_600_000
      const uncounted = new Date(now.getTime() - mailLimitHours * 3_600_000 - dayMs)
      const { numAffectedRows } = await sql`
        delete from activation_mails where ctid = any(array(
          select ctid from activation_mails where sent_at < ${uncounted} limit ${limit}
          for update skip locked))`.execute(db)
      await db.deleteFrom('activationBlocks').where('blockedUntil', '<', now).execute()
      return Number(numAffectedRows ?? 0)
    },
  }
}
