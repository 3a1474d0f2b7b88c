import type { SignupDecisionService } from '../src/services/signups/decide.ts'
import type { WorkerDefinition } from './worker.ts'

export const decideSignups = (decisions: SignupDecisionService): WorkerDefinition<'decide-signups'> => ({
  name: 'decide-signups',
  async work(_payload, log) {
    const decided = await decisions.decideAll()
    if (decided > 0) log.info({ decided }, 'signups were decided')
  },
})
