import type { Services } from '../src/services/services.ts'
import type { WorkerDefinition } from './worker.ts'

/** What happens by the clock: drafts open, digests start or are missed, newsletters end, the desk is warned. */
export const runSchedules = ({ newsletters, schedules }: Services): WorkerDefinition<'run-schedules'> => ({
  name: 'run-schedules',
  work: async () => {
    await newsletters.endReaders()
    await schedules.run()
  },
})
