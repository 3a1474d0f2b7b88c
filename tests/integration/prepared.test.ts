import { Kysely, PostgresDialect, sql } from 'kysely'
import { expect, test } from 'vitest'
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
