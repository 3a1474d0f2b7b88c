import type pg from 'pg'
import { DatabaseClient } from './client.ts'
import { failAsUnavailable } from './unavailable.ts'

/**
 * A connection through a pooler that gives each transaction any of its own: nothing is set for longer, no statement has a
 * name, and a statement alone is a transaction, for that is as long as its limits last.
 */
export class PooledClient extends DatabaseClient {
  readonly #limits: string
  #isOpen = false

  constructor({ lock_timeout = 0, statement_timeout = 0, ...config }: pg.ClientConfig = {}) {
    super(config)
    // What others set stays behind in the connection: after a dump, a search path without our tables.
    this.#limits = `set local search_path to default; set local lock_timeout = ${lock_timeout}; set local statement_timeout = ${Number(statement_timeout)}`
  }

  override query(...[statement, ...rest]: unknown[]): never {
    return this.#query(String(statement), () => super.query(statement as never, ...(rest as never[]))).catch(
      failAsUnavailable,
    ) as never
  }

  async #query(text: string, ask: () => PromiseLike<unknown>): Promise<unknown> {
    if (/^(begin|start transaction)\b/.test(text)) {
      this.#isOpen = true
      return super.query(`${text}; ${this.#limits}`)
    }
    if (this.#isOpen) {
      if (text === 'commit' || text === 'rollback') this.#isOpen = false
      return ask()
    }
    let answer: unknown
    try {
      await super.query(`begin; ${this.#limits}`)
      answer = await ask()
    } catch (error) {
      // It ends as it began.
      await super.query('commit').catch(() => undefined)
      throw error
    }
    await super.query('commit')
    return answer
  }
}
