import { createServer } from 'node:http'
import { createApp } from './app.ts'
import { openProcess } from './process.ts'

const { context, onDrain } = openProcess('web')
const server = createServer(createApp(context))
// Slow clients are cut off, so that they cannot hold every socket.
server.headersTimeout = 10_000
server.requestTimeout = 30_000

server.listen(context.config.port, context.config.host, () => {
  context.log.info({ port: context.config.port }, 'listening')
  process.send?.({ ready: true })
})

onDrain(async () => {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeIdleConnections()
  })
  await context.close()
})
