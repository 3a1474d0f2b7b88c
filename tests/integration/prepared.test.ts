import { Kysely, PostgresDialect, sql } from 'kysely'
import { expect, onTestFinished, test, vi } from 'vitest'
import pg from 'pg'
import { PreparingClient, prepared } from '../../src/store/prepared.ts'
import { cloneDatabase } from '../support/database.ts'

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
  await sql`insert into crowd select generate_series(2, 100000)`.execute(db)
  expect(await planOf()).toContain('Seq Scan')
  const later = performance.now() + 11_000
  vi.spyOn(performance, 'now').mockReturnValue(later)
  onTestFinished(() => void vi.restoreAllMocks())
  await find()
  expect(await planOf()).toContain('Index')
  await db.destroy()
})
