/** What is wrong with an address: one sentence that says what to write, and nothing of the address itself. */
export class AddressFault extends Error {}

/** SQLSTATE of a user, a password or a database that the server at an address does not know. */
export const doesNotKnowUs = ['28P01', '28000', '3D000']

export interface Host {
  /** IPv6 without its brackets. */
  host: string
  port: number
}

function readHost(text: string, defaultPort: number): Host {
  const [, host, port = String(defaultPort)] =
    /^(\[[\da-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i.exec(text) ?? []
  if (text === '') throw new AddressFault('names an empty host; write host:port,host:port')
  if (host === undefined && !text.startsWith('[') && text.split(':').length > 2)
    throw new AddressFault('has an IPv6 address without brackets; write [2001:db8::1]:port')
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new AddressFault('has a host that cannot be read; write host:port, with a port from 1 to 65535')
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** `scheme://user:password@host:port,host:port/path?query`. @throws AddressFault */
function split(value: string, defaultPort: number) {
  const [scheme = '', behind = ''] = value.split(/:\/\/(.*)/s)
  const end = behind.search(/[/?#]/)
  const [authority, rest] = end === -1 ? [behind, ''] : [behind.slice(0, end), behind.slice(end)]
  const at = authority.lastIndexOf('@') + 1
  const credentials = authority.slice(0, at)
  const hosts = authority.slice(at).split(',')
  if (!URL.canParse(`x://${credentials}host${rest}`))
    throw new AddressFault('cannot be read; write special characters of a password as %XX')
  const { username, password } = new URL(`x://${credentials}host`)
  try {
    return {
      protocol: `${scheme}:`,
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
      /** As they were written, for who reads them again. */
      credentials,
      hosts: hosts.map((host) => readHost(host, defaultPort)),
      /** What follows the hosts. */
      rest: new URL(`x://host${rest}`),
    }
  } catch (error) {
    if (error instanceof URIError) throw new AddressFault('has a % in its user or password; write it as %25')
    throw error
  }
}

/** Whether the hosts of an address are several. */
const isList = (value: string): boolean => /^[^/]*\/\/[^/?#]*,/.test(value)

export interface DatabaseAddress {
  /** One for each host, in the order in which they are tried. */
  urls: string[]
  hosts: Host[]
  /** Whether a server that takes no writes, such as a standby, is passed over. */
  isWritable: boolean
}

const databaseProtocols = ['postgres:', 'postgresql:']

/**
 * `postgres://user:password@a:5432,b:5432/db?target_session_attrs=read-write`; the port is 5432 unless said. Of several
 * hosts the one that takes writes is meant, also unsaid.
 * @throws AddressFault
 */
export function readDatabaseAddress(value: string): DatabaseAddress {
  const isSeveral = isList(value)
  if (
    !databaseProtocols.some((protocol) => value.startsWith(`${protocol}//`)) ||
    !(isSeveral || URL.canParse(value))
  )
    throw new AddressFault('must be a URL that starts with postgres:// or postgresql://')
  const address = isSeveral ? split(value, 5432) : undefined
  const { searchParams } = address?.rest ?? new URL(value)
  const wanted = searchParams.get('target_session_attrs')
  if (
    searchParams.get('host')?.includes(',') ||
    (isSeveral && (searchParams.has('host') || searchParams.has('port')))
  )
    throw new AddressFault('names hosts behind the ?; write them in front of the database: a:5432,b:5432/db')
  if (wanted !== null && !['read-write', 'primary', ...(isSeveral ? [] : ['any'])].includes(wanted))
    throw new AddressFault('has a target_session_attrs that is neither read-write nor primary; leave it out')
  if (!address) {
    const { hostname, port } = new URL(value)
    const host = searchParams.get('host') ?? decodeURIComponent(hostname).replace(/^\[|\]$/g, '')
    const isWritable = wanted === 'read-write' || wanted === 'primary'
    return { urls: [value], hosts: [{ host, port: Number(port || 5432) }], isWritable }
  }
  const { protocol, credentials, hosts, rest } = address
  const urls = hosts.map(({ host, port }) => {
    const written = host.includes(':') ? `[${host}]` : host
    return `${protocol}//${credentials}${written}:${port}${rest.pathname}${rest.search}`
  })
  return { urls, hosts, isWritable: true }
}

export type RedisKind = 'one' | 'cluster' | 'sentinel'

const redisForms = ['redis:', 'redis+cluster:', 'redis+sentinel:']
const sentinelParameters = ['db', 'sentinel_username', 'sentinel_password']

/**
 * `redis://host:port/db`, `redis+cluster://host:port,host:port`, or
 * `redis+sentinel://host:port,host:port/NAME?db=0&sentinel_username=…&sentinel_password=…`; each with `rediss` for TLS. User and
 * password are those of the servers that hold the data.
 * @throws AddressFault
 */
export function readRedisAddress(value: string) {
  const form = value.slice(0, value.indexOf('//')).replace(/^rediss/, 'redis')
  if (!redisForms.includes(form))
    throw new AddressFault(
      'must be a URL that starts with redis://, redis+cluster:// or redis+sentinel://, or each with rediss for TLS',
    )
  const kind: RedisKind = form === 'redis:' ? 'one' : form === 'redis+cluster:' ? 'cluster' : 'sentinel'
  if (kind === 'one' && isList(value))
    throw new AddressFault('names several servers; write redis+cluster:// or redis+sentinel://')
  if (kind === 'one' && !URL.canParse(value))
    throw new AddressFault('must be a URL such as redis://host:6379')
  const { hosts, rest, username, password } = split(value, kind === 'sentinel' ? 26_379 : 6_379)
  const name = decodeURIComponent(rest.pathname.slice(1))
  const parameters = rest.searchParams
  if (kind === 'cluster' && (name !== '' || parameters.size > 0))
    throw new AddressFault('has something behind its hosts; a Cluster has no numbered databases')
  if (kind === 'sentinel' && (name === '' || name.includes('/')))
    throw new AddressFault('must end with the name that the Sentinels give the master, such as /mymaster')
  if (kind === 'sentinel' && ![...parameters.keys()].every((key) => sentinelParameters.includes(key)))
    throw new AddressFault(`takes ${sentinelParameters.join(', ')} behind the ?, and nothing else`)
  const db = Number(parameters.get('db') ?? 0)
  if (kind === 'sentinel' && !(Number.isInteger(db) && db >= 0))
    throw new AddressFault('has a db that is no number; write ?db=1')
  return {
    kind,
    isTls: value.startsWith('rediss'),
    /** Of `cluster` any nodes, of `sentinel` the Sentinels. */
    hosts,
    username,
    password,
    /** Of `sentinel`: what they call the master, its numbered database, and how to sign in to them. */
    master: {
      name,
      db,
      username: parameters.get('sentinel_username') ?? '',
      password: parameters.get('sentinel_password') ?? '',
    },
  }
}
