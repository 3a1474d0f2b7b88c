import { sql, type DeleteResult, type Kysely, type Transaction, type UpdateResult } from 'kysely'
import type { DB } from './schema.ts'

/** Where a statement runs: the pool, or one transaction. */
export type Executor = Kysely<DB> | Transaction<DB>

type Fill = Parameters<typeof sql>

/** The rows of a statement that is written as SQL. */
export const listRows =
  <Row>(db: Executor) =>
  async (...statement: Fill): Promise<Row[]> =>
    (await sql<Row>(...statement).execute(db)).rows

/** The first of them. */
export const findRow =
  <Row>(db: Executor) =>
  async (...statement: Fill): Promise<Row | undefined> =>
    (await listRows<Row>(db)(...statement))[0]

/** Whether there was a row to change. */
export async function hasChanged(statement: {
  executeTakeFirst: () => Promise<UpdateResult | DeleteResult>
}): Promise<boolean> {
  const result = await statement.executeTakeFirst()
  return ('numUpdatedRows' in result ? result.numUpdatedRows : result.numDeletedRows) > 0n
}
