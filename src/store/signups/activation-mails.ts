import { mailLimitHours } from '../../domain/signups/mail-limits.ts'
import { hmacsOf, type AddressHash } from '../../domain/subscribers/address.ts'
import { listRows, listValues, run, type Executor } from '../executor.ts'
import { dayMs, hourMs } from '../../domain/time.ts'

/** What limits activation mail to one person: HMACs alone, which outlive the requests. */
export function activationMailsStore(db: Executor) {
  return {
    /** Decisions about these people follow each other until the transaction ends; locked in one order everywhere. */
    async lock(...limits: Pick<AddressHash, 'hmac'>[]): Promise<void> {
      await run(db)`
        select pg_advisory_xact_lock(hashtextextended(person, 0))
        from unnest(${limits.map(({ hmac }) => hmac.toString('hex')).toSorted()}::text[]) person`
    },

    async insert(...limitHmacs: Buffer[]): Promise<void> {
      await run(db)`insert into activation_mails (limit_hmac) select unnest(${limitHmacs}::bytea[])`
    },

    /** When mails were decided for these people, by HMAC in hexadecimal, as far back as any limit looks. */
    async listSent(limits: AddressHash[]): Promise<Map<string, Date[]>> {
      const rows = await listRows<{ limit: string; times: Date[] }>(db)`
        select encode(limit_hmac, 'hex') as "limit", array_agg(sent_at) as "times" from activation_mails
        where limit_hmac = any (${hmacsOf(limits)}::bytea[])
          and sent_at > clock_timestamp() - make_interval(hours => ${mailLimitHours})
        group by 1`
      return new Map(rows.map(({ limit, times }) => [limit, times]))
    },

    /** Of one person, under any key. */
    async list(limits: AddressHash[]): Promise<Date[]> {
      return [...(await this.listSent(limits)).values()].flat()
    },

    /** Those of these who want no such mail, in hexadecimal. */
    async listBlocked(limits: AddressHash[], now: Date): Promise<Set<string>> {
      const blocked = await listValues<string>(db)`
        select encode(limit_hmac, 'hex') as "limit" from activation_blocks
        where limit_hmac = any (${hmacsOf(limits)}::bytea[]) and blocked_until > ${now}`
      return new Set(blocked)
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
      const uncounted = new Date(now.getTime() - mailLimitHours * hourMs - dayMs)
      const deleted = await run(db)`
        delete from activation_mails where ctid = any(array(
          select ctid from activation_mails where sent_at < ${uncounted} limit ${limit}
          for update skip locked))`
      await db.deleteFrom('activationBlocks').where('blockedUntil', '<', now).execute()
      return deleted
    },
  }
}
