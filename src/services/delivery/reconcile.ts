import type { Parts } from '../parts.ts'
import { ringForDigest } from './ring-digest.ts'

/** Each round rings in slots of its own. When it comes by the first again, no dead worker's job is locked there any more. */
const turns = 12

/**
 * Rings again for everything that waits in PostgreSQL: what the queue has lost (emptied, evicted, restarted) costs
 * one round, and work whose time has come needs no timer of its own.
 */
export function createReconcilingService({ database, doorbell }: Pick<Parts, 'database' | 'doorbell'>) {
  // A worker that crashes whenever it starts would always ring into the slots that its dead jobs still lock.
  let round = Math.floor(Math.random() * turns)
  return {
    /** One worker at a time does it; for the others it is done. */
    async reconcile(): Promise<void> {
      await database.transaction(async (stores) => {
        if (!(await stores.waitingWork.claimReconciling())) return
        const work = await stores.waitingWork.get()
        round = (round + 1) % turns
        await Promise.all([
          work.mail && doorbell.ring('deliver-mail', {}, round),
          work.signups && doorbell.ring('decide-signups', {}, round),
          work.articles && doorbell.ring('publish-articles', {}, round),
          work.pictures && doorbell.ring('make-pictures', {}, round),
          work.feeds && doorbell.ring('render-feeds', {}, round),
          doorbell.ring('run-schedules', {}, round),
          doorbell.ring('refresh-drafts', {}, round),
          ...work.preparing.map((digestId) => doorbell.ring('prepare-digest', { digestId }, round)),
          ...work.importing.map((importId) => doorbell.ring('import-subscribers', { importId }, round)),
          ...work.sources.map((sourceId) => doorbell.ring('sync-source', { sourceId }, round)),
          ...work.sending.map((digestId) => ringForDigest(doorbell, digestId, round)),
        ])
      })
    },
  }
}
