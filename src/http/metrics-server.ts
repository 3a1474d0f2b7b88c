import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { deliveryStates } from '../domain/delivery/delivery.ts'
import { digestStates } from '../domain/digests/digest.ts'
import type { DigestNumbersService } from '../services/digests/numbers.ts'
import type { HealthService } from '../services/health.ts'

interface MetricsServerOptions {
  metrics: Metrics
  health: HealthService
  digestNumbers: DigestNumbersService
  /** Why this process does not do what it is there for; asked by `/healthz` of a worker. */
  findObstacle?: () => Promise<string | undefined>
  log: Logger
  port: number
  host: string
}

/**
 * `/metrics` and `/healthz` on a port of their own, which no proxy forwards. Where the port is taken, the process
 * works on without them and says so: measuring must not stop the thing measured.
 */
export function startMetricsServer(options: MetricsServerOptions): Server {
  const { metrics, findObstacle, log, port, host } = options
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      void tellHealth(response, findObstacle)
    } else if (request.url === '/metrics') {
      expose(options).then(
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

async function tellHealth(
  response: ServerResponse,
  findObstacle: MetricsServerOptions['findObstacle'],
): Promise<void> {
  const cause = await findObstacle?.()
  response
    .writeHead(cause === undefined ? 200 : 503, { 'Content-Type': 'application/json' })
    .end(JSON.stringify(cause === undefined ? { status: 'up' } : { status: 'down', cause }))
}

async function expose({ metrics, health, digestNumbers }: MetricsServerOptions): Promise<string> {
  const { postgres, queue, smtp, held, oldestWaitingSeconds, obstacles = [] } = await health.report()
  metrics.up.set({ part: 'postgres' }, Number(postgres === 'up'))
  metrics.up.set({ part: 'queue' }, Number(queue === 'up'))
  if (smtp !== 'unknown') metrics.up.set({ part: 'smtp' }, Number(smtp === 'up'))
  tell(metrics.oldestWaitingSeconds, oldestWaitingSeconds)
  metrics.held.set(Number(held === true))
  metrics.obstacle.reset()
  for (const cause of obstacles) metrics.obstacle.set({ cause }, 1)
  const { rings, feedLagSeconds, pools } = await health.measure()
  metrics.rings.reset()
  for (const [name, n] of rings ?? []) metrics.rings.set({ queue: name }, n)
  tell(metrics.feedLagSeconds, feedLagSeconds)
  for (const { pool, ...states } of pools)
    for (const [state, n] of Object.entries(states)) metrics.connections.set({ pool, state }, n)
  const numbers = await digestNumbers.get()
  if (numbers) {
    // All states, so that one that empties falls to 0.
    for (const state of digestStates) metrics.digests.set({ state }, numbers.digests[state] ?? 0)
    for (const state of deliveryStates) metrics.deliveries.set({ state }, numbers.deliveries[state] ?? 0)
    metrics.digestsLate.set(numbers.late)
    metrics.digestsMissed.set(numbers.missed)
    metrics.digestOldestDueSeconds.set(numbers.oldestDueSeconds)
    metrics.digestRejectShare.set(numbers.rejectShare)
  }
  return metrics.registry.metrics()
}

/** What nobody knows now is absent: the last value would look like one of now. */
function tell(gauge: Metrics['feedLagSeconds'], value: number | null | undefined): void {
  if (typeof value === 'number') gauge.set(value)
  else gauge.remove()
}
