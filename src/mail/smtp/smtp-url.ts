import { isLoopback } from '../../domain/loopback.ts'

export type SmtpServer = ReturnType<typeof readSmtpUrl>

/** `required` insists on STARTTLS with a valid certificate, `opportunistic` takes any, `off` speaks in the clear. */
const rules = ['required', 'opportunistic', 'off'] as const
const knownParameters = ['tls', 'name', 'pool', 'maxConnections', 'maxMessages']

/**
 * Reads `smtp://user:pass@host:port?tls=…&name=…`. Without `tls=`, a remote server must offer STARTTLS with a valid
 * certificate, and one on this machine is spoken to in the clear; `smtps://` is TLS from the first byte, with a valid one.
 * Connections are always a pool: of nodemailer's options `pool` is taken and means nothing.
 * @throws Error that says what is wrong with it, never its password
 */
export function readSmtpUrl(value: string) {
  if (!URL.canParse(value) || !/^smtps?:\/\/[^/?#]/i.test(value))
    throw new Error('must be a URL such as smtp://user:pass@relay.example:587, or smtps://')
  const url = new URL(value)
  const asked = url.searchParams.get('tls')
  const tls = rules.find((rule) => rule === asked)
  const unknown = [...url.searchParams.keys()].filter((name) => !knownParameters.includes(name))
  if (unknown.length > 0) {
    throw new Error(`has an unknown parameter ${unknown.join(', ')}; known are ${knownParameters.join(', ')}`)
  }
  if (asked !== null && !tls) {
    throw new Error('has a tls that is neither required, opportunistic nor off')
  }
  const isImplicit = url.protocol === 'smtps:'
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port ? Number(url.port) : isImplicit ? 465 : 587,
    tls: isImplicit ? ('implicit' as const) : (tls ?? (isLoopback(url.hostname) ? 'off' : 'required')),
    /** What we call ourselves in EHLO; the host's own name where undefined. */
    name: url.searchParams.get('name') ?? undefined,
    /** Conversations at once, and mails on each connection. */
    maxConnections: countIn(url, 'maxConnections', 1_000),
    maxMessages: countIn(url, 'maxMessages', 100_000),
    auth: url.username ? { user: decode(url.username), pass: decode(url.password) } : undefined,
  }
}

function countIn(url: URL, name: string, most: number): number | undefined {
  const text = url.searchParams.get(name)
  if (text === null) return undefined
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (count < 1 || count > most) throw new Error(`has a ${name} that is no whole number from 1 to ${most}`)
  return count
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('has a % in its user or password; write it as %25')
  }
}
