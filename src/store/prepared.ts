import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { DatabaseClient } from './client.ts'
import { failAsUnavailable } from './unavailable.ts'

const mark = '/* prepared */'

/**
 * In front of a statement: PostgreSQL plans it once per connection instead of each time. For statements that run for
 * every mail, whose text is always the same, and whose best plan does not depend on their values.
 */
export const prepared = sql.raw(mark)

const names = new Map<string, string>()

function nameOf(text: string): string {
  const name = names.get(text) ?? createHash('sha256').update(text).digest('base64url').slice(0, 22)
  names.set(text, name)
  return name
}

/**
 * A plan is as good as the sizes of the tables that it was made for. One that was made for an empty outbox reads all of
 * it for every mail once a crowd has signed up, until the next analyze, a minute or more later. So do those that no
 * statement of ours names: PostgreSQL keeps plans by which it looks up the row that a foreign key names.
 */
const planLifetimeMs = 10_000

/**
 * A client that names the statements that say so: PostgreSQL keeps the plan of those that have a name. A statement that
 * could not be asked fails as `failAsUnavailable` says. A pooler has no plans of ours: `openDatabase` takes `PooledClient`.
 */
export class PreparingClient extends DatabaseClient {
  #plannedAt = performance.now()

  override query(...[statement, ...rest]: unknown[]): never {
    if (typeof statement === 'string')
      return this.#queryText(statement, rest).catch(failAsUnavailable) as never
    return super.query(statement as never, ...(rest as never[])) as never
  }

  async #queryText(text: string, rest: unknown[]): Promise<unknown> {
    if (performance.now() - this.#plannedAt > planLifetimeMs) {
      this.#plannedAt = performance.now()
      // Refused after a failure in a transaction, where nothing but the rollback is heard.
      await super.query('discard plans').catch(() => undefined)
    }
    const query = text.startsWith(mark) ? { name: nameOf(text), text } : text
    return (await super.query(query as never, ...(rest as never[]))) as unknown
  }
}
