import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'

/** @throws Error when it does not answer, or takes nothing: a full one, a replica, a user without rights */
export async function inspectRedis(url: string, timeoutMs: number) {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  // The reason why, in place of "connection is closed".
  let reason: Error | undefined
  client.on('error', (error: Error) => {
    reason = error
  })
  try {
    const probe = `depeche:doctor:${randomUUID()}`
    await client.set(probe, '', 'PX', 1_000)
    const memory = await client.info('memory')
    // What it does when its memory is full, such as `noeviction`. INFO is what managed services allow too.
    const evictionPolicy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'unknown'
    const sentAt = Date.now()
    const [seconds, microseconds] = await client.time()
    const now = new Date(Number(seconds) * 1000 + Number(microseconds) / 1000)
    // By its own clock, at some moment between the other two, which are by ours.
    return { evictionPolicy, time: { now, sentAt, receivedAt: Date.now() } }
  } catch (error) {
    throw reason ?? error
  } finally {
    client.disconnect()
  }
}
