import './node-version.ts'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { createApp } from './app.ts'
import { openFeedFront } from './http/feeds/open-feed-front.ts'
import { endingMs } from './lifecycle.ts'
import { openProcess } from './process.ts'

const { context, markReady, onDrain } = openProcess('web')
const { config, lifecycle, log, services } = context
// Polls are answered before Express sees them; what is no feed goes on to it.
const front = openFeedFront(context)
const app = createApp(context, front)
// How often slow clients are looked for: the limits below hold to within it.
const server = createServer({ connectionsCheckingInterval: 5_000 }, (request, response) => {
  if (lifecycle.state() === 'draining') response.shouldKeepAlive = false
  front(request, response, () => {
    app(request, response)
  })
})
// Slow clients are cut off, so that they cannot hold every socket.
server.headersTimeout = 10_000
server.requestTimeout = 30_000
server.maxConnections = 10_000
// Longer than proxies keep theirs: were we the first to close, a request could meet a closed connection.
server.keepAliveTimeout = 65_000

server.on('error', (error: NodeJS.ErrnoException) => {
  log.fatal({ reason: error.code, port: config.port }, 'cannot listen; change PORT or HOST')
  process.exit(1)
})
await services.feedMemory.start()
server.listen(config.port, config.host)
await once(server, 'listening')
log.info({ port: config.port }, 'listening')

/** A machine's clock may be set while it runs. */
const adjustMs = 30_000

/**
 * Ends in a short turn of the event loop in which nobody connected, at the latest after a second: whoever has connected
 * and was not accepted yet is reset when the listener closes.
 */
async function quietTurn(): Promise<void> {
  const latest = performance.now() + 1_000
  let connectedAt = 0
  server.on('connection', () => {
    connectedAt = performance.now()
  })
  for (let begin = performance.now(); begin < latest; begin = performance.now()) {
    await nextTurn()
    if (connectedAt < begin && performance.now() - begin < 1) return
  }
}

onDrain(async () => {
  // A proxy that keeps connections open is told on each to close it, and by `/readyz` to ask another process: a request
  // that met a closed connection would be lost where it may not be repeated.
  await sleep(config.drainSeconds * 1_000)
  const closed = once(server, 'close')
  await quietTurn()
  server.close()
  const idle = setInterval(() => {
    server.closeIdleConnections()
  }, 250)
  const late = setTimeout(() => {
    server.closeAllConnections()
  }, endingMs.answers)
  await closed
  clearInterval(idle)
  clearTimeout(late)
})

while ((await services.health.report()).postgres === 'down' && lifecycle.state() === 'starting')
  await sleep(500)
await services.clock.adjust()
setInterval(() => void services.clock.adjust(), adjustMs).unref()
markReady()
