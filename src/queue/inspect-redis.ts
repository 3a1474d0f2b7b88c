import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Cluster } from 'ioredis'
import { explainDistrust, isDistrust } from '../domain/certificate.ts'
import { readRedisAddress, type RedisKind } from '../domain/backend-address.ts'
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
  no_sentinel: () => 'is no Sentinel; write redis:// in REDIS_URL, or the ports of the Sentinels',
  name: () => 'is called otherwise by the Sentinels; end REDIS_URL with the NAME of `sentinel monitor NAME`',
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
  [/unknown command .sentinel/i, 'no_sentinel'],
  [/No such master with that name/, 'name'],
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
 * What is wrong with a host that is asked alone: of a Cluster and of Sentinels ioredis tells that the connection was closed, and
 * not why. None where it is what it should be.
 */
async function findFaults(url: string, timeoutMs: number): Promise<RedisFault[]> {
  const { kind, hosts, isTls, username, password, master } = readRedisAddress(url)
  if (kind === 'one') return []
  const [user, secret] = kind === 'sentinel' ? [master.username, master.password] : [username, password]
  const signIn = secret && `${encodeURIComponent(user)}:${encodeURIComponent(secret)}@`
  const asked = hosts.map(({ host, port }) => {
    const alone = `redis${isTls ? 's' : ''}://${signIn}${host.includes(':') ? `[${host}]` : host}:${port}`
    return inspectRedis(alone, timeoutMs).catch((error: unknown) => error)
  })
  const answers = await Promise.all(asked)
  return answers.filter((answer) => answer instanceof RedisFault).filter(({ code }) => code !== kind)
}

/** @throws RedisFault when it does not answer, is not what the address says, or takes nothing */
export async function inspectRedis(url: string, timeoutMs: number) {
  const { kind, hosts } = readRedisAddress(url)
  const client = connectRedis(url, {
    lazyConnect: true,
    // So that there is time for another, where one is silent.
    connectTimeout: timeoutMs / hosts.length,
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
    // A Cluster that is down ends what was begun, and says nothing to who has begun it.
    const ended = once(client, 'end').then(() => Promise.reject(new Error('too few of its nodes do')))
    await Promise.race([client.connect(), ended])
    const masters = client instanceof Cluster ? client.nodes('master') : [client]
    const infos = await Promise.all(masters.map((master) => master.info()))
    const wrong = infos.map((info) => findWrongServer(info, kind)).find(Boolean)
    if (wrong) throw new RedisFault(wrong)
    await client.set(`${keyPrefix}:doctor:${randomUUID()}`, '', 'PX', 1_000)
    // What they do when their memory is full, such as `noeviction`: whether that is right, `checkRedis` of the doctor says.
    // INFO is what managed services allow too.
    const policies = infos.map((info) => /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown')
    const evictionPolicy = policies.find((policy) => policy !== 'noeviction') ?? 'noeviction'
    const sentAt = Date.now()
    const [seconds, microseconds] = await client.time()
    const now = new Date(Number(seconds) * 1000 + Number(microseconds) / 1000)
    // By its own clock, at some moment between the other two, which are by ours.
    return { evictionPolicy, time: { now, sentAt, receivedAt: Date.now() } }
  } catch (error) {
    if (error instanceof RedisFault) throw error
    const own = faultOf(reason ?? (error as Error))
    const faults = await findFaults(url, timeoutMs)
    // A host that is away tells less than what another says.
    throw [own, ...faults].find(({ code }) => code !== 'unreachable') ?? faults[0] ?? own
  } finally {
    client.disconnect()
  }
}
