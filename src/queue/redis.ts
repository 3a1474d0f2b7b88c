import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { readRedisAddress } from '../domain/backend-address.ts'
import type { FaultLog } from './faults.ts'

export type RedisClient = Redis | Cluster

/**
 * In front of every key: a Cluster keeps what has the same word in braces on one node, and BullMQ's scripts touch several
 * keys at once.
 */
export const keyPrefix = '{depeche}'

export type RedisSettings = Pick<
  RedisOptions,
  | 'commandTimeout'
  | 'connectTimeout'
  | 'enableOfflineQueue'
  | 'lazyConnect'
  | 'maxRetriesPerRequest'
  | 'socketTimeout'
> & {
  /** Milliseconds to the next try; null gives up. */
  retryStrategy?: (times: number) => number | null
}

const longestRetryMs = 5_000
/**
 * A server whose machine is gone refuses nothing and closes nothing: one that owes an answer for so long is left. Longer than
 * BullMQ lets one wait for a job (10 s).
 */
const silenceMs = 15_000
/** What a host that says nothing may cost before the next is tried. */
const hostMs = 3_000

/** A server, the nodes of a Cluster, or the master that the Sentinels name. */
export function connectRedis(url: string, settings: RedisSettings): RedisClient {
  const { kind, hosts, isTls, username, password, master } = readRedisAddress(url)
  const { retryStrategy = (times: number) => Math.min(times * 200, longestRetryMs), ...more } = settings
  const own = { connectTimeout: hostMs, socketTimeout: silenceMs, ...more }
  // A master that was made a replica says so of each write: whoever is connected anew finds the one of now.
  const reconnectOnError = ({ message }: Error) => message.startsWith('READONLY')
  const tls = isTls ? { tls: {} } : {}
  const signIn = { ...(username && { username }), ...(password && { password }) }
  if (kind === 'one') return new Redis(url, { ...own, retryStrategy, reconnectOnError })
  if (kind === 'sentinel') {
    return new Redis({
      ...own,
      ...signIn,
      ...tls,
      ...(isTls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
      sentinels: hosts,
      name: master.name,
      db: master.db,
      ...(master.username && { sentinelUsername: master.username }),
      ...(master.password && { sentinelPassword: master.password }),
      retryStrategy,
      sentinelRetryStrategy: retryStrategy,
      sentinelCommandTimeout: own.connectTimeout,
      reconnectOnError,
    })
  }
  const { enableOfflineQueue = true, lazyConnect = false, ...ofNodes } = own
  return new Cluster(hosts, {
    enableOfflineQueue,
    lazyConnect,
    clusterRetryStrategy: (times) => retryStrategy(times),
    // By the names that they are given, which are those of their certificates.
    dnsLookup: (address, callback) => {
      callback(null, address)
    },
    redisOptions: { ...ofNodes, ...signIn, ...tls, reconnectOnError },
  })
}

/** One that is tried again until closed, and tells when it fails. */
export function openRedis(
  url: string,
  faults: FaultLog,
  // Not connected lazily: BullMQ would ask for the connection, and is dead for good where that fails.
  settings: RedisSettings = { maxRetriesPerRequest: null },
): RedisClient {
  const client = connectRedis(url, settings)
  client.on('error', (error: Error) => {
    faults(error, 'redis connection failed; trying again')
  })
  return client
}
