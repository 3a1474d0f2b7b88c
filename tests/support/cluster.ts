import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aDatabaseFolder } from './scratch.ts'

/** A PostgreSQL server of its own, migrated and empty; gone when the test has finished. */
export async function aCluster() {
  const dataDir = aDatabaseFolder('cluster')
  const start = (port?: number) =>
    startPostgres({ dataDir, settings: { fsync: 'off' }, ...(port && { port }) })
  let server = await start()
  onTestFinished(async () => {
    await stopPostgres(dataDir, 'immediate')
    rmSync(dataDir, { recursive: true, force: true })
  })
  await migrate(server.url)
  await migrateQueue({ kind: 'postgres', url: server.url })
  return {
    url: server.url,
    /** `kill -9` of all of it, and up again under the same address. */
    async crash(down: () => Promise<unknown>) {
      await stopPostgres(dataDir, 'immediate')
      await down()
      server = await start(server.port)
    },
    /** Shuts down, and starts a copy of its files, all their times and owners kept. */
    async copyFiles(): Promise<string> {
      await stopPostgres(dataDir)
      const copy = aDatabaseFolder('cluster')
      execFileSync('cp', ['-a', `${dataDir}/.`, copy])
      const copied = await startPostgres({ dataDir: copy, settings: { fsync: 'off' } })
      onTestFinished(async () => {
        await stopPostgres(copy, 'immediate')
        rmSync(copy, { recursive: true, force: true })
      })
      return copied.url
    },
  }
}

/** All rows of our tables, as a logical dump carries them over: from one snapshot, without triggers. */
export async function restoreInto(target: string, source: string): Promise<void> {
  const [from, to] = [source, target].map((url) => new pg.Client({ connectionString: url }))
  if (!from || !to) throw new Error('two addresses make two clients')
  await Promise.all([from.connect(), to.connect()])
  try {
    await from.query('begin isolation level repeatable read read only')
    await to.query(`begin; set local session_replication_role = replica`)
    const { rows: tables } = await from.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by 1`,
    )
    for (const { name } of tables) {
      const { rows } = await from.query<{ all: string }>(
        `select coalesce(jsonb_agg(t), '[]')::text as all from ${name} t`,
      )
      await to.query(`delete from ${name}`)
      await to.query(
        `insert into ${name} overriding system value select * from jsonb_populate_recordset(null::${name}, $1)`,
        [rows[0]?.all],
      )
    }
    await to.query('commit')
  } finally {
    await Promise.all([from.end(), to.end()])
  }
}
