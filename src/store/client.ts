import pg from 'pg'
import { isDistrust } from '../domain/certificate.ts'
import { readDatabaseAddress, type Host } from '../domain/server-address.ts'

/** So often at most the hosts are asked which of them takes writes: after a failover it is another. */
const freshMs = 1_000
/** What a host that says nothing may cost before the next is tried. */
const hostMs = 2_000

const found = new Map<string, { at: number; host: Promise<Host> }>()

function findWritable(address: string): Promise<Host> {
  const known = found.get(address)
  if (known && performance.now() - known.at < freshMs) return known.host
  const host = askHosts(address)
  found.set(address, { at: performance.now(), host })
  return host
}

/** The first in order that takes writes. @throws what the first said, or that all are standbys */
async function askHosts(address: string): Promise<Host> {
  const { urls, hosts } = readDatabaseAddress(address)
  const failures: (Error & { code?: string })[] = []
  for (const [index, connectionString] of urls.entries()) {
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: hostMs,
      query_timeout: hostMs,
      application_name: 'depeche-probe',
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      const { rows } = await client.query<{ transaction_read_only: string }>('show transaction_read_only')
      const host = hosts[index]
      if (host && rows[0]?.transaction_read_only === 'off') return host
      failures.push(standby())
    } catch (error) {
      failures.push(error as Error)
    } finally {
      client.end().catch(() => undefined)
    }
  }
  // One that is not to be trusted tells most; one with no connection left more than a standby, and that more than silence.
  const isOf = (wanted: string) => (failure: { code?: string }) => failure.code === wanted
  const telling = [isDistrust, isOf('53300'), isOf(readOnly), () => true].map((tells) => failures.find(tells))
  throw telling.find((failure) => failure !== undefined) ?? standby()
}

const readOnly = '25006'
const standby = () =>
  Object.assign(new Error('no host takes writes; all that answer are standbys'), { code: readOnly })

/** Every connection to PostgreSQL is one of these: of several hosts it goes to the one that takes writes. */
export class DatabaseClient extends pg.Client {
  readonly #address: string
  readonly #isWritable: boolean

  constructor(config: pg.ClientConfig = {}) {
    const { connectionString: address = '' } = config
    const { urls, isWritable } = readDatabaseAddress(address)
    // One that nobody answers any more is noticed within seconds, not after two hours.
    const keeping = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 }
    super({ ...keeping, ...config, connectionString: urls[0] })
    this.#address = address
    this.#isWritable = isWritable
    // One that breaks in use rejects its statement, and emits an error besides, which would end the process.
    this.on('error', () => undefined)
  }

  override connect(): Promise<this>
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void
  override connect(callback?: (error: never, client: never) => void): unknown {
    const connected = this.#connect()
    if (!callback) return connected
    connected.then(
      () => {
        callback(null as never, this as never)
      },
      callback as (error: unknown) => void,
    )
    return undefined
  }

  async #connect(): Promise<this> {
    if (this.#isWritable) Object.assign(this, await findWritable(this.#address))
    await super.connect()
    return this
  }
}

/** Whether something stands between: a pooler makes up the number by which a server would know the connection. */
export async function isPooled(client: DatabaseClient): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return (client as unknown as { processID: number }).processID !== rows[0]?.pid
}
