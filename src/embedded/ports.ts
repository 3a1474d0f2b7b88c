import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { unavailable } from '../errors.ts'

/**
 * Below the range from which systems take the ports of outgoing connections (32768 and up on Linux, 49152 on
 * macOS): a port of that range, free when it was tried, may be gone when a process comes to listen on it.
 */
const reserved = { from: 20_000, to: 32_768 }

/** `preferred` where it is free, else any port that is. */
export async function findFreePort(preferred = 0, host = '127.0.0.1'): Promise<number> {
  if (preferred !== 0 && (await isFree(preferred, host))) return preferred
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(reserved.from, reserved.to)
    if (await isFree(port, host)) return port
  }
  throw new Error(`no free port on ${host}`)
}

async function isFree(port: number, host: string): Promise<boolean> {
  const probe = createServer()
  try {
    probe.listen(port, host)
    await once(probe, 'listening')
    probe.close()
    await once(probe, 'close')
    return true
  } catch {
    return false
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
  if (wanted === 0) return findFreePort(0, host)
  const deadline = Date.now() + 2_000
  do {
    if (await isFree(wanted, host)) return wanted
    await sleep(100)
  } while (Date.now() < deadline)
  throw unavailable(
    'port_busy',
    `Port ${wanted} is taken by another program: stop it, or choose another with ${variable}.`,
  )
}
