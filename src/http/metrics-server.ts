import { createServer, type Server } from 'node:http'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { HealthService } from '../services/health.ts'

interface MetricsServerOptions {
  metrics: Metrics
  health: HealthService
  log: Logger
  port: number
  host: string
}

/**
 * `/metrics` and `/healthz` on a port of their own, which no proxy forwards. Where the port is taken, the process
 * works on without them and says so: measuring must not stop the thing measured.
 */
export function startMetricsServer({ metrics, health, log, port, host }: MetricsServerOptions): Server {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      response.setHeader('Content-Type', 'application/json').end('{"status":"up"}')
    } else if (request.url === '/metrics') {
      expose(metrics, health).then(
        (text) => response.setHeader('Content-Type', metrics.registry.contentType).end(text),
        () => response.writeHead(500).end(),
      )
    } else {
      response.writeHead(404).end()
    }
  })
  server.headersTimeout = 5_000
  server.maxConnections = 50
  server.on('error', (error: NodeJS.ErrnoException) => {
    log.warn(
      { reason: error.code, port },
      'metrics port cannot be opened; change METRICS_PORT to see metrics',
    )
  })
  server.listen(port, host)
  return server
}

async function expose(metrics: Metrics, health: HealthService): Promise<string> {
  const { postgres, queue, smtp, oldestWaitingSeconds } = await health.report()
  metrics.up.set({ part: 'postgres' }, Number(postgres === 'up'))
  metrics.up.set({ part: 'queue' }, Number(queue === 'up'))
  if (smtp !== 'unknown') metrics.up.set({ part: 'smtp' }, Number(smtp === 'up'))
  if (oldestWaitingSeconds !== null) metrics.oldestWaitingSeconds.set(oldestWaitingSeconds)
  return metrics.registry.metrics()
}
