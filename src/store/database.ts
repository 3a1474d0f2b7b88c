import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { feedChannel } from './feeds/feed-documents.ts'
import { DatabaseClient } from './client.ts'
import { PooledClient } from './pooled.ts'
import { PreparingClient } from './prepared.ts'
import { failAsUnavailable } from './unavailable.ts'
import type { DB } from './schema.ts'
import { storesOn, type Stores } from './stores.ts'

export interface Database {
  /** Stores whose statements each run on their own connection. */
  stores: Stores
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>
  /**
   * Hears the path of every feed document that changes, until closed and over reconnects; `onReconnect` runs where some
   * may have been missed.
   */
  listenForFeeds(listener: Listener): Promise<() => Promise<void>>
  /** Of this process, by pool: in use, open without use, and callers that wait for one. */
  countConnections(): { pool: string; used: number; idle: number; waiting: number }[]
  close(): Promise<void>
}

interface Listener {
  onMessage: (payload: string) => void
  onReconnect?: () => void
}

interface DatabaseOptions {
  url: string
  /** Past the pooler that `url` leads to, where it does. */
  directUrl?: string | undefined
  /** Connections this process may hold. */
  max?: number | undefined
  patience?: Patience
  onError?: (error: Error) => void
  applicationName?: string
}

/** Seconds after which a statement fails with `database_busy`. What takes as long as it takes says so itself. */
export interface Patience {
  /** For what another transaction holds. */
  lock: number
  statement: number
}

/** Readers are answered at once or not at all; the desk composes for many; a worker takes its time, though not for ever. */
export const patience = {
  readers: { lock: 2, statement: 10 },
  web: { lock: 5, statement: 60 },
  worker: { lock: 30, statement: 900 },
}

const parseNumbers = (value: string): number[] =>
  value === '{}' ? [] : value.slice(1, -1).split(',').map(Number)

/** How values of a PostgreSQL type (by its oid) arrive; every other type as pg has it. */
const parsers = new Map<number, (value: string) => unknown>([
  // Counters and ids stay far below 2^53; a bigint or a string at every call would help nobody.
  [pg.types.builtins.INT8, Number],
  [pg.types.builtins.NUMERIC, Number],
  // int8[]
  [1016, parseNumbers],
  // A date is a calendar day, not an instant.
  [pg.types.builtins.DATE, String],
])

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (parsers.get(oid) ?? pg.types.getTypeParser(oid, format)) as never,
}

/** Constructing is not connecting: the first statement opens the first connection. */
export function openDatabase(options: DatabaseOptions): Database {
  const { url, directUrl = url } = options
  const common = openPool(
    options,
    directUrl === url ? PreparingClient : PooledClient,
    options.max ?? commonMax,
  )
  const hotUrl = withSetting(directUrl, 'plan_cache_mode=force_generic_plan')
  const sending = openPool({ ...options, url: hotUrl }, PreparingClient, hotMax)
  const { db } = common
  const hot = sending.db
  return {
    stores: storesOn(db, hot),
    transaction: (work) => db.transaction().execute((tx) => work(storesOn(tx))),
    listenForFeeds: (listener) => listen(directUrl, feedChannel, listener),
    countConnections: () => [count('common', common.pool), count('sending', sending.pool)],
    async close() {
      await Promise.all([db.destroy(), hot.destroy()])
    },
  }
}

const count = (name: string, { totalCount, idleCount, waitingCount }: pg.Pool) => ({
  pool: name,
  used: totalCount - idleCount,
  idle: idleCount,
  waiting: waitingCount,
})

const commonMax = 10

/**
 * Connections for what comes with every mail, opened where mail is sent. Left to choose, the planner makes a plan for
 * each time, and one that reads every entry that an index of the rows in hand ever had: a hundred times what the plan
 * for all values costs, as long as any old transaction keeps those entries.
 */
const hotMax = 4

function openPool(
  { url, onError, applicationName = 'depeche', patience }: DatabaseOptions,
  Client: typeof DatabaseClient,
  max: number,
): { db: Kysely<DB>; pool: pg.Pool } {
  const pool = new pg.Pool({
    Client,
    connectionString: url,
    types,
    max,
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    ...(patience && {
      lock_timeout: patience.lock * 1_000,
      statement_timeout: patience.statement * 1_000,
    }),
  })
  // An idle connection that breaks is replaced on the next use; without a listener it would end the process.
  pool.on('error', (error) => onError?.(error))
  const db = new Kysely<DB>({
    dialect: new PostgresDialect({
      pool: {
        options: pool.options,
        connect: () => pool.connect().catch(failAsUnavailable),
        end: () => pool.end(),
      },
    }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  })
  return { db, pool }
}

/** An address whose connections begin with a setting, beside those it names itself. */
function withSetting(address: string, setting: string): string {
  const [server = '', query] = address.split(/\?(.*)/s)
  const parameters = new URLSearchParams(query)
  const named = parameters.get('options')
  parameters.set('options', `${named === null ? '' : `${named} `}-c ${setting}`)
  return `${server}?${parameters.toString()}`
}

async function listen(url: string, channel: string, listener: Listener): Promise<() => Promise<void>> {
  let client: DatabaseClient
  let closed = false
  let retry: NodeJS.Timeout | undefined

  const connect = async () => {
    client = new DatabaseClient({ connectionString: url, application_name: 'depeche-listen' })
    client.on('notification', (message) => {
      listener.onMessage(message.payload ?? '')
    })
    client.on('error', reconnectLater)
    client.on('end', reconnectLater)
    await client.connect()
    await client.query(`listen ${pg.escapeIdentifier(channel)}`)
  }
  const reconnectLater = () => {
    if (closed || retry) return
    retry = setTimeout(() => {
      retry = undefined
      connect().then(() => listener.onReconnect?.(), reconnectLater)
    }, 1_000)
  }

  // A process that starts while the database is away hears of changes once it is back.
  await connect().catch(reconnectLater)
  return async () => {
    closed = true
    clearTimeout(retry)
    await client.end()
  }
}
