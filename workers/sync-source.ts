import type { SourceSyncService } from '../src/services/sources/sync.ts'
import type { WorkerDefinition } from './worker.ts'

/** Of all workers together no more look at sites at once. */
const concurrency = 4

export const syncSource = (sources: SourceSyncService): WorkerDefinition<'sync-source'> => ({
  name: 'sync-source',
  concurrency,
  work: ({ sourceId }) => sources.work(sourceId),
})
