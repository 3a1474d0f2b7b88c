import type { SendingService } from '../src/services/delivery/delivery.ts'
import type { WorkerDefinition } from './worker.ts'

/** Digests that one process works on at once; they share its connections. */
const concurrency = 4

export const deliverDigest = (sending: SendingService): WorkerDefinition<'deliver-digest'> => ({
  name: 'deliver-digest',
  concurrency,
  // Conversations with a slow server go on by themselves; whoever else waits for this place does not wait for them.
  work: ({ digestId }) => sending.deliverDigest(digestId, 'over'),
})
