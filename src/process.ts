import { ConfigError, readConfig } from './config.ts'
import { createContext, type Context, type ProcessConfig } from './context.ts'
import { startMetricsServer } from './http/metrics-server.ts'
import { endingMs } from './lifecycle.ts'
import { createLogger } from './log.ts'
import { collectProcessMetrics } from './metrics.ts'

/**
 * What the web and the worker process share: configuration or a clear refusal, a context, metrics, and a graceful end.
 */
export function openProcess(name: 'web' | 'worker') {
  const config = readConfigOrExit()
  let isEnding = false
  const log = createLogger(config.logLevel, name, { isEnding: () => isEnding })
  const context = createContext(config, { log, process: name })
  const { lifecycle, metrics, services } = context
  collectProcessMetrics(metrics)
  tameConsole(context)
  const metricsServer = startMetricsServer({
    metrics,
    health: services.health,
    digestNumbers: services.digestNumbers,
    ...(name === 'worker' && { findObstacle: () => services.health.findObstacle({ isThorough: true }) }),
    log,
    port: config.metricsPort,
    host: config.metricsHost,
  })

  const end = async (drain: () => Promise<void>) => {
    lifecycle.drain()
    setTimeout(
      () => {
        log.error('drain took too long; the rest is left to the next process')
        process.exit(1)
      },
      endingMs[name] + (name === 'web' ? config.drainSeconds * 1_000 : 0),
    ).unref()
    await drain()
    metricsServer.close()
    metricsServer.closeAllConnections()
    await context.close()
  }

  return {
    context,
    /** Call it when the process does its work. */
    markReady: (): void => {
      lifecycle.markReady()
      process.send?.({ ready: true })
    },
    /** Runs once, on SIGTERM, SIGINT or when the parent is gone; then the context is closed and the process exits. */
    onDrain: (drain: () => Promise<void>): void => {
      const begin = (reason: string) => {
        if (lifecycle.state() === 'draining') return
        log.info({ reason }, 'draining')
        isEnding = true
        end(drain).then(
          () => process.exit(0),
          (error: unknown) => {
            log.error({ err: error }, 'drain failed')
            process.exit(1)
          },
        )
      }
      process.on('SIGTERM', begin)
      process.on('SIGINT', begin)
      process.on('disconnect', () => {
        begin('parent is gone')
      })
    },
  }
}

/** ioredis and BullMQ say some things to the console alone, which is no JSON, and each of dozens of connections says them. */
function tameConsole({ queueFaults }: Pick<Context, 'queueFaults'>): void {
  const say = (...words: unknown[]): void => {
    queueFaults(new Error(words.map(String).join(' ')), 'a library has something to say')
  }
  Object.assign(console, { warn: say, error: say })
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
