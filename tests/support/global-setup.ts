import { rmSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { startKeeper } from '../../src/embedded/keeper.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createDatabaseNamed } from './database.ts'
import { aDatabaseFolder, removeAbandonedFolders } from './scratch.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
  }
}

/** One PostgreSQL for the run, with a migrated template that each test clones. Durability is off: nothing here must survive. */
export default async function setup(project: TestProject) {
  removeAbandonedFolders()
  const dataDir = aDatabaseFolder('test')
  const postgres = await startPostgres({
    dataDir,
    settings: { fsync: 'off', full_page_writes: 'off', max_connections: '300' },
  })
  // Ends the server also when the run itself is killed.
  const keeper = startKeeper(dataDir)
  await createDatabaseNamed(postgres.url, 'template_depeche')
  const template = new URL(postgres.url)
  template.pathname = '/template_depeche'
  await migrate(template.href)
  await migrateQueue({ kind: 'postgres', url: template.href })
  project.provide('postgresUrl', postgres.url)
  return async () => {
    await stopPostgres(dataDir, 'immediate')
    await keeper.release()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
