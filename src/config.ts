import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { isLoopback } from './domain/loopback.ts'
import { readRate } from './domain/delivery/sending-budget.ts'
import { keptDays } from './domain/retention.ts'
import { AddressFault, readDatabaseAddress, readRedisAddress } from './domain/backend-address.ts'
import { isMailbox } from './domain/subscribers/address.ts'
import { readMailbox } from './mail/senders.ts'
import { readSmtpUrl } from './mail/smtp/smtp-url.ts'

/** A fault in the environment: every line names its variable. Printed without a stack; the process exits 1. */
export class ConfigError extends Error {
  constructor(faults: string[]) {
    super(['The configuration has faults:', ...faults.map((fault) => `  ${fault}`)].join('\n'))
    this.name = 'ConfigError'
  }
}

/** In digits: Number reads 0x50 and 1e3 too, and blanks as 0. */
const wholeNumber = (least: number, most: number, orElse = '') =>
  z
    .string()
    .transform((value) => (/^\d+$/.test(value) ? Number(value) : NaN))
    .refine((value) => value >= least && value <= most, {
      error: `must be a whole number from ${least} to ${most}${orElse}`,
    })

const port = wholeNumber(0, 65_535)

const urlWith = (...protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  })

/** @param read throws what is wrong with it, without the value */
const addressFor = (read: (value: string) => unknown) =>
  z.string().superRefine((value, context) => {
    try {
      read(value)
    } catch (error) {
      context.addIssue((error as Error).message)
    }
  })

/** pg reads them with each connection, and would say so then. */
function readCertificates(value: string): void {
  readDatabaseAddress(value)
  const parameters = new URLSearchParams(value.split('?')[1])
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
    try {
      readFileSync(parameters.get(name) ?? '/dev/null')
    } catch {
      throw new AddressFault(`names a file in ${name} that cannot be read; check its path and permissions`)
    }
  }
}

const publicUrl = urlWith('http:', 'https:')
  .transform((value) => new URL(value))
  .refine((url) => url.protocol === 'https:' || isLoopback(url.hostname), {
    error: 'must be https, unless it is a loopback name: sign-in cookies and one-click links need it',
  })
  .refine((url) => url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '', {
    error: 'must be an origin alone, such as https://news.example.org, without a path',
  })
  .transform((url) => url.origin)

const list = z.string().transform((value) => value.split(',').map((part) => part.trim()))

const cidrs = list.refine(
  (parts) =>
    // Four numbers, where they are no IPv6: 10/8 is 0.0.0.10/8.
    parts.every((part) => /:|^(\d+\.){3}/.test(part) && (ipaddr.isValidCIDR(part) || ipaddr.isValid(part))),
  {
    error: 'must be addresses or CIDRs separated by commas, such as 10.0.0.0/8,::1',
  },
)

const hosts = list
  .transform((parts) => parts.map((part) => part.toLowerCase()))
  .refine((parts) => parts.every((part) => /^[\w.-]+$|^[\da-f:]+$/.test(part)), {
    error:
      'must be host names or addresses separated by commas, without scheme or port, such as cms.internal',
  })

/** Names in other letters as the name system writes them, like the host of PUBLIC_URL. */
const domain = z
  .string()
  .transform(domainToASCII)
  .refine((name) => isMailbox(`a@${name}`), { error: 'must be a domain, such as news.example' })

const secretKeys = list.refine((keys) => keys.every((key) => key.length >= 32), {
  error:
    'must be one or more keys of at least 32 characters, separated by commas; `openssl rand -hex 32` makes one',
})

function isPrivateKey(pem: string, type: string, bits: number): boolean {
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyType === type && (key.asymmetricKeyDetails?.modulusLength ?? bits) >= bits
  } catch {
    return false
  }
}

const rsaKey = z.string().refine((pem) => isPrivateKey(pem, 'rsa', 2048), {
  error: 'must be an RSA private key in PEM form of at least 2048 bits; `openssl genrsa 2048` makes one',
})
const ed25519Key = z.string().refine((pem) => isPrivateKey(pem, 'ed25519', 0), {
  error: 'must be an Ed25519 private key in PEM form; `openssl genpkey -algorithm ed25519` makes one',
})

const rate = z
  .string()
  .transform(readRate)
  .refine((limits) => limits !== undefined, {
    error:
      'must be what the relay allows, such as 14/s, 200/h or 50000/d, each unit once, several separated by spaces; a bare number is messages a second',
  })

const feedLimit = z.union([
  z.literal('off').transform(() => Infinity),
  wholeNumber(1, 1_000_000_000, ', or off'),
])

const environment = z.object({
  PORT: port.default(3000),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: publicUrl.optional(),
  DATA_DIR: z.string().default('./var'),
  DATABASE_URL: addressFor(readCertificates).optional(),
  DATABASE_DIRECT_URL: addressFor(readCertificates).optional(),
  REDIS_URL: addressFor(readRedisAddress).optional(),
  SMTP_URL: addressFor(readSmtpUrl).optional(),
  MAIL_CATCHER_PORT: port.default(8025),
  MAILBOX_URL: urlWith('http:', 'https:').optional(),
  MAIL_FROM: addressFor(readMailbox).optional(),
  MAIL_REPLY_TO: addressFor(readMailbox).optional(),
  BOUNCE_DOMAIN: domain.optional(),
  INBOUND_PORT: port.optional(),
  DKIM_DOMAIN: domain.optional(),
  DKIM_SELECTOR: z.string().optional(),
  DKIM_PRIVATE_KEY: rsaKey.optional(),
  DKIM_ED25519_SELECTOR: z.string().optional(),
  DKIM_ED25519_PRIVATE_KEY: ed25519Key.optional(),
  SECRET_KEY: secretKeys.optional(),
  TRUST_PROXY: cidrs.optional(),
  SOURCE_HOSTS: hosts.optional(),
  SMTP_CONNECTIONS: wholeNumber(1, 1000).optional(),
  SMTP_RATE: rate.optional(),
  FEED_LIMIT: feedLimit.default(60),
  RETENTION_DELIVERIES: wholeNumber(30, 36_500).default(keptDays.deliveries),
  PURGE_URL: urlWith('http:', 'https:').optional(),
  DRAIN_SECONDS: wholeNumber(0, 300).default(5),
  METRICS_PORT: port.default(9464),
  METRICS_HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  KILL_AT: z.string().optional(),
  NODE_ENV: z.string().optional(),
})

/** What docs/configuration.md must list. */
export const variableNames = Object.keys(environment.shape)

type Environment = z.infer<typeof environment>

/** `NAME_FILE` stands for the content of a mounted secret. Blanks around a value do not count, and blanks alone are none. */
function readSecretFiles(env: NodeJS.ProcessEnv, faults: string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const name of Object.keys(environment.shape)) {
    const direct = env[name]?.trim()
    const file = env[`${name}_FILE`]?.trim()
    if (direct) values[name] = direct
    if (!file) continue
    const content = readText(file)
    if (direct) faults.push(`${name}_FILE: ${name} is set as well; keep one of the two`)
    else if (content) values[name] = content
    else faults.push(`${name}_FILE: the file is empty, or cannot be read; check its path and permissions`)
  }
  return values
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

function findContradictions(env: Partial<Record<keyof Environment, string>>): string[] {
  const faults: string[] = []
  const dkim = [env.DKIM_DOMAIN, env.DKIM_SELECTOR, env.DKIM_PRIVATE_KEY]
  if (dkim.some(Boolean) && !dkim.every(Boolean)) {
    faults.push('DKIM_DOMAIN, DKIM_SELECTOR, DKIM_PRIVATE_KEY: set all three, or none')
  }
  if (Boolean(env.DKIM_ED25519_SELECTOR) !== Boolean(env.DKIM_ED25519_PRIVATE_KEY)) {
    faults.push('DKIM_ED25519_SELECTOR, DKIM_ED25519_PRIVATE_KEY: set both, or none')
  }
  if (env.DKIM_ED25519_PRIVATE_KEY && !env.DKIM_PRIVATE_KEY) {
    faults.push('DKIM_ED25519_PRIVATE_KEY: needs DKIM_PRIVATE_KEY too; many providers accept RSA alone')
  }
  if (env.KILL_AT && env.NODE_ENV !== 'test') {
    faults.push('KILL_AT: ends the process on purpose; it is for tests alone (NODE_ENV=test)')
  }
  if (env.DATABASE_DIRECT_URL && !env.DATABASE_URL) {
    faults.push('DATABASE_DIRECT_URL: set DATABASE_URL too, to the pooler')
  }
  if (env.DATABASE_URL && !env.SECRET_KEY) {
    faults.push('SECRET_KEY: required where DATABASE_URL is set; `openssl rand -hex 32` makes one')
  }
  const host = URL.parse(env.PUBLIC_URL ?? '')?.hostname ?? 'localhost'
  if (!env.MAIL_FROM && !host.startsWith('[') && !isMailbox(`a@${host}`)) {
    faults.push('MAIL_FROM: set it, for no mail can come from an address at the host of PUBLIC_URL')
  }
  return faults
}

/** The whole configuration, checked. Everyone but the composition root is handed a slice of it. */
export type Config = ReturnType<typeof toConfig>

const toConfig = (env: Environment) => ({
  port: env.PORT,
  host: env.HOST,
  /** An origin without a trailing slash: the only one that a generated link may carry. */
  publicUrl: env.PUBLIC_URL ?? `http://localhost:${env.PORT}`,
  /** Whether the operator has said it; else it follows from the port. */
  isPublicUrlSet: env.PUBLIC_URL !== undefined,
  /** Whether the database is our own, in `dataDir`. */
  isEmbedded: env.DATABASE_URL === undefined,
  /** Absolute. */
  dataDir: resolve(env.DATA_DIR),
  databaseUrl: env.DATABASE_URL,
  /** Past the pooler that `databaseUrl` leads to, where it does: see `directUrlOf`. */
  databaseDirectUrl: env.DATABASE_DIRECT_URL,
  redisUrl: env.REDIS_URL,
  smtpUrl: env.SMTP_URL,
  smtpConnections:
    env.SMTP_CONNECTIONS ?? (env.SMTP_URL ? readSmtpUrl(env.SMTP_URL).maxConnections : undefined) ?? 20,
  /** What the relay allows, for all workers together; undefined is unlimited. */
  smtpRate: env.SMTP_RATE,
  mailCatcherPort: env.MAIL_CATCHER_PORT,
  /** The page of the mail catcher, where there is one: "check your inbox" links to it. */
  mailboxUrl: env.MAILBOX_URL,
  mailFrom: env.MAIL_FROM,
  mailReplyTo: env.MAIL_REPLY_TO,
  bounceDomain: env.BOUNCE_DOMAIN,
  inboundPort: env.INBOUND_PORT,
  dkim: toDkim(env),
  /** The first signs, all verify. Undefined: the embedded installation makes its own. */
  secretKeys: env.SECRET_KEY,
  trustProxy: env.TRUST_PROXY ?? [],
  /** Private hosts that sources may reach. */
  sourceHosts: env.SOURCE_HOSTS ?? [],
  /** Unconditional GETs a minute per feed and address; Infinity is off. */
  feedLimit: env.FEED_LIMIT,
  /** How many days details of deliveries are kept after their digest has ended. */
  retentionDays: env.RETENTION_DELIVERIES,
  /** Where a cache in front of us takes PURGE. */
  purgeUrl: env.PURGE_URL,
  /** How long a web process that was told to end still answers, while its proxy learns of it. */
  drainSeconds: env.DRAIN_SECONDS,
  metricsPort: env.METRICS_PORT,
  metricsHost: env.METRICS_HOST,
  logLevel: env.LOG_LEVEL,
  /** `step:n` of a fault test; refused outside tests. */
  killAt: env.KILL_AT,
})

/** Where a session is one's own: for all but reads and short transactions of web processes. */
export const directUrlOf = <Url extends string | undefined>({
  databaseDirectUrl,
  databaseUrl,
}: {
  databaseDirectUrl: string | undefined
  databaseUrl: Url
}): string | Url => databaseDirectUrl ?? databaseUrl

function toDkim(env: Environment) {
  const { DKIM_DOMAIN, DKIM_SELECTOR: selector, DKIM_PRIVATE_KEY: privateKey } = env
  if (!DKIM_DOMAIN || !selector || !privateKey) return undefined
  const { DKIM_ED25519_SELECTOR: second, DKIM_ED25519_PRIVATE_KEY: secondKey } = env
  return {
    domain: DKIM_DOMAIN,
    selector,
    privateKey,
    ed25519: second && secondKey ? { selector: second, privateKey: secondKey } : undefined,
  }
}

/**
 * Reads and checks the whole environment once. docs/configuration.md lists every variable.
 * @throws ConfigError with all faults together, each naming its variable, none repeating a value.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const faults: string[] = []
  const values = readSecretFiles(env, faults)
  const { data, error } = environment.safeParse(values)
  faults.push(
    ...(error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...findContradictions(values),
  )
  if (!data || faults.length > 0) throw new ConfigError(faults)
  return toConfig(data)
}

/**
 * The environment for a process that this one starts: ours, with `values` in it (undefined leaves a variable as it is).
 */
export function childEnvironment(values: Record<string, string | undefined>): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    env[name] = value
    // Both at once would be a contradiction.
    Reflect.deleteProperty(env, `${name}_FILE`)
  }
  return env
}
