import {
  sql,
  type DeleteResult,
  type Kysely,
  type Selectable,
  type Transaction,
  type UpdateObject,
  type UpdateResult,
} from 'kysely'
import type { DB } from './schema.ts'

/** Where a statement runs: the pool, or one transaction. */
export type Executor = Kysely<DB> | Transaction<DB>

/** What time it is by the clock that all processes share. */
export const databaseTime = sql<Date>`clock_timestamp()`

export const seconds = (n: number) => sql`make_interval(secs => ${n}::double precision)`

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

/** The only one, of a statement that has one whatever the tables hold. */
export const getRow =
  <Row>(db: Executor) =>
  async (...statement: Fill): Promise<Row> => {
    const row = await findRow<Row>(db)(...statement)
    if (!row) throw new Error('a statement that always has a row has none')
    return row
  }

export const hasRow =
  (db: Executor) =>
  async (...statement: Fill): Promise<boolean> =>
    (await findRow(db)(...statement)) !== undefined

/** Of each row its only column. */
export const listValues =
  <Value>(db: Executor) =>
  async (...statement: Fill): Promise<Value[]> =>
    (await listRows<object>(db)(...statement)).map((row) => Object.values(row)[0] as Value)

/** That of the first row; undefined also where it is null. */
export const findValue =
  <Value>(db: Executor) =>
  async (...statement: Fill): Promise<Value | undefined> =>
    (await listValues<Value | null>(db)(...statement))[0] ?? undefined

/** That of the only row. */
export const getValue =
  <Value>(db: Executor) =>
  async (...statement: Fill): Promise<Value> =>
    Object.values(await getRow<object>(db)(...statement))[0] as Value

/** Runs a statement that is written as SQL. @returns how many rows it has changed */
export const run =
  (db: Executor) =>
  async (...statement: Fill): Promise<number> =>
    Number((await sql(...statement).execute(db)).numAffectedRows ?? 0)

/** The same. @returns whether it has changed any */
export const changesRows =
  (db: Executor) =>
  async (...statement: Fill): Promise<boolean> =>
    (await run(db)(...statement)) > 0

/** The rows of a table that hold these values, null among them; what is done to them tells whether there were any. */
export function rowsOf<Table extends keyof DB>(
  db: Executor,
  table: Table,
  values: Partial<Selectable<DB[Table]>>,
) {
  // What is true of every table the compiler follows for one.
  const one = table as 'digests'
  const holding = values as Partial<Selectable<DB['digests']>>
  return {
    update: (change: UpdateObject<DB, Table>): Promise<boolean> =>
      hasChanged(
        db
          .updateTable(one)
          .set(change as UpdateObject<DB, 'digests'>)
          .where((eb) => eb.and(holding)),
      ),
    delete: (): Promise<boolean> => hasChanged(db.deleteFrom(one).where((eb) => eb.and(holding))),
  }
}

/** Whether there was a row to change. */
export async function hasChanged(statement: {
  executeTakeFirst: () => Promise<UpdateResult | DeleteResult>
}): Promise<boolean> {
  const result = await statement.executeTakeFirst()
  return ('numUpdatedRows' in result ? result.numUpdatedRows : result.numDeletedRows) > 0n
}
