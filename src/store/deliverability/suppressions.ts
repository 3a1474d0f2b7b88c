import { sql, type InferResult, type Selectable } from 'kysely'
import type { SuppressionReason } from '../../domain/deliverability/suppression.ts'
import { hmacsOf, type AddressHash } from '../../domain/subscribers/address.ts'
import { findRow, hasChanged, listRows, type Executor } from '../executor.ts'
import type { Suppressions } from '../schema.ts'

export type Suppression = ReturnType<typeof toSuppression>

export type ListedSuppression = ReturnType<typeof toListed>

export interface NewSuppression {
  reason: SuppressionReason
  detail?: string | undefined
  editorId?: number | undefined
}

export interface KeyWitness {
  /** Suppressions that no address can match any more, because their key is gone. */
  lost: number
  /** Somebody's address was hashed under a key that is not here; under one that is. */
  isForeign: boolean
  isKnown: boolean
}

export function suppressionsStore(db: Executor) {
  return {
    /** Under any key of the keyring: a suppression outlives the key that hashed it. */
    async find(hashes: AddressHash[]): Promise<Suppression | undefined> {
      const row = await db
        .selectFrom('suppressions')
        .selectAll()
        .where('addressHmac', 'in', hmacsOf(hashes))
        .orderBy('createdAt', 'desc')
        .executeTakeFirst()
      return row && toSuppression(row)
    },

    /** Why those of these hashes are suppressed that are, by HMAC in hexadecimal. */
    async listReasons(hashes: AddressHash[]): Promise<Map<string, SuppressionReason>> {
      const rows = await listRows<{ hmac: string; reason: SuppressionReason }>(db)`
        select encode(address_hmac, 'hex') as "hmac", reason from suppressions
        where address_hmac = any (${hmacsOf(hashes)}::bytea[])`
      return new Map(rows.map(({ hmac, reason }) => [hmac, reason]))
    },

    /**
     * One row for an address, whichever key hashed it: that of the suppression it has, else that of its subscriber,
     * for digests compare those two. A stronger reason stays: a complaint is not weakened to a bounce, and erasure
     * gives way to both.
     * @param hashes under every key, the current one first
     */
    async put(hashes: AddressHash[], { reason, detail, editorId }: NewSuppression): Promise<void> {
      const [current] = hashes
      if (!current) throw new Error('a keyring has a key')
      const hmacs = hmacsOf(hashes)
      const strength = sql`array_position(array['erased', 'bounced', 'manual', 'complained']`
      await sql`
        insert into suppressions (address_hmac, key_id, reason, detail, created_by)
        select address_hmac, key_id, ${reason}, ${detail ?? null}, ${editorId ?? null} from (
          select 1 as choice, address_hmac, key_id from suppressions where address_hmac = any (${hmacs}::bytea[])
          union all
          select 2, address_hmac, key_id from subscribers where address_hmac = any (${hmacs}::bytea[])
          union all
          select 3, ${current.hmac}::bytea, ${current.keyId}
          order by choice limit 1) chosen
        on conflict (address_hmac) do update set reason = excluded.reason, detail = excluded.detail,
          created_by = excluded.created_by, created_at = clock_timestamp()
        where ${strength}, suppressions.reason) <= ${strength}, excluded.reason)`.execute(db)
    },

    delete: (hashes: AddressHash[], reasons: SuppressionReason[]): Promise<boolean> =>
      hasChanged(
        db
          .deleteFrom('suppressions')
          .where('addressHmac', 'in', hmacsOf(hashes))
          .where('reason', 'in', reasons),
      ),

    /** What tells whether these keys are the ones that people's addresses were hashed under. */
    async judgeKeys(keyIds: readonly string[]): Promise<KeyWitness> {
      const row = await findRow<KeyWitness>(db)`
        select
          (select count(*) from suppressions where key_id <> all(${keyIds})) as "lost",
          exists (select from subscribers where key_id <> all(${keyIds})) as "isForeign",
          exists (select from subscribers where key_id = any(${keyIds}))
            or exists (select from suppressions where key_id = any(${keyIds})) as "isKnown"`
      if (!row) throw new Error('a select without a table has one row')
      return row
    },

    async deleteById(id: number): Promise<void> {
      await db.deleteFrom('suppressions').where('id', '=', id).execute()
    },

    async findListed(id: number): Promise<ListedSuppression | undefined> {
      const row = await listed(db).where('suppressions.id', '=', id).executeTakeFirst()
      return row && toListed(row)
    },

    /** Newest entry first. */
    async list(page: { beforeId: number | undefined; limit: number }): Promise<ListedSuppression[]> {
      const rows = await listed(db)
        .$if(page.beforeId !== undefined, (query) => query.where('suppressions.id', '<', page.beforeId ?? 0))
        .orderBy('suppressions.id', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(toListed)
    },
  }
}

const listed = (db: Executor) =>
  db
    .selectFrom('suppressions')
    .leftJoin('subscribers', 'subscribers.addressHmac', 'suppressions.addressHmac')
    .leftJoin('editors', 'editors.id', 'suppressions.createdBy')
    .selectAll('suppressions')
    .select(['subscribers.id as subscriberId', 'subscribers.address', 'editors.email as editor'])

/** As the desk lists it: the address is known only while a subscriber has it. */
const toListed = (row: InferResult<ReturnType<typeof listed>>[number]) => ({
  ...toSuppression(row),
  subscriber:
    row.subscriberId === null || row.address === null
      ? undefined
      : { id: row.subscriberId, address: row.address },
  /** Who put it by hand. */
  editor: row.editor ?? undefined,
})

const toSuppression = ({ id, reason, detail, createdAt }: Selectable<Suppressions>) => ({
  id,
  reason: reason as SuppressionReason,
  detail: detail ?? undefined,
  createdAt,
})
