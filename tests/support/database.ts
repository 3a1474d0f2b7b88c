import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { isInMemory } from './scratch.ts'

const servers = new Map<string, pg.Pool>()

/** On a connection that is kept: each test would open two, for a statement each. */
async function onServer(url: string, statement: string): Promise<void> {
  const server = servers.get(url) ?? new pg.Pool({ connectionString: url, max: 1, allowExitOnIdle: true })
  // The server ends before its connections do.
  if (!servers.has(url)) server.on('error', () => undefined)
  servers.set(url, server)
  await server.query(statement)
}

export const createDatabaseNamed = (serverUrl: string, name: string, template = 'template1') =>
  onServer(
    serverUrl,
    `create database ${name} template ${template} strategy ${isInMemory ? 'file_copy' : 'wal_log'}`,
  )

/** A fresh clone of the migrated template, dropped when the test has finished. */
export async function cloneDatabase(): Promise<string> {
  const serverUrl = inject('postgresUrl')
  const name = `test_${randomBytes(8).toString('hex')}`
  await createDatabaseNamed(serverUrl, name, 'template_depeche')
  // Without `force`: a connection that a test left open is a defect, and the drop then says so.
  onTestFinished(() => onServer(serverUrl, `drop database ${name}`))
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** An open database on a fresh clone, closed and dropped when the test has finished. */
export const aDatabase = async (): Promise<Database> => openTestDatabase(await cloneDatabase())

/** Closed when the test has finished. */
export function openTestDatabase(url: string): Database {
  const database = openDatabase({ url, max: 5 })
  onTestFinished(() => database.close())
  return database
}

/** A connection of its own, for the length of a test. */
export async function aClient(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}
