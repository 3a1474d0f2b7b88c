import { findAddress, hashAddress, parseAddress } from '../domain/address.ts'
import { toPage, type Page, type PageRequest } from '../domain/cursor.ts'
import { nameOfActor, type Actor } from '../domain/editor.ts'
import { DomainError } from '../errors.ts'
import type { Suppression } from '../store/suppressions.ts'
import type { Parts } from './parts.ts'

/** Addresses we never write to again. Only their HMACs are kept. */
export function createSuppressionService({ database, keyring }: Pick<Parts, 'database' | 'keyring'>) {
  const { stores } = database
  return {
    async list(request: PageRequest): Promise<Page<Suppression>> {
      const beforeId = request.after === undefined ? undefined : Number(request.after[0])
      const rows = await stores.suppressions.list({ beforeId, limit: request.limit + 1 })
      return toPage(rows, request.limit, (row) => [row.id])
    },

    /** Ends whatever the address receives. @throws DomainError `invalid_address` */
    async add(email: string, detail: string | undefined, actor: Actor): Promise<Suppression> {
      const address = parseAddress(email)
      const hashes = hashAddress(keyring, address)
      return database.transaction(async (tx) => {
        const [hash] = hashes
        if (hash) await tx.suppressions.put(hash, 'manual', detail)
        const subscriber = await tx.subscribers.findByAddress(address.text)
        if (subscriber) {
          const newsletterIds = await tx.subscriptions.markEnded(subscriber.id, 'unsubscribed')
          await tx.consents.insert({
            event: 'ended',
            subscriberId: subscriber.id,
            newsletterIds,
            reason: 'suppressed',
          })
        }
        await tx.audit.insert({
          actor: nameOfActor(actor),
          action: 'suppression.add',
          subject: subjectOf(subscriber),
        })
        const suppression = await tx.suppressions.find(hashes)
        if (!suppression) throw new Error('a suppression vanished while it was put')
        return suppression
      })
    },

    /** Lifts it; subscriptions that it ended stay ended. @throws DomainError `no_suppression` */
    async remove(email: string, actor: Actor): Promise<void> {
      const address = findAddress(email)
      const isRemoved =
        address !== undefined && (await stores.suppressions.delete(hashAddress(keyring, address)))
      if (!isRemoved) {
        throw new DomainError('not_found', 'no_suppression', 'This address is not suppressed.')
      }
      const subscriber = await stores.subscribers.findByAddress(address.text)
      await stores.audit.insert({
        actor: nameOfActor(actor),
        action: 'suppression.remove',
        subject: subjectOf(subscriber),
      })
    },
  }
}

const subjectOf = (subscriber: { id: number } | undefined): string =>
  subscriber ? `subscriber:${subscriber.id}` : ''
