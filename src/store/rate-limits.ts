import pg from 'pg'
import { RateLimiterMemory, RateLimiterPostgres, type RateLimiterAbstract } from 'rate-limiter-flexible'
import { DatabaseClient } from './client.ts'
import type { Executor } from './executor.ts'

export interface Counters {
  open: (window: { name: string; points: number; seconds: number }) => RateLimiterAbstract
  close(): Promise<void>
}

/** Counts of requests in PostgreSQL, for installations without Redis. Each process counts alone while it is away. */
export function openPostgresCounters(url: string): Counters {
  const pool = new pg.Pool({
    Client: DatabaseClient,
    connectionString: url,
    max: 2,
    application_name: 'depeche-limits',
    // A signup does not wait for the disk to have its count: a crash may forget the last moment of counting.
    options: '-c synchronous_commit=off',
  })
  pool.on('error', () => undefined)
  return {
    open: ({ name, points, seconds }) =>
      new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        clearExpiredByTimeout: false,
        keyPrefix: name,
        points,
        duration: seconds,
        insuranceLimiter: new RateLimiterMemory({ keyPrefix: name, points, duration: seconds }),
      }),
    close: () => pool.end(),
  }
}

export function rateLimitsStore(db: Executor) {
  return {
    /** Counts whose window has passed; one without an end stays. */
    async deleteExpired(now: Date): Promise<void> {
      await db.deleteFrom('rateLimits').where('expire', '<', now.getTime()).execute()
    },
  }
}
