import { firstInstantOf, dateIn } from '../../domain/calendar.ts'
import {
  isLetter,
  lifetimeMs,
  mayDo,
  requireApproved,
  requireFinished,
  requireMayApprove,
  requireMayDo,
  requireTimeLeft,
  requireVersion,
  type Digest,
  type SeenVersion,
} from '../../domain/digests/digest.ts'
import { nameOfActor, type Actor } from '../../domain/editor.ts'
import { defaultAlertsPerDay, findCadence, requireRunning, type Newsletter } from '../../domain/newsletter.ts'
import { textIn } from '../../domain/publication.ts'
import { conflict, invalid } from '../../errors.ts'
import type { Stores } from '../../store/stores.ts'
import { ringForDigest } from '../delivery/ring-digest.ts'
import { answerIdempotently, type IdempotentAnswer, type IdempotentRequest } from '../idempotency.ts'
import { inDraftTransaction, refreshDraft, type Draft } from './draft.ts'
import type { Parts } from '../parts.ts'

/** Deliveries of a cancelled digest that whoever cancels it waits for. */
const skippedAtOnce = 2_000

export type DigestTransitionsService = ReturnType<typeof createDigestTransitionsService>

export interface SendRequest extends Omit<IdempotentRequest, 'action'> {
  /** The version somebody looked at; asked for after the key, so that a retry needs no new one. */
  version: () => number | undefined
  /** Over days, or to all at once; undefined leaves what was answered before, and else is at once. */
  spread?: boolean | undefined
}

/** The states of a digest, as people ask for them; `prepare.ts` and sending itself take over from `preparing` on. */
export function createDigestTransitionsService(
  parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'mail' | 'now'>,
) {
  const { database, doorbell } = parts

  const ring = async (digest: Pick<Digest, 'id' | 'state'>) => {
    if (digest.state === 'preparing') await doorbell.ring('prepare-digest', { digestId: digest.id })
    if (digest.state === 'sending') await ringForDigest(doorbell, digest.id)
  }

  /** One guarded change of state, told to the audit log, then to the workers. */
  const act = async (
    id: number,
    actor: Actor,
    change: (stores: Stores) => Promise<void>,
    action?: string,
  ): Promise<Digest> => {
    const digest = await inDraftTransaction(database, async (stores) => {
      await change(stores)
      const after = await stores.digests.get(id)
      await stores.audit.insert(actor, action ?? `digest.${after.state}`, `digest:${id}`, hashDetail(after))
      return after
    })
    await ring(digest)
    return digest
  }

  return {
    /**
     * Freezes a draft and binds the approval to its content hash.
     * @throws DomainError `wrong_state`, `if_match_required`, `version_changed`, `four_eyes`, `no_postal_address`,
     *   `letter_unfinished`
     */
    approve: (id: number, version: number | undefined, actor: Actor) =>
      act(id, actor, async (stores) => {
        const { digest, newsletter } = await refreshDraft(parts, stores, id)
        requireMayDo(digest, 'approve')
        requireVersion(digest, version)
        requireMayApprove(digest, newsletter.approval, actor)
        requireFinished(digest)
        await requirePostalAddress(stores, newsletter)
        const now = await stores.clock.now()
        await stores.digests.markState(id, ['draft'], 'approved', {
          frozenAt: now,
          approvedSha256: Buffer.from(digest.contentHash ?? '', 'hex'),
          approvedBy: nameOfActor(actor),
          approvedAt: now,
        })
      }),

    /**
     * Freezes a digest and lets it go out at an instant.
     * @throws DomainError `wrong_state`, `version_changed`, `approval_needed`, `send_at_past`, `no_postal_address`,
     *   `letter_unfinished`, `newsletter_paused`, `newsletter_ended`, `older_worker`
     */
    schedule: (id: number, { sendAt, version }: { sendAt: Date; version: SeenVersion }, actor: Actor) =>
      act(id, actor, async (stores) => {
        const { digest, newsletter } = await refreshDraft(parts, stores, id)
        requireMayDo(digest, 'schedule')
        requireRunning(newsletter)
        requireVersion(digest, version)
        requireFinished(digest)
        requireApproved(digest, newsletter.approval)
        await requirePostalAddress(stores, newsletter)
        await requireWorkersFor(stores, digest)
        const now = await stores.clock.now()
        if (sendAt <= now) {
          const sentence = 'sendAt has passed: name a later instant, or send now.'
          throw invalid('send_at_past', sentence, { field: 'sendAt' })
        }
        const frozenAt = digest.frozenAt ?? now
        await stores.digests.markState(id, [digest.state], 'scheduled', { frozenAt, sendAt })
      }),

    /**
     * Freezes a digest and hands it to the workers, once: the key is looked up before anything else.
     * @returns the answer of the first request under this key
     * @throws DomainError `idempotency_key_reused`, `wrong_state`, `if_match_required`, `version_changed`,
     *   `approval_needed`, `no_postal_address`, `one_article`, `alerts_spent`, `letter_unfinished`, `newsletter_paused`,
     *   `newsletter_ended`, `older_worker`
     */
    async send(id: number, request: SendRequest): Promise<IdempotentAnswer> {
      const answer = await inDraftTransaction(database, async (stores) => {
        await stores.digests.claim(id)
        return answerIdempotently(stores, { ...request, action: `send digest:${id}` }, async () => {
          const { state, contentHash, version } = await start(stores, id, request)
          return { status: 202, body: { id, state, contentHash, version } }
        })
      })
      await ring(await database.stores.digests.get(id))
      return answer
    },

    /** Starts a digest whose time has come; a digest that is not ready stays as it is. Call it in a transaction. */
    startDue: async (stores: Stores, id: number) =>
      startNow(stores, await refreshDraft(parts, stores, id), { kind: 'system', role: 'admin' }),

    ring,

    /**
     * Answers the offer to spread a digest over days. Of one that is spread already, `false` lets all go now.
     * @throws DomainError `wrong_state`
     */
    spread: (id: number, isWanted: boolean, actor: Actor) =>
      act(
        id,
        actor,
        async (stores) => {
          await stores.spreads.waitFor(id)
          const digest = await stores.digests.claim(id)
          requireMayDo(digest, 'spread')
          if (mayDo(digest, 'send'))
            await stores.digests.markState(id, [digest.state], digest.state, { spread: isWanted })
          else if (isWanted && !digest.running) throw tooLateToSpread()
          else if (!isWanted && digest.running) await stores.spreads.end(id)
        },
        isWanted ? 'digest.spread' : 'digest.not_spread',
      ),

    /** @throws DomainError `wrong_state` */
    pause: (id: number, actor: Actor) =>
      act(id, actor, async (stores) => {
        const digest = await stores.digests.claim(id)
        requireMayDo(digest, 'pause')
        const resumeState = digest.resumeState ?? digest.state
        const fields = { resumeState, reason: 'by_hand', probeAt: null } as const
        await stores.digests.markState(id, [digest.state], 'paused', fields)
      }),

    /**
     * Goes on where it was paused.
     * @param extend send for 24 hours from now, however late it is
     * @throws DomainError `wrong_state`, `digest_expired`, `newsletter_paused`, `newsletter_ended`
     */
    resume: (id: number, actor: Actor, { extend = false }: { extend?: boolean | undefined } = {}) =>
      act(id, actor, async (stores) => {
        const digest = await stores.digests.claim(id)
        requireMayDo(digest, 'resume')
        requireRunning(await stores.newsletters.get(digest.newsletterId))
        const now = await stores.clock.now()
        if (!extend) requireTimeLeft(digest, now)
        await stores.digests.markState(id, ['paused'], digest.resumeState ?? 'sending', {
          resumeState: null,
          reason: null,
          probeAt: null,
          ...(extend &&
            digest.expiresAt && {
              expiresAt: new Date(Math.max(now.getTime() + lifetimeMs, digest.expiresAt.getTime())),
            }),
        })
      }),

    /** For good: nobody who has not got it will. @throws DomainError `wrong_state` */
    async cancel(id: number, actor: Actor): Promise<Digest> {
      const cancelled = await act(id, actor, async (stores) => {
        const digest = await stores.digests.claim(id)
        requireMayDo(digest, 'cancel')
        const completedAt = await stores.clock.now()
        await stores.digests.markState(id, [digest.state], 'cancelled', { completedAt, resumeState: null })
      })
      // After the commit, which stops the conversations: a million rows take their time. The workers end the rest.
      await database.stores.runningDigests.skipCancelled(id, 0, skippedAtOnce)
      return cancelled
    },
  }

  async function start(stores: Stores, id: number, { version, actor, spread }: SendRequest): Promise<Digest> {
    const draft = await refreshDraft(parts, stores, id)
    requireMayDo(draft.digest, 'send')
    requireVersion(draft.digest, version())
    if (spread !== undefined)
      await stores.digests.markState(id, [draft.digest.state], draft.digest.state, { spread })
    return startNow(stores, draft, actor)
  }

  async function startNow(stores: Stores, { digest, newsletter }: Draft, actor: Actor): Promise<Digest> {
    const { id } = digest
    requireRunning(newsletter)
    requireFinished(digest)
    requireApproved(digest, newsletter.approval)
    await requirePostalAddress(stores, newsletter)
    await requireWorkersFor(stores, digest)
    if (digest.cadence === 'alert') await requireAlertLeft(stores, { digest, newsletter })
    const now = await stores.clock.now()
    const frozenAt = digest.frozenAt ?? now
    await stores.digests.markState(id, [digest.state], 'preparing', { frozenAt, startedAt: now })
    await stores.audit.insert(actor, 'digest.sent', `digest:${id}`, hashDetail(digest))
    return stores.digests.get(id)
  }

  /** Alerts of one newsletter start one after the other, so that two at once cannot both be the last of the day. */
  async function requireAlertLeft(stores: Stores, { digest, newsletter }: Draft): Promise<void> {
    if (digest.content?.articles.length !== 1) {
      throw conflict('one_article', 'An alert is a digest of one article that readers do not have yet.')
    }
    await stores.newsletters.claim(newsletter.id)
    const { zone } = await stores.publication.get()
    const today = dateIn(zone, await stores.clock.now())
    const midnight = new Date(firstInstantOf(Date.parse(`${today}T00:00:00Z`), zone))
    const limit = findCadence(newsletter, 'alert')?.maxPerDay ?? defaultAlertsPerDay
    if ((await stores.digests.countAlertsSince(newsletter.id, midnight)) < limit) return
    throw conflict('alerts_spent', `Readers had their ${limit} alerts today; the next may go tomorrow.`)
  }
}

async function requirePostalAddress(stores: Stores, { language }: Newsletter): Promise<void> {
  if (textIn((await stores.publication.get()).postalAddress, language)) return
  throw conflict(
    'no_postal_address',
    'A newsletter must carry the postal address of its publisher: set it in the publication first.',
  )
}

/** A worker of the version before knows no letters, and would pass over their readers. */
async function requireWorkersFor(stores: Stores, digest: Digest): Promise<void> {
  if (!isLetter(digest) || !(await stores.workers.areOlderAlive('letters'))) return
  throw conflict(
    'older_worker',
    'A worker of an older version runs, and would pass over the readers of a letter: end it first.',
  )
}

const tooLateToSpread = () =>
  conflict(
    'wrong_state',
    'This digest is going to all of its readers already: it cannot be spread over days any more.',
  )

const hashDetail = ({ contentHash, audience }: Digest) => ({ contentHash, audience })
