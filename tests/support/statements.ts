import pg from 'pg'
import { onTestFinished, vi } from 'vitest'

/** What src/store/database.ts calls itself to the server. */
const storeName = 'depeche'

interface Connection {
  connectionParameters: { application_name?: string }
}

/**
 * Every statement that the store of this process sends from now on, without its values; until the test has finished.
 * The queue has connections of its own, and writes to them whenever it likes: those do not count.
 */
export function recordStatements(): string[] {
  const statements: string[] = []
  const client = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
  const original = client.query
  const spy = vi.spyOn(client, 'query').mockImplementation(function (this: unknown, ...args: unknown[]) {
    const [first] = args
    const text = typeof first === 'string' ? first : (first as { text: string }).text
    if ((this as Connection).connectionParameters.application_name === storeName) statements.push(text)
    return original.apply(this, args)
  })
  onTestFinished(() => {
    spy.mockRestore()
  })
  return statements
}
