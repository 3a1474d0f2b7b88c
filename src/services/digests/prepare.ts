import { findFollowing } from '../../domain/digests/cadence.ts'
import { isLetter, lifetimeMs, type DigestState } from '../../domain/digests/digest.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { audienceQueryOf, mostArticles, type Draft } from './draft.ts'
import { beginSpread } from './spread.ts'
import type { DigestTransitionsService } from './transitions.ts'

/** The last step before sending: who gets it is settled here, by what readers want now. */
export function createPrepareService(
  parts: Pick<Parts, 'database' | 'mail'> & { digestTransitions: Pick<DigestTransitionsService, 'ring'> },
) {
  const { database, digestTransitions } = parts
  return {
    /**
     * Turns the frozen digest into one delivery per reader, in one transaction: all of the audience or none of it.
     * A digest that is not preparing is left alone.
     */
    async prepare(id: number): Promise<void> {
      const digest = await database.transaction(async (stores) => {
        await stores.variants.claimPreparation()
        const claimed = await stores.digests.claim(id)
        if (claimed.state !== 'preparing') return claimed
        const newsletter = await stores.newsletters.get(claimed.newsletterId)
        const { state } = newsletter
        // Sent at the moment of the pause, or by a process of the version before, which knows none.
        if (state === 'paused' || state === 'ended') await stores.runningDigests.stopAll(newsletter.id, state)
        else await prepare(parts, stores, { digest: claimed, newsletter })
        return stores.digests.get(id)
      })
      if (digest.state === 'sending') await database.stores.variants.analyze()
      await digestTransitions.ring(digest)
    },
  }
}

async function prepare(
  parts: Pick<Parts, 'mail'>,
  stores: Stores,
  { digest, newsletter }: Draft,
): Promise<void> {
  const from: DigestState[] = ['preparing']
  const completedAt = await stores.clock.now()
  const articleIds = digest.content?.articles.map((article) => article.id) ?? []
  const isScheduled = digest.localDate !== null
  const isEmpty = articleIds.length === 0 && !isLetter(digest)
  if (isEmpty || (isScheduled && articleIds.length < newsletter.minArticles)) {
    const reason = isEmpty ? 'nothing_new' : 'too_few'
    await stores.digests.markState(digest.id, from, 'skipped', { reason, audience: 0, completedAt })
    return
  }
  const query = audienceQueryOf({ digest, newsletter }, articleIds)
  const { audience, pending } = await stores.variants.insertDeliveries(
    query,
    mostArticles({ digest, newsletter }),
  )
  if (pending === 0) {
    const reason = audience === 0 ? 'no_readers' : 'nothing_new'
    await stores.digests.markState(digest.id, from, 'skipped', { reason, audience, completedAt })
    return
  }
  const schedule = isScheduled && newsletter.schedules.find(({ cadence }) => cadence === digest.cadence)
  const next = schedule ? findFollowing(digest, schedule, completedAt)?.getTime() : undefined
  const expiresAt = new Date(Math.min(completedAt.getTime() + lifetimeMs, next ?? Infinity))
  await stores.digests.markState(digest.id, from, 'sending', { audience, expiresAt })
  await beginSpread(parts, stores, { digest, newsletter, readers: pending, now: completedAt })
  // The archive shows it as soon as the first reader has it.
  await stores.feedDocuments.markDirty([{ subject: `newsletter:${newsletter.slug}` }])
}
