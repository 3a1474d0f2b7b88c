import { pino } from 'pino'
import { createContext } from '../../src/context.ts'
import { aConfig } from '../support/config.ts'
import '../../workers/garbage-collection.ts'

/** A worker process that sends one digest and does nothing else, so that what it needs is measured by itself. */
process.once('message', ({ databaseUrl, digestId, env }: SenderTask) => {
  void send(databaseUrl, digestId, env).then(() => {
    process.disconnect()
  })
})

export interface SenderTask {
  databaseUrl: string
  digestId: number
  env: Record<string, string>
}

async function send(databaseUrl: string, digestId: number, env: Record<string, string>): Promise<void> {
  const context = createContext(aConfig(databaseUrl, env), { log: pino({ level: 'warn' }) })
  const { presence, sending } = context.services
  await presence.beat()
  const extending = setInterval(() => void sending.extend(), 5_000)
  await sending.deliverDigest(digestId)
  clearInterval(extending)
  process.send?.('sent')
  await context.close()
}
