import { setTimeout as pause } from 'node:timers/promises'
import type { DraftService } from '../src/services/digests/drafts.ts'
import type { WorkerDefinition } from './worker.ts'

/** Of stories that come one after the other, one round sees them all. */
const pauseMs = 2_000

/** Brings what open digests would hold into their rows, beside whoever looks at them. */
export const refreshDrafts = (drafts: DraftService): WorkerDefinition<'refresh-drafts'> => ({
  name: 'refresh-drafts',
  async work() {
    await drafts.renewAll()
    await pause(pauseMs)
  },
})
