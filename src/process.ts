import { ConfigError, readConfig } from './config.ts'
import { createContext, type Context, type ProcessConfig } from './context.ts'
import { createLogger } from './log.ts'

interface Process {
  context: Context
  /** Runs once, on SIGTERM, SIGINT or when the parent is gone; then the process exits. */
  onDrain: (drain: () => Promise<void>) => void
}

/** What the web and the worker process share: configuration or a clear refusal, a context, and a graceful end. */
export function openProcess(name: 'web' | 'worker'): Process {
  const config = readConfigOrExit()
  const log = createLogger(config.logLevel, name)
  const context = createContext(config, { log })
  return {
    context,
    onDrain(drain) {
      let draining = false
      const end = (reason: string) => {
        if (draining) return
        draining = true
        log.info({ reason }, 'draining')
        drain().then(
          () => process.exit(0),
          (error: unknown) => {
            log.error({ err: error }, 'drain failed')
            process.exit(1)
          },
        )
      }
      process.on('SIGTERM', end)
      process.on('SIGINT', end)
      process.on('disconnect', () => {
        end('parent is gone')
      })
    },
  }
}

function readConfigOrExit(): ProcessConfig {
  try {
    const config = readConfig()
    const { databaseUrl, secretKeys } = config
    if (!databaseUrl || !secretKeys) {
      throw new ConfigError([
        'DATABASE_URL: not set. `npm start` brings its own database; a process alone needs one.',
      ])
    }
    return { ...config, databaseUrl, secretKeys }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}
