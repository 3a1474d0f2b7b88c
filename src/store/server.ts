import pg from 'pg'
import { DatabaseClient, isPooled } from './client.ts'

/** Statements to a PostgreSQL server rather than to our tables: is it there, is it in use, does our database exist. */

const connect = async (url: string, name: string): Promise<DatabaseClient> => {
  const client = new DatabaseClient({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: 5_000,
  })
  await client.connect()
  return client
}

/** The data directory of the server that answers, or undefined when none does (yet). */
export async function findDataDirectory(url: string): Promise<string | undefined> {
  try {
    const client = await connect(url, 'depeche-probe')
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    await client.end()
    return rows[0]?.data_directory
  } catch {
    return undefined
  }
}

/** What a person has to know of the server behind an address. */
export async function inspectServer(url: string) {
  const client = await connect(url, 'depeche-probe')
  try {
    const { rows } = await client.query<{ standbys: number; isSynchronous: boolean }>(`
      select (select count(*)::int from pg_stat_replication) as standbys,
        current_setting('synchronous_standby_names') <> '' as "isSynchronous"`)
    const { standbys, isSynchronous } = rows[0] ?? { standbys: 0, isSynchronous: false }
    return { isPooled: await isPooled(client), losesCommits: standbys > 0 && !isSynchronous }
  } finally {
    await client.end()
  }
}

/** Creates the database that `url` names where it is missing. */
export async function ensureDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1)
  const maintenance = new URL(url)
  maintenance.pathname = '/postgres'
  const client = await connect(maintenance.href, 'depeche-migrate')
  try {
    // Of several who start at once one makes it. Locks of this database are no others': each has its own.
    await client.query('select pg_advisory_lock($1)', [inUseLock])
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
}

/** Any constants. Session locks end with their connection, however the process that held them ended. */
const inUseLock = 7_236_412
const supervisorLock = 7_236_413

export interface Hold {
  /** Resolves when the connection is gone, be it by `release` or because the server ended. */
  lost: Promise<void>
  release(): Promise<void>
}

/**
 * Says that this process uses the server, so that nobody stops it.
 * @returns undefined for a supervisor where another one holds it already
 */
export async function holdServer(url: string, as: 'supervisor' | 'command'): Promise<Hold | undefined> {
  const client = await connect(url, `depeche-${as}`)
  const lost = new Promise<void>((resolve) => {
    client.once('end', () => {
      resolve()
    })
  })
  if (as === 'supervisor' && !(await tryLock(client, supervisorLock))) {
    await client.end()
    return undefined
  }
  await client.query('select pg_advisory_lock_shared($1)', [inUseLock])
  return { lost, release: () => client.end() }
}

/** True while any process holds the server. */
export const isServerHeld = async (url: string): Promise<boolean> => isLocked(url, inUseLock)

/** True while a supervisor holds the server. */
export const isServerSupervised = async (url: string): Promise<boolean> => isLocked(url, supervisorLock)

async function isLocked(url: string, lock: number): Promise<boolean> {
  const client = await connect(url, 'depeche-probe')
  try {
    return !(await tryLock(client, lock))
  } finally {
    await client.end()
  }
}

async function tryLock(client: pg.Client, lock: number): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
    lock,
  ])
  return rows[0]?.locked === true
}
