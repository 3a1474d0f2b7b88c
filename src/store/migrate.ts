import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { conflict } from '../errors.ts'
import { DatabaseClient, isPooled } from './client.ts'
import { failAsUnavailable } from './unavailable.ts'

const ownMigrations = new URL('./migrations/', import.meta.url)

/** Any constant: starters that migrate at once wait for each other under it. */
const migrationLock = 7_236_411

interface Migration {
  name: string
  text: string
  sha256: string
}

/**
 * Applies the numbered SQL files that this database has not seen, in order, each in its own transaction. One that begins
 * with `-- no transaction`, as `create index concurrently` needs, runs statement by statement, each ending its line with
 * a semicolon; stopped half-way it runs again from its first. Safe to run by several starters at once.
 * @returns the names that were applied, oldest first
 * @throws DomainError `database_away`, `migration_changed`, `database_pooler`, before anything is applied
 */
export async function migrate(url: string, directory = ownMigrations): Promise<string[]> {
  const client = new DatabaseClient({ connectionString: url, application_name: 'depeche-migrate' })
  await client.connect().catch(failAsUnavailable)
  try {
    await refusePooler(client)
    await lock(client)
    await client.query(`
      create table if not exists migrations (name text primary key, applied_at timestamptz not null default now());
      alter table migrations add column if not exists sha256 text`)
    const migrations = await readMigrations(directory)
    const applied = await compareApplied(client, migrations)
    const pending = migrations.filter(({ name }) => !applied.has(name))
    for (const migration of pending) await apply(client, migration)
    return pending.map(({ name }) => name)
  } finally {
    await client.end()
  }
}

/** A pooler lends the connection that took a lock to others, and the lock with it. */
async function refusePooler(client: DatabaseClient): Promise<void> {
  if (await isPooled(client))
    throw conflict(
      'database_pooler',
      'This address leads to a pooler (such as PgBouncer), where locks stay behind; nothing was changed. Set DATABASE_DIRECT_URL to the server itself.',
    )
}

/** Asks again and again: a statement that waits is a snapshot that `create index concurrently` of its holder waits for. */
async function lock(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ has: boolean }>('select pg_try_advisory_lock($1) as has', [
      migrationLock,
    ])
    if (rows[0]?.has) return
    await sleep(100)
  }
}

async function readMigrations(directory: URL): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, directory), 'utf8')
      return { name, text, sha256: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/** A migration that 0.1.0 applied has no checksum: it gets that of the file, unchecked. */
async function compareApplied(client: pg.Client, migrations: Migration[]): Promise<Set<string>> {
  const files = [migrations.map(({ name }) => name), migrations.map(({ sha256 }) => sha256)]
  await client.query(
    `update migrations set sha256 = file.sha256 from unnest($1::text[], $2::text[]) as file (name, sha256)
     where migrations.name = file.name and migrations.sha256 is null`,
    files,
  )
  const { rows } = await client.query<{ name: string; sha256: string }>('select name, sha256 from migrations')
  const applied = new Map(rows.map(({ name, sha256 }) => [name, sha256]))
  const changed = migrations.find(({ name, sha256 }) => (applied.get(name) ?? sha256) !== sha256)
  if (changed) {
    throw conflict(
      'migration_changed',
      `src/store/migrations/${changed.name} is not the file that this database was migrated with: put it back as it was, and write what is to change as a new migration.`,
    )
  }
  return new Set(applied.keys())
}

async function apply(client: pg.Client, { name, text, sha256 }: Migration): Promise<void> {
  const hasNoTransaction = text.startsWith('-- no transaction')
  const statements = hasNoTransaction
    ? text.split(/;[ \t]*$/m).filter((part) => part.trim())
    : ['begin', text]
  try {
    for (const statement of statements) await client.query(statement)
    await client.query('insert into migrations (name, sha256) values ($1, $2)', [name, sha256])
    if (!hasNoTransaction) await client.query('commit')
  } catch (error) {
    // Where the connection broke, its end is a rollback too.
    if (!hasNoTransaction) await client.query('rollback').catch(() => undefined)
    const left = hasNoTransaction ? 'it runs again from its first statement' : 'nothing of it was applied'
    throw new Error(`migration ${name} failed (${(error as Error).message}); ${left}`, { cause: error })
  }
}
