import type { Actor, Role } from '../../domain/editor.ts'
import { atField, invalid, notFound, unauthenticated } from '../../errors.ts'
import type { ApiKey } from '../../store/desk/api-keys.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { randomSecret, sha256 } from '../secret.ts'
import { withdrawInvitation } from './withdraw-invitation.ts'
import { dayMs } from '../../domain/time.ts'

/** Keys begin alike, so that scanners for leaked secrets find them. */
const keyPrefix = 'depeche_'

/** Of a key that nobody gave an end: forgotten keys end by themselves. */
export const keyLifetimeDays = 365

/** How exactly "last used" is kept; a write per request would cost more than it tells. */
const usedResolutionMs = 60_000

export function createKeyService({ database, now }: Pick<Parts, 'database' | 'now'>) {
  return {
    /**
     * A key made with a key belongs to the same person, and ends no later: also not where that is revoked.
     * @param wanted.lifetimeDays 0 is without end
     * @param wanted.expiresAt instead of a number of days; null is without end
     * @throws DomainError `expires_at_past`
     * @returns the key itself, which is shown this once and stored nowhere
     */
    async create(
      wanted: { name: string; role: Role; lifetimeDays?: number; expiresAt?: Date | null | undefined },
      actor: Actor,
    ): Promise<{ key: string; record: ApiKey }> {
      const key = keyPrefix + randomSecret()
      const record = await database.transaction(async (stores) => {
        const parent = actor.kind === 'key' ? await holdKey(stores, actor.id) : undefined
        const { lifetimeDays = keyLifetimeDays } = wanted
        const { expiresAt = lifetimeDays === 0 ? null : new Date(now().getTime() + lifetimeDays * dayMs) } =
          wanted
        if (expiresAt && expiresAt <= now()) {
          const sentence = 'The end of this key has passed; give a later one, or none for a year from now.'
          throw invalid('expires_at_past', sentence, atField('expiresAt', 'must be in the future'))
        }
        const inserted = await stores.apiKeys.insert({
          name: wanted.name,
          role: wanted.role,
          prefix: key.slice(0, keyPrefix.length + 4),
          keySha256: sha256(key),
          createdBy: actor.kind === 'editor' ? actor.id : (parent?.createdBy ?? null),
          expiresAt: earlier(expiresAt, parent?.expiresAt ?? null),
        })
        await stores.audit.insert(actor, 'key.created', `key:${inserted.id}`, {
          role: wanted.role,
          until: inserted.expiresAt?.toISOString().slice(0, 10) ?? null,
        })
        return inserted
      })
      return { key, record }
    },

    authenticate: async (key: string): Promise<Actor | undefined> => {
      const record = await database.stores.apiKeys.findByHash(sha256(key), now())
      if (!record) return undefined
      const isStale = !record.usedAt || now().getTime() - record.usedAt.getTime() > usedResolutionMs
      if (isStale) await database.stores.apiKeys.updateUsed(record.id, now())
      return { kind: 'key', id: record.id, role: record.role }
    },

    list: (): Promise<ApiKey[]> => database.stores.apiKeys.list(),

    /**
     * With all keys that were made with it, and by a person with the invitations that were sent: whoever got hold of it may
     * hold these. A program that changes its key, and revokes the one before with either, keeps the new one.
     * @throws DomainError `no_key`
     */
    async revoke(id: number, actor: Actor): Promise<void> {
      const kept = actor.kind === 'key' ? actor.id : null
      await database.transaction(async (stores) => {
        const revoked = await stores.apiKeys.markRevoked(id, kept)
        if (revoked.length === 0) throw notFound('no_key', 'There is no such key in use.')
        // One that somebody is making with one of these was waited for; with it, another may have been made.
        for (let late = revoked; late.length > 0; revoked.push(...late))
          late = await stores.apiKeys.markRevoked(id, kept)
        for (const one of revoked) {
          await stores.audit.insert(actor, 'key.revoked', `key:${one}`)
          if (kept !== null) continue
          for (const invitation of await stores.invitations.listOfKey(one))
            await withdrawInvitation(stores, invitation, actor)
        }
      })
    },
  }
}

/** What is made with a key is made while it is in use. @throws DomainError `no_valid_key` */
export async function holdKey({ apiKeys }: Stores, id: number) {
  const key = await apiKeys.lock(id)
  if (!key) throw unauthenticated('no_valid_key', 'This key was revoked a moment ago.')
  return key
}

/** Null is never. */
const earlier = (one: Date | null, other: Date | null): Date | null =>
  one === null || (other !== null && other < one) ? other : one
