import { once } from 'node:events'
import { statfs } from 'node:fs/promises'
import { connect } from 'node:net'
import { isLoopback } from '../domain/loopback.ts'
import type { Context } from '../context.ts'
import { look, no, ok, type Finding } from './finding.ts'
import { isDistrust } from '../domain/certificate.ts'
import { readDatabaseAddress, readRedisAddress } from '../domain/backend-address.ts'
import { readSmtpUrl } from '../mail/smtp/smtp-url.ts'
import { inspectRedis } from '../queue/inspect-redis.ts'
import { longestSkewMs, skewOf } from '../services/clock.ts'

const leastFreeBytes = 1_000_000_000
const answerMs = 10_000

/** What a server said of itself, and its clock where it told the time. */
export interface Checkup {
  findings: Finding[]
  clock?: Witness
}

export interface Witness {
  name: string
  /** A clock on this machine is our own. */
  isHere: boolean
  /** How far this machine's clock is ahead of the other; below zero, behind. */
  skewMs: number
}

/** @param read how its kind of address is read; PostgreSQL is reached by a socket, too: at no host, or at a path */
const isHereBy =
  (read: (url: string) => { hosts: { host: string }[] }) =>
  (url: string | undefined): boolean =>
    url === undefined ||
    read(url).hosts.every(({ host }) => host === '' || host.startsWith('/') || isLoopback(host))

const isRedisHere = isHereBy(readRedisAddress)
export const isHere = isHereBy(readDatabaseAddress)

/** What a person can do with; Node hides the reason of some failures in a code. */
const reasonOf = (error: unknown): string => {
  const { message, code } = ((error as Error).cause ?? error) as { message?: string; code?: string }
  return message ? message : (code ?? String(error))
}

/** Opens a conversation as sending does, with its rules of encryption and sign-in, and sends nothing. */
export async function checkRelay({ config: { smtpUrl } }: Context): Promise<Finding> {
  if (smtpUrl === undefined) return no('relay', 'SMTP_URL is not set: mail stays here; set it to your relay')
  const { tls } = readSmtpUrl(smtpUrl)
  const { createTransport } = await import('../mail/smtp/transport.ts')
  const transport = createTransport({ smtpUrl, connections: 1, limits: { openMs: answerMs } })
  try {
    const utf8 = (await transport.hasSmtpUtf8()) ? 'takes' : 'does not take'
    return ok('relay', `answers (TLS ${tls}), ${utf8} international addresses`)
  } catch (error) {
    const wasAnswered = (error as { responseCode?: number }).responseCode !== undefined
    return wasAnswered
      ? no('relay', `turns us away (${reasonOf(error)}); check user, password and tls= in SMTP_URL`)
      : no('relay', `does not answer (${reasonOf(error)}); check SMTP_URL and that the relay runs`)
  } finally {
    await transport.close()
  }
}

/** RFC 8058: mail clients post an unsubscribe to https alone. */
export async function checkLinks({ config: { publicUrl } }: Context): Promise<Finding> {
  if (new URL(publicUrl).protocol !== 'https:')
    return no(
      'links',
      'are not https, which one-click unsubscribe needs; put TLS in front and set PUBLIC_URL',
    )
  try {
    const signal = AbortSignal.timeout(answerMs)
    const answer = await fetch(`${publicUrl}/healthz`, { redirect: 'manual', signal })
    return answer.status === 200 && (await answer.text()) === JSON.stringify({ status: 'up' })
      ? ok('links', 'are https, and lead to Dépêche')
      : no('links', `lead to something else, which answers ${answer.status}; check PUBLIC_URL and the proxy`)
  } catch (error) {
    return look('links', `do not answer from here (${reasonOf(error)}); see that they do from outside`)
  }
}

/** What stands before the database, and behind it. One that is away is told of by the next check. */
async function checkServers({ config, services: { health } }: Context): Promise<Finding[]> {
  const { databaseUrl, databaseDirectUrl } = config
  try {
    const { isPooled, losesCommits } = await health.inspectServer(databaseDirectUrl ?? databaseUrl)
    if (databaseDirectUrl !== undefined) await health.inspectServer(databaseUrl)
    return [
      ...(isPooled ? [leadsToPooler(databaseDirectUrl !== undefined)] : []),
      ...(losesCommits ? [isBehind] : []),
    ]
  } catch {
    return []
  }
}

const leadsToPooler = (isDirect: boolean) =>
  no(
    'pooler',
    `${isDirect ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL'} leads to a pooler, where news of changes and locks are lost; ` +
      'set DATABASE_DIRECT_URL to the server itself',
  )

const isBehind = look(
  'standby',
  'hears of commits afterwards: if it takes over, mails of the last moment go out again; set synchronous_standby_names',
)

/** The database, and what only it can tell. */
export async function checkDatabase(context: Context): Promise<Checkup> {
  const { config, services } = context
  const servers = await checkServers(context)
  try {
    const skewMs = await services.clock.measureSkew()
    const hold = await services.restoredCopy.findHold()
    const findings = [
      judgeConnection(config.databaseUrl),
      ...servers,
      hold
        ? no(
            'restored',
            'this database is a copy, or a standby that took over after more than five minutes: all mail is held until `bin/depeche restore confirm`',
          )
        : ok('restored', 'nothing is held'),
      judgeKeys(await services.suppressions.judgeKeys()),
      judgeSearch(await services.subscribers.hasPartIndex()),
      ...((await services.subscribers.hasCase()) ? [] : [hasNoCase]),
    ]
    return { findings, clock: { name: 'PostgreSQL', isHere: isHere(config.databaseUrl), skewMs } }
  } catch (error) {
    const hasNoTables = (error as { code?: string }).code === '42P01'
    const reason = reasonOf(error)
    const sentence = hasNoTables
      ? 'has no tables of Dépêche yet; run `bin/depeche migrate`'
      : isDistrust(error)
        ? reason
        : `does not answer (${reason}); check DATABASE_URL and that the server runs`
    return { findings: [no('database', sentence), ...servers] }
  }
}

function judgeKeys({ lost, isForeign, isKnown }: Awaited<ReturnType<JudgeKeys>>): Finding {
  if (lost > 0) {
    const sentence = `${lost} suppressions match nobody any more; put the key they were hashed under back into SECRET_KEY`
    return no('keys', sentence)
  }
  if (isForeign) {
    const sentence =
      'links in mails already sent are of another key; put it back into SECRET_KEY, behind the new one'
    return no('keys', sentence)
  }
  return isKnown
    ? ok('keys', 'readers and suppressions are of a key in SECRET_KEY')
    : look('keys', 'nothing was made with SECRET_KEY yet: keep a copy of it beside the backups')
}

type JudgeKeys = Context['services']['suppressions']['judgeKeys']

/** Only a verified certificate keeps others from reading, or being, the database. */
export const judgeConnection = (url: string | undefined): Finding =>
  isHere(url) || /[?&]sslmode=(?:require|verify-ca|verify-full)\b/.test(url ?? '')
    ? ok('database', 'answers')
    : look('database', 'answers in clear text; write sslmode=verify-full behind DATABASE_URL')

const hasNoCase = no(
  'locale',
  'is C, to which É and é have nothing to do with each other; restore a dump into a database made with --locale C.UTF-8',
)

const judgeSearch = (hasIndex: boolean): Finding =>
  hasIndex
    ? ok('search', 'finds people by a part of their address, articles by parts of their titles')
    : look(
        'search',
        'reads every address and title: let an administrator of the database run `create extension pg_trgm; ' +
          'create index subscribers_address_part on subscribers using gin (lower(address) gin_trgm_ops); ' +
          'create index articles_title_part on articles using gin (fold_text(title) gin_trgm_ops)`',
      )

/** DKIM and links are judged by the minute, claims by the second. */
export function judgeClock(witnesses: Witness[]): Finding {
  const wrong = witnesses.find(({ skewMs }) => Math.abs(skewMs) > longestSkewMs)
  if (wrong) {
    const seconds = Math.round(Math.abs(wrong.skewMs) / 1000)
    const way = wrong.skewMs > 0 ? 'ahead of' : 'behind'
    const what = wrong.name === 'PostgreSQL' ? ', and workers claim nothing' : ''
    return no(
      'clock',
      `is ${seconds} s ${way} that of ${wrong.name}${what}; run chronyd or systemd-timesyncd on both machines`,
    )
  }
  const others = witnesses.filter((witness) => !witness.isHere).map(({ name }) => name)
  return others.length > 0
    ? ok('clock', `agrees with that of ${others.join(' and ')}`)
    : look('clock', 'has no other machine to be compared with; see that chronyd or systemd-timesyncd runs')
}

export async function checkRedis({ config: { redisUrl } }: Context): Promise<Checkup> {
  if (redisUrl === undefined) return { findings: [ok('redis', 'not used: jobs wait in PostgreSQL')] }
  try {
    const { evictionPolicy, time } = await inspectRedis(redisUrl, answerMs)
    const finding =
      evictionPolicy === 'noeviction'
        ? ok('redis', 'answers, and evicts nothing')
        : no(
            'redis',
            `drops jobs when its memory is full (${evictionPolicy}); set maxmemory-policy noeviction in its configuration`,
          )
    const skewMs = skewOf(time.now, time.sentAt, time.receivedAt)
    return { findings: [finding], clock: { name: 'Redis', isHere: isRedisHere(redisUrl), skewMs } }
  } catch (error) {
    return { findings: [no('redis', (error as Error).message)] }
  }
}

/** Whether what comes back finds its way: the domain it is sent to, and who listens. */
export async function checkReturns({
  config: { bounceDomain, inboundPort, host },
}: Context): Promise<Finding> {
  if (bounceDomain === undefined && inboundPort === undefined) {
    return look(
      'returns',
      "bounces go to the sender's mailbox, and dead addresses stay; set BOUNCE_DOMAIN and INBOUND_PORT",
    )
  }
  if (bounceDomain === undefined) {
    return no('returns', 'INBOUND_PORT is set, but nothing is sent there; set BOUNCE_DOMAIN')
  }
  if (inboundPort === undefined) {
    return no('returns', `nobody reads what comes back to ${bounceDomain}; set INBOUND_PORT`)
  }
  const at = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  const { inboundBanner } = await import('../mail/inbound/inbound-server.ts')
  try {
    const greeting = await greet(at, inboundPort)
    return greeting.endsWith(` ${inboundBanner}\r\n`)
      ? ok('returns', `are listened for at ${at}:${inboundPort}`)
      : no('returns', `another program answers at ${at}:${inboundPort}; give INBOUND_PORT a free port`)
  } catch (error) {
    const reason = reasonOf(error)
    return look(
      'returns',
      `nobody answers at ${at}:${inboundPort} (${reason}); start a worker here, or see that one listens where the MX leads`,
    )
  }
}

async function greet(host: string, port: number): Promise<string> {
  const socket = connect({ host, port })
  try {
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(answerMs) })) as [Buffer]
    return data.toString('latin1')
  } finally {
    socket.destroy()
  }
}

/** Of a database elsewhere nothing is known here. */
export async function checkDisk({ config: { isEmbedded, dataDir } }: Context): Promise<Finding> {
  const at = isEmbedded ? dataDir : process.cwd()
  const { bavail, bsize } = await statfs(at)
  const free = bavail * bsize
  const sentence = `${(free / 1e9).toFixed(1)} GB free at ${at}`
  if (free < leastFreeBytes) return no('disk', `${sentence}; make room`)
  return ok('disk', isEmbedded ? sentence : `${sentence}; look at the database's own, too`)
}
