import { randomUUID } from 'node:crypto'
import { Cluster } from 'ioredis'
import { explainDistrust, isDistrust } from '../domain/certificate.ts'
import { readRedisAddress, type RedisKind } from '../domain/server-address.ts'
import { connectRedis, keyPrefix } from './redis.ts'

/** Why Redis carries no jobs, as a fixed word. */
export type RedisCause = keyof typeof sentences

/** What is wrong, and what to do. */
const sentences = {
  unreachable: (reason: string) =>
    `does not answer (${reason}); check REDIS_URL and that Redis runs, by TLS where it says rediss`,
  certificate: (reason: string) => explainDistrust(reason, 'NODE_EXTRA_CA_CERTS'),
  sign_in: (reason: string) => `does not let us in (${reason}); check user and password in REDIS_URL`,
  cluster: () => 'is a node of a Cluster; write redis+cluster://host:port,host:port in REDIS_URL',
  no_cluster: () => 'is no Cluster; write redis:// in REDIS_URL, or redis+sentinel://',
  sentinel: () => 'is a Sentinel; write redis+sentinel://host:port,host:port/NAME in REDIS_URL',
  replica: () =>
    'is a replica, and takes nothing; name the master in REDIS_URL, or its Sentinels: redis+sentinel://host:port/NAME',
  refused: (reason: string) => `takes nothing (${reason}); give it memory, and its user the right to write`,
}

export class RedisFault extends Error {
  readonly code: RedisCause

  constructor(code: RedisCause, cause?: Error & { code?: string }) {
    super(sentences[code](cause?.message || (cause?.code ?? '')), { cause })
    this.code = code
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
  const known = isDistrust(cause) ? 'certificate' : words.find(([word]) => word.test(cause.message))?.[1]
  return new RedisFault(known ?? (cause.name === 'ReplyError' ? 'refused' : 'unreachable'), cause)
}

/** Redis calls it `redis_mode`, Valkey `server_mode`. */
function findWrongServer(info: string, kind: RedisKind): RedisCause | undefined {
  const mode = /^(?:redis|server)_mode:(\w+)/m.exec(info)?.[1]
  if (mode === 'sentinel') return 'sentinel'
  if (mode === 'cluster' && kind !== 'cluster') return 'cluster'
  return /^role:slave/m.test(info) ? 'replica' : undefined
}

/**
 * What the first host says to who asks it alone: of a Cluster and of Sentinels ioredis tells that the connection was closed,
 * and not why. Undefined where it is what it should be.
 */
async function findFirstFault(url: string, timeoutMs: number): Promise<RedisFault | undefined> {
  const { kind, hosts, isTls, username, password, master } = readRedisAddress(url)
  if (kind === 'one') return undefined
  const [{ host, port } = { host: '', port: 0 }] = hosts
  const [user, secret] = kind === 'sentinel' ? [master.username, master.password] : [username, password]
  const signIn = secret && `${encodeURIComponent(user)}:${encodeURIComponent(secret)}@`
  const alone = `redis${isTls ? 's' : ''}://${signIn}${host.includes(':') ? `[${host}]` : host}:${port}`
  const fault = await inspectRedis(alone, timeoutMs).catch((error: unknown) => error as RedisFault)
  return fault instanceof RedisFault && fault.code !== kind ? fault : undefined
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
    if (error instanceof RedisFault) throw error
    throw (await findFirstFault(url, timeoutMs)) ?? faultOf(reason ?? (error as Error))
  } finally {
    client.disconnect()
  }
}
