import type { InferResult } from 'kysely'
import { lowerRole, type Role } from '../../domain/editor.ts'
import { findValue, listValues, rowsOf, run, type Executor } from '../executor.ts'

/** An API key as it may be shown: the key itself is stored nowhere. */
export type ApiKey = ReturnType<typeof toKey>

/** A key ends with its maker, and may do no more than they may now. The command line is no maker. */
const keysInUse = (db: Executor) =>
  db
    .selectFrom('apiKeys as k')
    .leftJoin('editors as e', 'e.id', 'k.createdBy')
    .select(['k.id', 'k.name', 'k.role', 'k.prefix', 'k.createdAt', 'k.expiresAt', 'k.usedAt'])
    .select(['e.email as maker', 'e.role as makerRole'])
    .$narrowType<{ role: Role; makerRole: Role | null }>()
    .where('k.revokedAt', 'is', null)
    .where('e.removedAt', 'is', null)

export function apiKeyStore(db: Executor) {
  const inUse = () => keysInUse(db)
  return {
    async insert(key: {
      name: string
      role: Role
      prefix: string
      keySha256: Buffer
      createdBy: number | null
      expiresAt: Date | null
    }): Promise<ApiKey> {
      const { id } = await db.insertInto('apiKeys').values(key).returning('id').executeTakeFirstOrThrow()
      return toKey(await inUse().where('k.id', '=', id).executeTakeFirstOrThrow())
    },

    async findByHash(keySha256: Buffer, now: Date): Promise<ApiKey | undefined> {
      const row = await inUse()
        .where('k.keySha256', '=', keySha256)
        .where((eb) => eb.or([eb('k.expiresAt', 'is', null), eb('k.expiresAt', '>', now)]))
        .executeTakeFirst()
      return row && toKey(row)
    },

    /** Until the end of the transaction it is not revoked; undefined where it is. */
    lock: (id: number): Promise<(Pick<ApiKey, 'expiresAt'> & { createdBy: number | null }) | undefined> =>
      db
        .selectFrom('apiKeys')
        .select(['createdBy', 'expiresAt'])
        .where('id', '=', id)
        .where('revokedAt', 'is', null)
        .forShare()
        .executeTakeFirst(),

    /** Also of a revoked one. */
    findName: (id: number) => findValue<string>(db)`select name from api_keys where id = ${id}`,

    async list(): Promise<ApiKey[]> {
      return (await inUse().orderBy('k.id').execute()).map(toKey)
    },

    updateUsed: (id: number, now: Date) => rowsOf(db, 'apiKeys', { id }).update({ usedAt: now }),

    /**
     * With those that were made with it, and with these: the log tells. One that is being made meanwhile may be left over,
     * and is found by the next call.
     * @param kept stays, with what was made with it
     * @returns which were in use
     */
    markRevoked: (id: number, kept: number | null) => listValues<number>(db)`
      with recursive ending as (
        select ${id}::bigint as id
        union
        select substr(a.subject, 5)::bigint
        from ending e join audit a on a.actor = 'key:' || e.id and a.action = 'key.created'
        where ${kept}::bigint is distinct from e.id and a.subject is distinct from 'key:' || ${kept}::bigint
      )
      update api_keys set revoked_at = now()
      where id in (select id from ending) and revoked_at is null returning id`,

    /** @returns how many were in use */
    markRevokedOf: (editorId: number) => run(db)`
      update api_keys set revoked_at = now() where created_by = ${editorId} and revoked_at is null`,
  }
}

const toKey = ({ makerRole, ...key }: InferResult<ReturnType<typeof keysInUse>>[number]) => ({
  ...key,
  role: makerRole === null ? key.role : lowerRole(key.role, makerRole),
})
