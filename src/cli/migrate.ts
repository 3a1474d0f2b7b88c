import type { Command } from 'commander'
import { UsageError } from './failure.ts'

export function migrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('bring the tables of DATABASE_URL up to date; safe to run by several starters at once')
    .action(async () => {
      const { directUrlOf, readConfig } = await import('../config.ts')
      const config = readConfig()
      const databaseUrl = directUrlOf(config)
      if (!databaseUrl)
        throw new UsageError('DATABASE_URL is not set; `npm start` migrates its own database by itself.')
      const { migrateQueue, queueBackendOf } = await import('../queue/bullmq.ts')
      const { migrate } = await import('../store/migrate.ts')
      const applied = await migrate(databaseUrl)
      await migrateQueue(queueBackendOf(config, databaseUrl))
      const done = applied.length === 0 ? 'nothing to do' : `applied ${applied.join(', ')}`
      process.stdout.write(`${done}\n`)
    })
}
