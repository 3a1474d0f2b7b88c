import { Kysely, PostgresDialect, sql } from 'kysely'
import { expect, onTestFinished, test, vi } from 'vitest'
import pg from 'pg'
import { PooledClient } from '../../src/store/pooled.ts'
import { PreparingClient, prepared } from '../../src/store/prepared.ts'
import { cloneDatabase } from '../support/database.ts'

function wait11Seconds(): void {
  const later = performance.now() + 11_000
  vi.spyOn(performance, 'now').mockReturnValue(later)
  onTestFinished(() => void vi.restoreAllMocks())
}

test('only a statement that says so is planned once per connection, and its values stay its own', async () => {
  const pool = new pg.Pool({ connectionString: await cloneDatabase(), max: 1, Client: PreparingClient })
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  for (const n of [1, 2]) {
    const { rows } = await sql<{ n: number }>`${prepared} select ${n}::int as n`.execute(db)
    expect(rows).toEqual([{ n }])
    await sql`select ${n}::int as other`.execute(db)
  }
  const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db)
  expect(rows).toEqual([{ statement: '/* prepared */ select $1::int as n' }])
  await db.destroy()
})

test('a plan does not outlive the size of the table that it was made for', async () => {
  const pool = new pg.Pool({ connectionString: await cloneDatabase(), max: 1, Client: PreparingClient })
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  await sql`create table crowd (id int primary key) with (autovacuum_enabled = false)`.execute(db)
  await sql`insert into crowd values (1)`.execute(db)
  await sql`analyze crowd`.execute(db)
  const find = () => sql`${prepared} select id from crowd where id = ${7}::int`.execute(db)
  const planOf = async () => {
    const { rows } = await sql<{ name: string }>`select name from pg_prepared_statements`.execute(db)
    const plan = await sql`explain execute ${sql.id(rows[0]?.name ?? '')} (7)`.execute(db)
    return JSON.stringify(plan.rows)
  }
  // After the fifth, PostgreSQL keeps a plan for all values.
  for (let n = 0; n < 7; n++) await find()
  // Looked at before the crowd comes: meanwhile the server may have to forget all plans for what other databases do.
  expect(await planOf()).toContain('Seq Scan')
  await sql`insert into crowd select generate_series(2, 100000)`.execute(db)
  wait11Seconds()
  await find()
  expect(await planOf()).toContain('Index')
  await db.destroy()
})

test('the plan by which PostgreSQL follows a foreign key goes with the others', async () => {
  const pool = new pg.Pool({ connectionString: await cloneDatabase(), max: 1, Client: PreparingClient })
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  await sql`create table crowd (id int primary key) with (autovacuum_enabled = false)`.execute(db)
  await sql`create table tickets (crowd_id int references crowd)`.execute(db)
  await sql`insert into crowd values (1)`.execute(db)
  await sql`analyze crowd`.execute(db)
  const readWholly = async () => {
    for (let n = 0; n < 7; n++) await sql`insert into tickets values (1)`.execute(db)
    await sql`select pg_stat_force_next_flush()`.execute(db)
    const { rows } = await sql<{ reads: number }>`
      select seq_scan::int as reads from pg_stat_user_tables where relname = 'crowd'`.execute(db)
    return rows[0]?.reads ?? 0
  }
  const before = await readWholly()
  expect(before).toBeGreaterThanOrEqual(7)
  await sql`insert into crowd select generate_series(2, 100000)`.execute(db)
  wait11Seconds()
  expect(await readWholly()).toBe(before)
  await db.destroy()
})

test('a transaction that failed is rolled back, however long it took', async () => {
  const pool = new pg.Pool({ connectionString: await cloneDatabase(), max: 1, Client: PreparingClient })
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  const failing = db.transaction().execute(async (transaction) => {
    await expect(sql`select 1 / 0`.execute(transaction)).rejects.toThrow('division by zero')
    wait11Seconds()
    throw new Error('over')
  })
  await expect(failing).rejects.toThrow('over')
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
  await db.destroy()
})

test('through a pooler no statement waits behind another, and one that fails ends its transaction', async () => {
  const client = new PooledClient({ connectionString: await cloneDatabase(), statement_timeout: 5_000 })
  await client.connect()
  onTestFinished(() => client.end())
  const asking = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
  const original = asking.query
  const waiting: number[] = []
  const spy = vi.spyOn(asking, 'query').mockImplementation(function (this: unknown, ...args) {
    waiting.push((this as { _queryQueue: unknown[] })._queryQueue.length)
    return original.apply(this, args)
  })
  onTestFinished(() => {
    spy.mockRestore()
  })
  const ask = (text: string) => client.query(text) as unknown as Promise<pg.QueryResult>
  expect((await ask('show statement_timeout')).rows).toEqual([{ statement_timeout: '5s' }])
  await expect(ask('select nothing')).rejects.toMatchObject({ code: '42703' })
  expect(client.getTransactionStatus()).toBe('I')
  expect((await ask('select 1 as n')).rows).toEqual([{ n: 1 }])
  // What pg warns of, and takes no more from its version 9 on.
  expect(waiting).toEqual(Array(9).fill(0))
})
