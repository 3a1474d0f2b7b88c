import type { SendingService } from '../src/services/sending.ts'
import type { WorkerDefinition } from './worker.ts'

/** Digests that one process works on at once; they share its connections. */
const concurrency = 4

export const deliverDigest = (sending: SendingService): WorkerDefinition<'deliver-digest'> => ({
  name: 'deliver-digest',
  concurrency,
  work: ({ digestId }) => sending.deliverDigest(digestId),
})
