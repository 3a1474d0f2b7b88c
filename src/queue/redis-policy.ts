import { Redis } from 'ioredis'

/**
 * What Redis does when its memory is full, such as `noeviction`. From INFO, which managed services allow too.
 * @throws Error when it does not answer
 */
export async function findEvictionPolicy(url: string, timeoutMs: number): Promise<string> {
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
    const memory = await client.info('memory')
    return /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'unknown'
  } catch (error) {
    throw reason ?? error
  } finally {
    client.disconnect()
  }
}
