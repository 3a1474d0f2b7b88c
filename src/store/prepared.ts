import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import pg from 'pg'

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

/** A client that names the statements that say so: PostgreSQL keeps the plan of those that have a name. */
export class PreparingClient extends pg.Client {
  override query(...[statement, ...rest]: unknown[]): never {
    const isPrepared = typeof statement === 'string' && statement.startsWith(mark)
    const query = isPrepared ? { name: nameOf(statement), text: statement } : statement
    return super.query(query as never, ...(rest as never[])) as never
  }
}
