import pg from 'pg'
import { onTestFinished, vi } from 'vitest'

/** Every statement that this process sends from now on, without its values; until the test has finished. */
export function recordStatements(): string[] {
  const statements: string[] = []
  const client = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
  const original = client.query
  const spy = vi.spyOn(client, 'query').mockImplementation(function (this: unknown, ...args: unknown[]) {
    const [first] = args
    statements.push(typeof first === 'string' ? first : (first as { text: string }).text)
    return original.apply(this, args)
  })
  onTestFinished(() => {
    spy.mockRestore()
  })
  return statements
}
