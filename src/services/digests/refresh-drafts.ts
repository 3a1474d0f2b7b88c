import { hash } from 'node:crypto'
import type { Digest } from '../../domain/digests/digest.ts'
import { composeDraft, countPlans, isUnfrozen, listMatter, storeDraft, type Draft } from './draft.ts'
import type { Counting } from '../../store/digests/audience.ts'
import type { Parts } from '../parts.ts'
import { singleFlight } from '../single-flight.ts'
import { hourMs } from '../../domain/time.ts'

export type DraftService = ReturnType<typeof createDraftService>

/** A draft by hand is refreshed in the background for so long; then whoever looks at it does it. */
const handDays = 7
/** Not refreshed for so long: nobody does it in the background. */
const forgottenMs = hourMs
/** Counting readers again may take this part of a worker's time. */
const countingShare = 0.02

/**
 * What open digests would hold now, found out beside those who look: looking shows what is stored, and waits for nobody
 * who holds the digest.
 */
export function createDraftService(parts: Pick<Parts, 'config' | 'database' | 'now'>) {
  const { database } = parts
  const { stores } = database
  /** Of each draft, what it was last made from, and when its readers are counted again. */
  const known = new Map<number, { made: string; countAgainAt: number }>()

  const draftOf = async (digest: Digest): Promise<Draft> => ({
    digest,
    newsletter: await stores.newsletters.get(digest.newsletterId),
  })
  const isOpen = ({ state }: Digest) => state === 'draft' || state === 'approved' || state === 'scheduled'

  const findMade = async (draft: Draft): Promise<string> => {
    const matter = await listMatter(parts, stores, draft)
    const { state } = draft.digest
    return hash('sha256', JSON.stringify([state, draft.newsletter, matter]), 'base64')
  }

  /** Without a lock: stored only where nobody has the digest or has changed it meanwhile, who then knows better. */
  const refresh = singleFlight(async (id: number, counting: Counting): Promise<void> => {
    const draft = await draftOf(await stores.digests.get(id))
    const { digest } = draft
    if (!isOpen(digest)) return
    const content = isUnfrozen(digest) ? await composeDraft(parts, stores, draft, counting) : undefined
    const plans = content?.plans ?? (await countPlans(stores, draft, counting))
    await database.transaction(async (tx) => {
      if (!(await tx.digests.claimUnchanged(id, digest.version))) return
      if (content) await storeDraft(tx, digest, content)
      else await tx.digests.updatePlans(id, plans)
    })
  })

  /** Whether a worker does it: one lives, and has done it lately, by the rules as they are. */
  const isRefreshed = async ({ digest: { refreshedAt }, newsletter }: Draft): Promise<boolean> =>
    refreshedAt !== null &&
    refreshedAt >= newsletter.updatedAt &&
    Date.now() - refreshedAt.getTime() < forgottenMs &&
    (await stores.workers.countAlive()) > 0

  return {
    /** A digest as it is stored, and its newsletter; an open one that nobody refreshes is refreshed first. */
    async get(id: number): Promise<Draft> {
      const draft = await draftOf(await stores.digests.get(id))
      return !isOpen(draft.digest) || (await isRefreshed(draft)) ? draft : this.getFresh(id)
    },

    /** The same, refreshed before. */
    async getFresh(id: number): Promise<Draft> {
      await refresh(id, 'lately')
      return draftOf(await stores.digests.get(id))
    },

    /** Every open digest that something has changed for, or whose readers were counted long ago. */
    async refreshAll(): Promise<void> {
      await stores.audience.deleteOld()
      const ids = await stores.digests.listOpen(handDays)
      for (const id of known.keys()) if (!ids.includes(id)) known.delete(id)
      const began = performance.now()
      /** Of each newsletter, how long the slowest of its drafts took. */
      const slowest = new Map<number, number>()
      for (const id of ids) {
        const draft = await draftOf(await stores.digests.get(id))
        const made = await findMade(draft)
        const before = known.get(id)
        const startedAt = performance.now()
        const isDue = !before || began >= before.countAgainAt
        if (!isDue && before.made === made) continue
        // Of a large newsletter the first draft of this round counts for all that look at the same.
        await refresh(id, isDue ? { withinSeconds: (startedAt - began) / 1000 } : 'lately')
        const took = Math.max(slowest.get(draft.newsletter.id) ?? 0, performance.now() - startedAt)
        slowest.set(draft.newsletter.id, took)
        known.set(id, { made, countAgainAt: isDue ? began + took / countingShare : before.countAgainAt })
      }
    },
  }
}
