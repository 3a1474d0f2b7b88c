import { isLiftable } from '../../domain/deliverability/suppression.ts'
import { findAddress, hashAddress, parseAddress } from '../../domain/subscribers/address.ts'
import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import type { Actor } from '../../domain/editor.ts'
import type { Keyring } from '../../domain/keyring.ts'
import { conflict, notFound } from '../../errors.ts'
import type { ListedSuppression, Suppression } from '../../store/deliverability/suppressions.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { endSubscriptions } from '../subscribers/end-subscriptions.ts'

/** Addresses we never write to again. Only their HMACs are kept. */
export function createSuppressionService({ database, keyring }: Pick<Parts, 'database' | 'keyring'>) {
  const { stores } = database

  const lift = async (id: number | undefined, actor: Actor): Promise<void> => {
    await database.transaction(async (tx) => {
      const suppression = id === undefined ? undefined : await tx.suppressions.findListed(id)
      if (!suppression) {
        throw notFound('no_suppression', 'This address is not suppressed.')
      }
      if (!isLiftable(suppression)) {
        const sentence = 'This person was erased at their wish; they alone can come back, by signing up.'
        throw conflict('erased_stays', sentence)
      }
      await tx.suppressions.deleteById(suppression.id)
      await tx.audit.insert(actor, 'suppression.remove', objectOf(suppression.subscriber))
    })
  }

  return {
    async list(request: PageRequest): Promise<Page<ListedSuppression>> {
      const beforeId = request.after === undefined ? undefined : Number(request.after[0])
      const rows = await stores.suppressions.list({ beforeId, limit: request.limit + 1 })
      return toPage(rows, request.limit, (row) => [row.id])
    },

    /** By the whole address: of a part of it there is no HMAC. */
    async find(email: string): Promise<Page<ListedSuppression>> {
      const suppression = await findSuppression(keyring, stores, email)
      const found = suppression && (await stores.suppressions.findListed(suppression.id))
      return { data: found ? [found] : [], next: null }
    },

    /** Ends whatever the address receives. @throws DomainError `invalid_address` */
    async add(email: string, detail: string | undefined, actor: Actor): Promise<Suppression> {
      const address = parseAddress(email)
      const hashes = hashAddress(keyring, address)
      return database.transaction(async (tx) => {
        const editorId = actor.kind === 'editor' ? actor.id : undefined
        await tx.suppressions.put(hashes, { reason: 'manual', detail, editorId })
        const subscriber = await tx.subscribers.findByAddress(address.text)
        if (subscriber)
          await endSubscriptions(tx, {
            subscriberId: subscriber.id,
            reason: 'unsubscribed',
            recorded: 'suppressed',
          })
        await tx.audit.insert(actor, 'suppression.add', objectOf(subscriber))
        const suppression = await tx.suppressions.find(hashes)
        if (!suppression) throw new Error('a suppression vanished while it was put')
        return suppression
      })
    },

    /** Lifts it; subscriptions that it ended stay ended. @throws DomainError `no_suppression`, `erased_stays` */
    async remove(email: string, actor: Actor): Promise<void> {
      await lift((await findSuppression(keyring, stores, email))?.id, actor)
    },

    /** The same for one of the list. */
    lift,

    /** Where a key was taken out of the keyring, whoever is suppressed under it may be written to again. */
    judgeKeys: () => stores.suppressions.judgeKeys(keyring.keyIds),
  }
}

/** @param text an address; empty where the person was erased */
export async function findSuppression(
  keyring: Keyring,
  { suppressions }: Pick<Stores, 'suppressions'>,
  text: string | null | undefined,
): Promise<Suppression | undefined> {
  const address = findAddress(text ?? '')
  return address && suppressions.find(hashAddress(keyring, address))
}

/** Whether we never write to it; so with whatever is no address. */
export const isSuppressed = async (
  keyring: Keyring,
  tx: Pick<Stores, 'suppressions'>,
  text: string | null | undefined,
): Promise<boolean> => !findAddress(text ?? '') || (await findSuppression(keyring, tx, text)) !== undefined

const objectOf = (subscriber: { id: number } | undefined): string =>
  subscriber ? `subscriber:${subscriber.id}` : ''
