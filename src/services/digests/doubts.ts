import type { DoubtDecision } from '../../domain/delivery/delivery.ts'
import { lifetimeMs, requireMayDo, type Digest } from '../../domain/digests/digest.ts'
import { requireRunning } from '../../domain/newsletter.ts'
import type { Stores } from '../../store/stores.ts'
import { answerIdempotently, type IdempotentAnswer, type IdempotentRequest } from '../idempotency.ts'
import type { DigestTransitionsService } from './transitions.ts'
import type { Parts } from '../parts.ts'

export type DoubtService = ReturnType<typeof createDoubtService>

interface DecisionRequest extends Omit<IdempotentRequest, 'action' | 'body'> {
  decision: DoubtDecision
  /** Ids; absent: everyone nobody has decided on. */
  subscribers?: readonly number[] | undefined
}

/** What the desk decides about readers of whom nobody knows whether they got the digest. */
export function createDoubtService(
  parts: Pick<Parts, 'database'> & { digestTransitions: Pick<DigestTransitionsService, 'ring'> },
) {
  const { database, digestTransitions } = parts
  return {
    /** Readers of a digest that are in doubt and not decided on. */
    count: (digestId: number): Promise<number> => database.stores.doubts.count(digestId),

    /**
     * Sends once more to readers in doubt, who may then have it twice, or leaves them as they are, for good. Who is not
     * in doubt any more, because an answer came late or a colleague has decided, is kept alone and not counted.
     * @throws DomainError `no_digest`, `wrong_state`, `idempotency_key_reused`, `newsletter_paused`,
     *   `newsletter_ended`
     */
    async decide(id: number, request: DecisionRequest): Promise<IdempotentAnswer> {
      const { decision, subscribers } = request
      const answer = await database.transaction(async (stores) => {
        const digest = await stores.digests.claim(id)
        const keyed = { ...request, action: `doubt digest:${id}`, body: { decision, subscribers } }
        return answerIdempotently(stores, keyed, async () => {
          requireMayDo(digest, decision)
          if (decision === 'resend') requireRunning(await stores.newsletters.get(digest.newsletterId))
          const decided = await (decision === 'resend' ? resend : keep)(stores, digest, subscribers)
          await stores.audit.insert(request.actor, `digest.doubt.${decision}`, `digest:${id}`, {
            decided,
            subscribers: subscribers?.join(' ') ?? 'all',
          })
          const { state } = await stores.digests.get(id)
          return { status: 200, body: { id, state, decided, undecided: await stores.doubts.count(id) } }
        })
      })
      await digestTransitions.ring(await database.stores.digests.get(id))
      return answer
    },
  }
}

type Subscribers = DecisionRequest['subscribers']

async function resend(stores: Stores, digest: Digest, subscribers: Subscribers): Promise<number> {
  const released = await stores.doubts.release(digest.id, subscribers)
  if (released > 0 && digest.state === 'completed_with_uncertain') {
    // Its own time may have passed: whoever sends again today wants it to arrive today.
    const expiresAt = new Date((await stores.clock.now()).getTime() + lifetimeMs)
    await stores.digests.markState(digest.id, [digest.state], 'sending', { completedAt: null, expiresAt })
  }
  return released
}

async function keep(stores: Stores, digest: Digest, subscribers: Subscribers): Promise<number> {
  const kept = await stores.doubts.markKept(digest.id, subscribers)
  if ((await stores.doubts.count(digest.id)) === 0) {
    await stores.digests.markState(digest.id, ['completed_with_uncertain'], 'completed')
  }
  return kept
}
