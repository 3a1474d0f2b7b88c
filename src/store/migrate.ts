import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

const directory = new URL('./migrations/', import.meta.url)

/** Any constant: starters that migrate at once wait for each other under it. */
const migrationLock = 7_236_411

/**
 * Applies the numbered SQL files that this database has not seen, in order, each in its own transaction.
 * Safe to run by several starters at once.
 * @returns the names that were applied, oldest first
 */
export async function migrate(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'depeche-migrate' })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await client.query(
      'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
    )
    const { rows } = await client.query<{ name: string }>('select name from migrations')
    const applied = new Set(rows.map((row) => row.name))
    const pending = (await listMigrations()).filter((name) => !applied.has(name))
    for (const name of pending) await apply(client, name)
    return pending
  } finally {
    await client.end()
  }
}

async function listMigrations(): Promise<string[]> {
  const files = await readdir(directory)
  return files.filter((file) => file.endsWith('.sql')).sort()
}

async function apply(client: pg.Client, name: string): Promise<void> {
  const text = await readFile(new URL(name, directory), 'utf8')
  await client.query('begin')
  try {
    await client.query(text)
    await client.query('insert into migrations (name) values ($1)', [name])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw new Error(`migration ${name} failed; nothing of it was applied`, { cause: error })
  }
}
