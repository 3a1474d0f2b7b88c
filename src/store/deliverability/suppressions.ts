import { sql, type InferResult, type Selectable } from 'kysely'
import type { SuppressionReason } from '../../domain/deliverability/suppression.ts'
import { hmacsOf, type AddressHash } from '../../domain/subscribers/address.ts'
import { getRow, hasChanged, listRows, rowsOf, run, type Executor } from '../executor.ts'
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
    put(hashes: AddressHash[], { reason, ...why }: NewSuppression): Promise<void> {
      return this.putAll([{ hashes, reason }], why)
    },

    /** The same of many, no two of one person. */
    async putAll(
      people: { hashes: AddressHash[]; reason: SuppressionReason }[],
      { detail, editorId }: Omit<NewSuppression, 'reason'>,
    ): Promise<void> {
      const given = people.flatMap(({ hashes, reason }, person) =>
        hashes.map(({ keyId, hmac }, place) => ({ person, place, reason, keyId, hmac })),
      )
      if (given.length === 0) return
      const strength = sql`array_position(array['erased', 'bounced', 'manual', 'complained']`
      await run(db)`
        with given as materialized (
          select * from unnest(${given.map(({ person }) => person)}::int[], ${given.map(({ place }) => place)}::int[],
            ${given.map(({ reason }) => reason)}::text[], ${given.map(({ keyId }) => keyId)}::text[],
            ${given.map(({ hmac }) => hmac)}::bytea[]) as hash (person, place, reason, key_id, address_hmac))
        insert into suppressions (address_hmac, key_id, reason, detail, created_by)
        select distinct on (person) address_hmac, key_id, reason, ${detail ?? null}, ${editorId ?? null}::bigint from (
          select person, given.reason, 1 as choice, s.address_hmac, s.key_id from given join suppressions s using (address_hmac)
          union all
          select person, reason, 2, p.address_hmac, p.key_id from given join subscribers p using (address_hmac)
          union all
          select person, reason, 3 + place, address_hmac, key_id from given) chosen
        order by person, choice
        on conflict (address_hmac) do update set reason = excluded.reason, detail = excluded.detail,
          created_by = excluded.created_by, created_at = clock_timestamp()
        where ${strength}, suppressions.reason) <= ${strength}, excluded.reason)`
    },

    /** What was noted of a person goes with them; that they are suppressed, and since when, stays. */
    updateErased: (hashes: AddressHash[]) => run(db)`
      update suppressions set detail = null where address_hmac = any (${hmacsOf(hashes)}::bytea[])`,

    delete: (hashes: AddressHash[], reasons: SuppressionReason[]): Promise<boolean> =>
      hasChanged(
        db
          .deleteFrom('suppressions')
          .where('addressHmac', 'in', hmacsOf(hashes))
          .where('reason', 'in', reasons),
      ),

    /** What tells whether these keys are the ones that people's addresses were hashed under. */
    judgeKeys: (keyIds: readonly string[]) => getRow<KeyWitness>(db)`
      select
        (select count(*) from suppressions where key_id <> all(${keyIds})) as "lost",
        exists (select from subscribers where key_id <> all(${keyIds})) as "isForeign",
        exists (select from subscribers where key_id = any(${keyIds}))
          or exists (select from suppressions where key_id = any(${keyIds})) as "isKnown"`,

    deleteById: (id: number) => rowsOf(db, 'suppressions', { id }).delete(),

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
