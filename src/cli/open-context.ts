import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../config.ts'
import { createContext, type Context } from '../context.ts'
import { createLogger } from '../log.ts'
import { UsageError } from './failure.ts'

/**
 * Opens the same database as the service for the time of one command. With the embedded database it finds the running
 * server through DATA_DIR, and starts it where it is not running; where there is none it makes none.
 * @throws UsageError
 */
export async function openContext<T>(work: (context: Context) => Promise<T>): Promise<T> {
  const config = readConfig()
  const log = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, 'cli')
  const { databaseUrl, secretKeys } = config
  if (databaseUrl && secretKeys) {
    return withClosing(
      createContext({ ...config, databaseUrl, secretKeys }, { log, process: 'worker' }),
      work,
    )
  }
  if (!isInstalled(config.dataDir)) {
    throw new UsageError(
      `There is no database: set DATABASE_URL and SECRET_KEY as the service has them, or DATA_DIR to where npm start keeps its own (none in ${config.dataDir}).`,
    )
  }
  // Production images carry no embedded database, so it is loaded only here.
  const { openInstallation } = await import('../embedded/installation.ts')
  const installation = await openInstallation(config, 'command')
  try {
    return await withClosing(createContext(installation.config, { log, process: 'worker' }), work)
  } finally {
    await installation.close()
  }
}

/** As `npm start` leaves it. */
const isInstalled = (dataDir: string): boolean => existsSync(join(dataDir, 'postgres-password'))

async function withClosing<T>(context: Context, work: (context: Context) => Promise<T>): Promise<T> {
  try {
    await context.services.clock.adjust()
    return await work(context)
  } finally {
    await context.close()
  }
}
