import { isApproved, maxLatenessMs, type Digest } from '../../domain/digests/digest.ts'
import type { DeskNotice } from '../../domain/notice.ts'
import { runningSchedules } from '../../domain/newsletter.ts'
import { DomainError } from '../../errors.ts'
import type { Stores } from '../../store/stores.ts'
import type { Warning } from '../../store/digests/warnings.ts'
import { refreshDraft } from './draft.ts'
import type { DigestTransitionsService } from './transitions.ts'
import type { DigestService } from './editing.ts'
import { tellDesk } from '../desk/tell-desk.ts'
import type { Parts } from '../parts.ts'

export type ScheduleService = ReturnType<typeof createScheduleService>

interface Siblings {
  digests: Pick<DigestService, 'openDraft'>
  digestTransitions: Pick<DigestTransitionsService, 'startDue' | 'ring'>
}

/** How often the desk's warnings are looked for: they count deliveries. */
const watchEveryMs = 60_000

/** What happens by the clock. Any number of replicas may run it: each step is one guarded change. */
export function createScheduleService(
  parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'log' | 'now'> & Siblings,
) {
  const { config, database, doorbell, log, digests, digestTransitions } = parts
  let watchedAt = -Infinity

  const deskUrl = (digestId: number): string => `${config.publicUrl}/desk/digests/${digestId}`
  const tell = async (stores: Stores, notice: DeskNotice, { id, content }: Digest) => {
    const values = { digest: content?.subject ?? `#${id}` }
    await tellDesk(stores, { notice, values, url: deskUrl(id), once: `digest:${id}` })
  }

  /** @returns the digest when it was started or given up */
  const startOrMiss = (id: number, now: Date): Promise<Digest | undefined> =>
    database.transaction(async (stores) => {
      const { digest, newsletter } = await refreshDraft(parts, stores, id, 'now')
      const { sendAt, state } = digest
      const isWaiting = state === 'draft' || state === 'approved' || state === 'scheduled'
      if (!isWaiting || !sendAt || sendAt > now) return undefined
      const hasSchedule = newsletter.schedules.some(({ cadence }) => cadence === digest.cadence)
      // Its time was the schedule's, which is gone.
      if (digest.localDate !== null && state !== 'scheduled' && !hasSchedule) {
        await stores.digests.markState(id, [state], 'cancelled', { completedAt: now })
        return undefined
      }
      if (now.getTime() - sendAt.getTime() > maxLatenessMs) {
        const reason = isApproved(digest, newsletter.approval) ? 'late' : 'not_approved'
        await stores.digests.markState(id, [state], 'missed', { reason, completedAt: now })
        await tell(stores, 'digest_missed', digest)
        return stores.digests.get(id)
      }
      if (isApproved(digest, newsletter.approval)) return digestTransitions.startDue(stores, id)
      if (!digest.approvalDueAt) {
        await stores.digests.markState(id, [state], state, { approvalDueAt: sendAt })
        await tell(stores, 'approval_due', digest)
      }
      return undefined
    })

  return {
    /** Opens drafts, starts what is due, gives up what is too late, and tells the desk what it should look at. */
    async run(): Promise<void> {
      for (const newsletter of await database.stores.newsletters.list()) {
        for (const schedule of runningSchedules(newsletter)) await digests.openDraft(newsletter, schedule)
      }
      const now = await database.stores.clock.now()
      for (const id of await database.stores.digests.listDue(now)) {
        try {
          const digest = await startOrMiss(id, now)
          if (digest) await digestTransitions.ring(digest)
        } catch (error) {
          // It stays due; the desk hears of it as late, and after two hours as missed.
          if (!(error instanceof DomainError)) throw error
          log.warn({ digestId: id, code: error.code }, 'a due digest could not start')
        }
      }
      await this.watch()
      await doorbell.ring('deliver-mail', {})
    },

    /** Tells the desk, once each, of what it should look at: with numbers that will not grow any more. */
    async watch(): Promise<void> {
      if (performance.now() - watchedAt < watchEveryMs) return
      watchedAt = performance.now()
      for (const warning of await database.stores.warnings.listWarnings()) {
        const { kind, digestId, digest, values, isGrowing } = warning
        log.warn({ digestId, kind, ...values }, 'a digest needs the desk')
        if (isGrowing) continue
        await tellDesk(database.stores, {
          notice: kind,
          values: { digest, ...values },
          url: deskUrl(digestId),
          once: `digest:${digestId}`,
        })
      }
    },

    /** For Today. */
    listWarnings: (): Promise<Warning[]> => database.stores.warnings.listWarnings(),
  }
}
