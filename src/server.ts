import './node-version.ts'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp } from './app.ts'
import { createFront } from './http/feeds/front.ts'
import { endingMs } from './lifecycle.ts'
import { openProcess } from './process.ts'

const { context, markReady, onDrain } = openProcess('web')
const { config, lifecycle, log, services } = context
// Polls are answered before Express sees them; what is no feed goes on to it.
const front = createFront(context)
const app = createApp(context, front)
// How often slow clients are looked for: the limits below hold to within it.
const server = createServer({ connectionsCheckingInterval: 5_000 }, (request, response) => {
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

onDrain(async () => {
  const closed = once(server, 'close')
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
markReady()
