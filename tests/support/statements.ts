import pg from 'pg'
import { onTestFinished, vi } from 'vitest'

/** What src/store/database.ts calls itself to the server. */
const storeName = 'depeche'

interface Connection {
  connectionParameters: { application_name?: string }
}

/**
 * Every statement that the store of this process sends from now on, without its values; until the test has finished.
 * What a connection sends by the clock does not count.
 * The queue has connections of its own, and writes to them whenever it likes: those do not count.
 */
export function recordStatements(): string[] {
  const statements: string[] = []
  const client = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
  const original = client.query
  const spy = vi.spyOn(client, 'query').mockImplementation(function (this: unknown, ...args: unknown[]) {
    const [first] = args
    const text = typeof first === 'string' ? first : (first as { text: string }).text
    const isOurs = (this as Connection).connectionParameters.application_name === storeName
    if (isOurs && text !== 'discard plans') statements.push(text)
    return original.apply(this, args)
  })
  onTestFinished(() => {
    spy.mockRestore()
  })
  return statements
}

export interface RecordedQuery {
  text: string
  /** Runs a prepared one again on its own connection, and says by which plan; one line each. */
  explain(): Promise<string[]>
}

/** The same with what it takes to ask for the plan of a statement, as its own connection makes it. */
export function recordQueries(): RecordedQuery[] {
  const queries: RecordedQuery[] = []
  const client = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
  const original = client.query
  const spy = vi.spyOn(client, 'query').mockImplementation(function (this: unknown, ...args: unknown[]) {
    const [first, values] = args as [string | { name: string; text: string }, unknown[]]
    if (typeof first === 'object' && first.name) {
      const call = `execute "${first.name}" (${values.map(toLiteral).join(', ')})`
      const explain = async () => {
        const { rows } = (await original.call(this, `explain (analyze, buffers) ${call}`)) as pg.QueryResult<{
          'QUERY PLAN': string
        }>
        return rows.map((row) => row['QUERY PLAN'])
      }
      queries.push({ text: first.text, explain })
    }
    return original.apply(this, args)
  })
  onTestFinished(() => {
    spy.mockRestore()
  })
  return queries
}

const toLiteral = (value: unknown): string => {
  if (value === null) return 'null'
  return Array.isArray(value)
    ? `'{${value.map((one) => JSON.stringify(one)).join(',')}}'`
    : `'${JSON.stringify(value).replace(/^"|"$/g, '')}'`
}
