import pg from 'pg'
import type { Web } from './web.ts'

/** One statement on a connection of its own, for looking from outside. */
export async function query<Row extends object>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  // One that breaks rejects its statement, and would end the tests besides.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

/** The same on the database of a web process. */
export const rowsOf = <Row extends object>(web: Web, text: string, values: unknown[] = []): Promise<Row[]> =>
  query<Row>(web.context.config.databaseUrl, text, values)
