import type { Kysely, Transaction } from 'kysely'
import type { DB } from './schema.ts'

/** Where a statement runs: the pool, or one transaction. */
export type Executor = Kysely<DB> | Transaction<DB>
