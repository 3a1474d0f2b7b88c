import { RateLimiterMemory, RateLimiterRedis, type RateLimiterAbstract } from 'rate-limiter-flexible'
import type { FaultLog } from './faults.ts'
import { keyPrefix, openRedis } from './redis.ts'

/** Counts of requests in Redis. Each process counts alone while Redis is away. */
export function openRedisCounters(url: string, faults: FaultLog) {
  // While Redis is away a command must fail at once, and soon where it is silent: a signup does not wait for a counter.
  const client = openRedis(url, faults, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    lazyConnect: true,
    socketTimeout: 1_000,
  })
  return {
    open({ name, points, seconds }: { name: string; points: number; seconds: number }): RateLimiterAbstract {
      // Without this the first command connects, and is not counted, for no queue holds it. A failure is logged.
      if (client.status === 'wait') client.connect().catch(() => undefined)
      return new RateLimiterRedis({
        storeClient: client,
        keyPrefix: `${keyPrefix}:${name}`,
        points,
        duration: seconds,
        insuranceLimiter: new RateLimiterMemory({ keyPrefix: name, points, duration: seconds }),
      })
    },
    close: () => {
      client.disconnect()
      return Promise.resolve()
    },
  }
}
