import type { JobName, JobPayload } from '../queue/jobs.ts'
import type { Stores } from '../store/stores.ts'
import type { Parts } from './parts.ts'
import { ringForDigest } from './delivery/ring-digest.ts'

/** Each round rings in slots of its own. When it comes by the first again, no dead worker's job is locked there any more. */
const turns = 12

/** What a job would be rung for. */
type Waiting = { [Name in JobName]: { name: Name; payload: JobPayload<Name> } }[JobName]

async function listWaiting({ waitingWork }: Stores): Promise<Waiting[]> {
  const work = await waitingWork.get()
  const some = (
    isWaiting: boolean,
    name: 'deliver-mail' | 'decide-signups' | 'publish-articles' | 'make-pictures' | 'render-feeds',
  ) => (isWaiting ? [{ name, payload: {} }] : [])
  return [
    ...some(work.mail, 'deliver-mail'),
    ...some(work.signups, 'decide-signups'),
    ...some(work.articles, 'publish-articles'),
    ...some(work.pictures, 'make-pictures'),
    ...some(work.feeds, 'render-feeds'),
    { name: 'run-schedules', payload: {} },
    { name: 'refresh-drafts', payload: {} },
    ...work.preparing.map((digestId) => ({ name: 'prepare-digest' as const, payload: { digestId } })),
    ...work.importing.map((importId) => ({ name: 'import-subscribers' as const, payload: { importId } })),
    ...work.sources.map((sourceId) => ({ name: 'sync-source' as const, payload: { sourceId } })),
    ...work.sending.map((digestId) => ({ name: 'deliver-digest' as const, payload: { digestId } })),
  ]
}

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
        round = (round + 1) % turns
        await Promise.all(
          (await listWaiting(stores)).map(({ name, payload }) =>
            name === 'deliver-digest'
              ? ringForDigest(doorbell, payload.digestId, round)
              : doorbell.ring(name, payload, round),
          ),
        )
      })
    },

    /** For a worker that hears no ring. */
    list: (): Promise<Waiting[]> => listWaiting(database.stores),
  }
}
