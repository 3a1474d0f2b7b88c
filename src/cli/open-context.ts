import { readConfig } from '../config.ts'
import { createContext, type Context } from '../context.ts'
import { createLogger } from '../log.ts'

/**
 * Opens the same database as the service for the time of one command. With the embedded database it finds the running
 * server through DATA_DIR, and starts it where it is not running.
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
  // Production images carry no embedded database, so it is loaded only here.
  const { openInstallation } = await import('../embedded/installation.ts')
  const installation = await openInstallation(config, 'command')
  try {
    return await withClosing(createContext(installation.config, { log, process: 'worker' }), work)
  } finally {
    await installation.close()
  }
}

async function withClosing<T>(context: Context, work: (context: Context) => Promise<T>): Promise<T> {
  try {
    return await work(context)
  } finally {
    await context.close()
  }
}
