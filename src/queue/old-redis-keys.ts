import { readRedisAddress } from '../domain/backend-address.ts'
import { jobNames } from './jobs.ts'
import { connectRedis } from './redis.ts'

const ours = new Set<string | undefined>(jobNames)

/**
 * Removes what versions before the braces have left under BullMQ's own prefix: whoever still listens there loses rings. A
 * Cluster has none, for those could not use one.
 * @returns how many keys there were
 */
export async function unlinkOldKeys(url: string): Promise<number> {
  if (readRedisAddress(url).kind === 'cluster') return 0
  const client = connectRedis(url, { lazyConnect: true, maxRetriesPerRequest: 1, retryStrategy: () => null })
  client.on('error', () => undefined)
  try {
    await client.connect()
    let unlinked = 0
    let cursor = '0'
    do {
      const [next, keys] = await client.scan(cursor, 'MATCH', 'bull:*', 'COUNT', 500)
      const old = keys.filter((key) => ours.has(key.split(':')[1]))
      if (old.length > 0) unlinked += await client.unlink(...old)
      cursor = next
    } while (cursor !== '0')
    return unlinked
  } finally {
    client.disconnect()
  }
}
