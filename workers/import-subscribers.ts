import type { ImportService } from '../src/services/subscribers/import/jobs.ts'
import type { WorkerDefinition } from './worker.ts'

/** Goes on with an import of subscribers, from the row where it stands. */
export const importSubscribers = (imports: ImportService): WorkerDefinition<'import-subscribers'> => ({
  name: 'import-subscribers',
  work: ({ importId }) => imports.work(importId),
})
