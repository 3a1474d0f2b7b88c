import type { Services } from '../src/services/services.ts'
import type { WorkerDefinition } from './worker.ts'

/** Turns a digest in `preparing` into deliveries. */
export const prepareDigest = ({ digestTransitions }: Services): WorkerDefinition<'prepare-digest'> => ({
  name: 'prepare-digest',
  work: ({ digestId }) => digestTransitions.prepare(digestId),
})
