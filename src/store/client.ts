import { connect, type Socket } from 'node:net'
import pg from 'pg'
import { isDistrust } from '../domain/certificate.ts'
import { readDatabaseAddress, doesNotKnowUs, type Host } from '../domain/backend-address.ts'

/** So often at most a question is asked: which of the hosts takes writes, for after a failover it is another, and who is there. */
const freshMs = 1_000
/** What a host that says nothing may cost before the next is tried. */
const hostMs = 2_000
/** How long a statement waits without a word before a connection of its own asks whether the server is there, and for that one. */
const silenceMs = 5_000

const asked = new Map<string, { at: number; answer: Promise<unknown> }>()

function askOnce<T>(question: string, ask: () => Promise<T>): Promise<T> {
  const known = asked.get(question)
  if (known && performance.now() - known.at < freshMs) return known.answer as Promise<T>
  const answer = ask()
  asked.set(question, { at: performance.now(), answer })
  return answer
}

const findWritable = (address: string): Promise<Host> => askOnce(address, () => askHosts(address))

/** Whether it speaks TLS: a server answers before it looks who asks, and whether there is room. */
const firstQuestion = Buffer.from('0000000804d2162f', 'hex')

/** Whether a server says anything: one with too much to do may take long to let somebody in. */
function isThere(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host).setTimeout(silenceMs, () => socket.destroy(silent()))
  socket.write(firstQuestion)
  return socket.some(() => true).catch(() => false)
}

/** Said nothing when they were asked last: after the others, whom nobody then has to wait for. */
const silentHosts = new Set<string>()

/** The first in order that takes writes. @throws what the first said, or that all are standbys */
async function askHosts(address: string): Promise<Host> {
  const { urls, hosts } = readDatabaseAddress(address)
  const failures: (Error & { code?: string })[] = []
  const isSilent = (index: number) => silentHosts.has(urls[index] ?? '')
  const order = [...urls.keys()].sort((one, other) => Number(isSilent(one)) - Number(isSilent(other)))
  for (const index of order) {
    const connectionString = urls[index] ?? ''
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
      silentHosts.delete(connectionString)
      const host = hosts[index]
      if (host && rows[0]?.transaction_read_only === 'off') return host
      failures.push(standby())
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) silentHosts.add(connectionString)
      failures.push(error as Error)
    } finally {
      client.end().catch(() => undefined)
    }
  }
  // One that is not to be trusted tells most, then one that does not know us; one with no connection left tells more than a
  // standby, and that more than silence.
  const isOf = (wanted: string[]) => (failure: { code?: string }) => wanted.includes(failure.code ?? '')
  const telling = [isDistrust, isOf(doesNotKnowUs), isOf(['53300']), isOf([readOnly]), () => true].map(
    (tells) => failures.find(tells),
  )
  throw telling.find((failure) => failure !== undefined) ?? standby()
}

const silent = () => Object.assign(new Error('the server is silent'), { code: 'ETIMEDOUT' })

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
    const keeping = { keepAlive: true, keepAliveInitialDelayMillis: 10_000, connectionTimeoutMillis: 5_000 }
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

  override end(): Promise<void>
  override end(callback: (error: Error) => void): void
  override end(callback?: (error: Error) => void): Promise<void> {
    const { stream } = this.connection as unknown as { stream: Socket }
    // One that is silent does not say goodbye either, and whoever ends waits for it.
    setTimeout(() => stream.destroy(), silenceMs).unref()
    return super.end(...([callback] as unknown as []))
  }

  async #connect(): Promise<this> {
    if (this.#isWritable) Object.assign(this, await findWritable(this.#address))
    await super.connect()
    this.#watch()
    return this
  }

  /**
   * A machine that is gone answers nothing and closes nothing, and the system goes on sending to it for a quarter of an hour.
   * A statement may take long; a server that answers nothing any more does not work on it.
   */
  #watch(): void {
    const { stream } = this.connection as unknown as { stream: Socket }
    // The machine of this connection: where a name leads may be another by now.
    const { remoteAddress: host, remotePort: port } = stream
    // Over a socket file it is this machine.
    if (host === undefined || port === undefined) return
    const listenOn = () => stream.setTimeout(silenceMs)
    stream.on('timeout', () => {
      if ((this as unknown as { readyForQuery: boolean }).readyForQuery) return
      void askOnce(`${host}:${port}`, () => isThere(host, port)).then((isHere) => {
        if (isHere) listenOn()
        else stream.destroy(silent())
      })
    })
    listenOn()
  }
}

/** Whether something stands between: a pooler makes up the number by which a server would know the connection. */
export async function isPooled(client: DatabaseClient): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return (client as unknown as { processID: number }).processID !== rows[0]?.pid
}
