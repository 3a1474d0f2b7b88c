import { randomUUID } from 'node:crypto'
import { Cluster } from 'ioredis'
import { readRedisAddress, type RedisAddress } from '../domain/server-address.ts'
import { connectRedis, keyPrefix } from './redis.ts'

/** Why Redis carries no jobs, as a fixed word. */
export type RedisCause =
  'unreachable' | 'sign_in' | 'cluster' | 'no_cluster' | 'sentinel' | 'replica' | 'refused'

export class RedisFault extends Error {
  readonly why: RedisCause

  constructor(why: RedisCause, cause?: unknown) {
    super((cause as Error | undefined)?.message ?? why, { cause })
    this.why = why
  }
}

/** Of what a server answers in place of doing it. */
const words: [RegExp, RedisCause][] = [
  [/^(NOAUTH|WRONGPASS|NOPERM)|without any password configured|invalid password/, 'sign_in'],
  [/cluster support disabled/, 'no_cluster'],
  [/^(MOVED|CROSSSLOT)/, 'cluster'],
  [/^READONLY/, 'replica'],
]

function faultOf(error: Error): RedisFault {
  const cause = (error as { lastNodeError?: Error }).lastNodeError ?? error
  const known = words.find(([word]) => word.test(cause.message))?.[1]
  return new RedisFault(known ?? (cause.name === 'ReplyError' ? 'refused' : 'unreachable'), cause)
}

/** Redis calls it `redis_mode`, Valkey `server_mode`. */
function findWrongServer(info: string, kind: RedisAddress['kind']): RedisCause | undefined {
  const mode = /^(?:redis|server)_mode:(\w+)/m.exec(info)?.[1]
  if (mode === 'sentinel') return 'sentinel'
  if (mode === 'cluster' && kind !== 'cluster') return 'cluster'
  return /^role:slave/m.test(info) ? 'replica' : undefined
}

/** @throws RedisFault when it does not answer, is not what the address says, or takes nothing */
export async function inspectRedis(url: string, timeoutMs: number) {
  const client = connectRedis(url, {
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
    await client.connect()
    const masters = client instanceof Cluster ? client.nodes('master') : [client]
    const infos = await Promise.all(masters.map((master) => master.info()))
    const { kind } = readRedisAddress(url)
    const wrong = infos.map((info) => findWrongServer(info, kind)).find(Boolean)
    if (wrong) throw new RedisFault(wrong)
    await client.set(`${keyPrefix}:doctor:${randomUUID()}`, '', 'PX', 1_000)
    // What they do when their memory is full, such as `noeviction`. INFO is what managed services allow too.
    const policies = infos.map((info) => /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown')
    const evictionPolicy = policies.find((policy) => policy !== 'noeviction') ?? 'noeviction'
    const sentAt = Date.now()
    const [seconds, microseconds] = await client.time()
    const now = new Date(Number(seconds) * 1000 + Number(microseconds) / 1000)
    // By its own clock, at some moment between the other two, which are by ours.
    return { evictionPolicy, time: { now, sentAt, receivedAt: Date.now() } }
  } catch (error) {
    throw error instanceof RedisFault ? error : faultOf(reason ?? (error as Error))
  } finally {
    client.disconnect()
  }
}
