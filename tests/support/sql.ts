import pg from 'pg'

/** Changes a database behind the stores' back: what a defect or another program may leave there. */
export async function runSql(databaseUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
