import type { Services } from '../src/services/services.ts'
import type { WorkerDefinition } from './worker.ts'

/** What happens by the clock: drafts open, digests start or are missed, the desk is warned. */
export const runSchedules = ({ schedules }: Services): WorkerDefinition<'run-schedules'> => ({
  name: 'run-schedules',
  work: () => schedules.run(),
})
