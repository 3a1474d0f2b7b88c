import type { Context } from '../src/context.ts'
import { startInboundServer, type InboundServer } from '../src/mail/inbound/inbound-server.ts'

/** Listens for bounces, complaints and unsubscribes by mail where INBOUND_PORT is set. */
export async function receiveMail({
  config,
  keyring,
  log,
  services,
}: Pick<Context, 'config' | 'keyring' | 'log' | 'services'>): Promise<InboundServer | undefined> {
  if (config.inboundPort === undefined) return undefined
  return startInboundServer({
    host: config.host,
    port: config.inboundPort,
    keyring,
    log: log.child({ job: 'inbound-mail' }),
    receive: (mail) => services.bounces.receive(mail),
  })
}
