import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '../src/log.ts'
import type { JobName, JobPayload } from '../src/queue/jobs.ts'
import type { Services } from '../src/services/services.ts'

export interface Job<Name extends JobName> {
  /** How many of its name one process works on at once; one unless said. */
  concurrency?: number
  work: (payload: JobPayload<Name>, log: Logger) => Promise<void>
}

export type Jobs = { [Name in JobName]: Job<Name> }

/** Digests that one process works on at once: they share its connections. */
const digestsAtOnce = 4
/** Looks at sites; all workers together have `mostAtOnce` of the store. */
const looksAtOnce = 4
/** So that stories which are published together cost one round. */
const draftsPauseMs = 2_000
/** Rounds of one job; where stories never stop coming, the next ring goes on. */
const maxRounds = 20

/** What every ring leads to: one call of a service. */
export const createJobs = (services: Services): Jobs => ({
  'publish-articles': {
    async work(_payload, log) {
      const published = await services.articles.publishDue()
      if (published > 0) log.info({ published }, 'scheduled articles are public')
    },
  },
  'run-schedules': {
    async work() {
      await services.newsletters.endReaders()
      await services.schedules.run()
    },
  },
  'refresh-drafts': {
    async work() {
      await services.drafts.refreshAll()
      await pause(draftsPauseMs)
    },
  },
  'prepare-digest': { work: ({ digestId }) => services.preparing.prepare(digestId) },
  // Conversations with a slow server go on by themselves; whoever else waits for this place does not wait for them.
  'deliver-digest': {
    concurrency: digestsAtOnce,
    work: ({ digestId }) => services.sending.deliverDigest(digestId, 'over'),
  },
  'deliver-mail': { work: () => services.sending.deliverMail('over') },
  'decide-signups': {
    async work(_payload, log) {
      const decided = await services.signupDecisions.decideAll()
      if (decided > 0) log.info({ decided }, 'signups were decided')
    },
  },
  'render-feeds': {
    async work() {
      for (let round = 0; round < maxRounds; round++) {
        const isWaiting = await services.feeds.renderChanged()
        if (!isWaiting) return
        // A feed that has changed in this second may change again in the next.
        await pause(1_000 - (Date.now() % 1_000) + 5)
      }
    },
  },
  'import-subscribers': { work: ({ importId }) => services.imports.work(importId) },
  'make-pictures': { work: () => services.media.makeWaiting() },
  'sync-source': { concurrency: looksAtOnce, work: ({ sourceId }) => services.sourceSync.work(sourceId) },
})
