import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { DomainError } from '../errors.ts'

/** `preferred` where it is free, else any port that is. */
export async function findFreePort(preferred = 0, host = '127.0.0.1'): Promise<number> {
  const port = (await tryPort(preferred, host)) ?? (await tryPort(0, host))
  if (port === undefined) throw new Error(`no free port on ${host}`)
  return port
}

async function tryPort(port: number, host: string): Promise<number | undefined> {
  const probe = createServer()
  try {
    probe.listen(port, host)
    await once(probe, 'listening')
    const { port: taken } = probe.address() as AddressInfo
    probe.close()
    await once(probe, 'close')
    return taken
  } catch {
    return undefined
  }
}

/**
 * Makes sure of the ports that people open, before anything starts; a port 0 becomes one that is free.
 * A service that has just been killed may still hold its ports for a moment.
 * @throws DomainError `port_busy`, naming the port and its variable
 */
export async function chooseFreePorts(config: Config): Promise<Config> {
  const port = await take('PORT', config.port, config.host)
  const mailCatcherPort = config.smtpUrl
    ? config.mailCatcherPort
    : await take('MAIL_CATCHER_PORT', config.mailCatcherPort, '127.0.0.1')
  const publicUrl = config.port === 0 ? config.publicUrl.replace(/:0$/, `:${port}`) : config.publicUrl
  return { ...config, port, mailCatcherPort, publicUrl }
}

async function take(variable: string, wanted: number, host: string): Promise<number> {
  const deadline = Date.now() + 2_000
  for (;;) {
    const port = await tryPort(wanted, host)
    if (port !== undefined) return port
    if (Date.now() > deadline) break
    await sleep(100)
  }
  throw new DomainError(
    'unavailable',
    'port_busy',
    `Port ${wanted} is taken by another program: stop it, or choose another with ${variable}.`,
  )
}
