import { statfs } from 'node:fs/promises'
import type { Context } from '../context.ts'
import type { Finding } from '../mail/dns-records.ts'
import { readSmtpUrl } from '../mail/smtp-url.ts'
import { findEvictionPolicy } from '../queue/redis-policy.ts'
import { longestSkewMs } from '../services/presence.ts'

const leastFreeBytes = 1_000_000_000
const answerMs = 10_000

const good = (name: string, sentence: string): Finding => ({ name, isGood: true, sentence })
const bad = (name: string, sentence: string): Finding => ({ name, isGood: false, sentence })

/** What a person can do with; Node hides the reason of some failures in a code. */
const reasonOf = (error: unknown): string => {
  const { message, code } = error as { message?: string; code?: string }
  return message ? message : (code ?? String(error))
}

/** Opens a conversation as sending does, with its rules of encryption and sign-in, and sends nothing. */
export async function checkRelay({ config: { smtpUrl } }: Context): Promise<Finding> {
  if (smtpUrl === undefined) return bad('relay', 'SMTP_URL is not set: mail stays here; set it to your relay')
  const { tls } = readSmtpUrl(smtpUrl)
  const { createTransport } = await import('../mail/transport.ts')
  const transport = createTransport({ smtpUrl, connections: 1, limits: { openMs: answerMs } })
  try {
    const utf8 = (await transport.hasSmtpUtf8()) ? 'takes' : 'does not take'
    return good('relay', `answers (TLS ${tls}), ${utf8} international addresses`)
  } catch (error) {
    const wasAnswered = (error as { responseCode?: number }).responseCode !== undefined
    return wasAnswered
      ? bad('relay', `turns us away (${reasonOf(error)}); check user, password and tls= in SMTP_URL`)
      : bad('relay', `does not answer (${reasonOf(error)}); check SMTP_URL and that the relay runs`)
  } finally {
    await transport.close()
  }
}

/** RFC 8058: mail clients post an unsubscribe to https alone. */
export function checkLinks({ config: { publicUrl } }: Context): Finding {
  return new URL(publicUrl).protocol === 'https:'
    ? good('links', 'are https: one-click unsubscribe works')
    : bad('links', 'are not https, which one-click unsubscribe needs; put TLS in front and set PUBLIC_URL')
}

/** The database, and what only it can tell. */
export async function checkDatabase({ services }: Context): Promise<Finding[]> {
  try {
    const skewMs = await services.presence.measureSkew()
    const hold = await services.restoring.findHold()
    return [
      good('database', 'answers'),
      judgeClock(skewMs),
      hold
        ? bad('restored', 'this database is a copy: all mail is held until `npx depeche restore confirm`')
        : good('restored', 'nothing is held'),
      judgeKeys(await services.suppressions.countLost()),
    ]
  } catch (error) {
    const hasNoTables = (error as { code?: string }).code === '42P01'
    const sentence = hasNoTables
      ? 'has no tables of Dépêche yet; run `npx depeche migrate`'
      : `does not answer (${reasonOf(error)}); check DATABASE_URL and that the server runs`
    return [bad('database', sentence)]
  }
}

const judgeKeys = (lost: number): Finding =>
  lost > 0
    ? bad(
        'keys',
        `${lost} suppressions match nobody any more; put the key they were hashed under back into SECRET_KEY`,
      )
    : good('keys', 'every suppression is of a key in SECRET_KEY')

/** @param skewMs how far this machine's clock is ahead of the database's; below zero, behind */
export function judgeClock(skewMs: number): Finding {
  if (Math.abs(skewMs) <= longestSkewMs) return good('clock', 'agrees with the database')
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  const way = skewMs > 0 ? 'ahead of' : 'behind'
  return bad(
    'clock',
    `is ${seconds} s ${way} the database's, and workers claim nothing; run chronyd or systemd-timesyncd on both machines`,
  )
}

export async function checkRedis({ config: { redisUrl } }: Context): Promise<Finding> {
  if (redisUrl === undefined) return good('redis', 'not used: jobs wait in PostgreSQL')
  try {
    const policy = await findEvictionPolicy(redisUrl, answerMs)
    if (policy === 'noeviction') return good('redis', 'answers, and evicts nothing')
    return bad(
      'redis',
      `drops jobs when its memory is full (${policy}); set maxmemory-policy noeviction in its configuration`,
    )
  } catch (error) {
    return bad('redis', `does not answer (${reasonOf(error)}); check REDIS_URL and that Redis runs`)
  }
}

export async function checkDisk({ config }: Context): Promise<Finding> {
  const { bavail, bsize } = await statfs(config.dataDir).catch(() => statfs('.'))
  const free = bavail * bsize
  const sentence = `${(free / 1e9).toFixed(1)} GB free`
  return free >= leastFreeBytes
    ? good('disk', sentence)
    : bad('disk', `${sentence}; make room, PostgreSQL stops when there is none`)
}
