import { setTimeout as sleep } from 'node:timers/promises'
import {
  Queue,
  Worker,
  createPostgresBackend,
  runMigrations,
  type IQueueBackend,
  type PgPool,
  type WorkerOptions,
} from 'bullmq'
import pg from 'pg'
import { DatabaseClient } from '../store/client.ts'
import type { FaultLog } from './faults.ts'
import type { JobName } from './jobs.ts'
import { keyPrefix, openRedis } from './redis.ts'

/** Which server carries the doorbells: Redis where there is one, else the database itself. */
export interface QueueBackend {
  kind: 'redis' | 'postgres'
  url: string
}

export const queueBackendOf = (
  { redisUrl }: { redisUrl: string | undefined },
  databaseUrl: string,
): QueueBackend => (redisUrl ? { kind: 'redis', url: redisUrl } : { kind: 'postgres', url: databaseUrl })

/**
 * One connection to Redis, or one pool of PostgreSQL, for all queues and workers of a process: of their own they would have
 * sixty between them. BullMQ leaves what it was handed open, and an open one keeps a finished command alive.
 */
export type Carrier = ReturnType<typeof openCarrier>

/** @param listeners how many workers will listen: each keeps one connection to PostgreSQL, or opens one more to Redis */
export function openCarrier({ kind, url }: QueueBackend, faults: FaultLog, listeners = 0) {
  if (kind === 'redis') {
    const redis = openRedis(url, faults)
    const close = () => {
      redis.disconnect()
      return Promise.resolve()
    }
    return { redis, close }
  }
  // As BullMQ opens one by itself, which would then listen over a client that reads a single host.
  const pool = new pg.Pool({
    Client: DatabaseClient,
    connectionString: url,
    max: listeners + 3,
    options: '-c search_path=bullmq',
    application_name: 'depeche-queue',
  })
  // Each queue and each worker listens for its errors.
  pool.setMaxListeners(100)
  return { postgres: pool as unknown as PgPool, close: () => pool.end() }
}

/** A BullMQ queue or worker on either backend, seen as what we use of it. */
export type AnyQueue = Pick<Queue, 'add' | 'close' | 'getWaitingCount'>
export type AnyWorker = Pick<Worker, 'close'>

/** Creates BullMQ's own tables. BullMQ never does so by itself; Redis needs none. Safe to repeat. */
export async function migrateQueue(backend: QueueBackend): Promise<void> {
  if (backend.kind === 'redis') return
  const client = new DatabaseClient({ connectionString: backend.url, application_name: 'depeche-migrate' })
  await client.connect()
  try {
    await runMigrations(client)
  } finally {
    await client.end()
  }
}

export function openQueue({ redis, postgres }: Carrier, name: JobName, faults: FaultLog): AnyQueue {
  const queue = redis
    ? new Queue(name, { connection: redis, prefix: keyPrefix })
    : new Queue(name, { connection: postgres }, createPostgresBackend)
  // Without a listener a lost connection would end the process; the reconciler makes up for lost rings.
  queue.on('error', (error: Error) => {
    faults(error, 'queue connection failed; trying again', { queue: name })
  })
  return queue
}

export function openWorker(
  { redis, postgres }: Carrier,
  name: JobName,
  options: { process: (data: unknown) => Promise<void>; concurrency: number; faults: FaultLog },
): AnyWorker {
  const { concurrency, faults } = options
  const work = async (job: { data: unknown }) => options.process(job.data)
  // A long lock: the rows a job works on have their own leases, so a second ring for the same work is harmless.
  const shared = { concurrency, lockDuration: 60_000, runRetryDelay: 2_000 } satisfies Partial<WorkerOptions>
  const worker = redis
    ? new Worker(name, work, { ...shared, connection: redis, prefix: keyPrefix })
    : new Worker(name, work, { ...shared, connection: postgres }, createPostgresBackend)
  pace(worker)
  worker.on('error', (error: Error) => {
    faults(error, 'worker connection failed; trying again', { queue: name })
  })
  return worker
}

const longestPauseMs = 10_000

interface Asked {
  moveToActive: (...of: Parameters<IQueueBackend['moveToActive']>) => Promise<unknown[]>
}

/** BullMQ asks for the next job as soon as it was refused one: a server that always refuses would be asked without a pause. */
function pace(worker: { getBackend(): Asked; closing?: unknown }): void {
  const backend = worker.getBackend()
  const ask = backend.moveToActive.bind(backend)
  let failures = 0
  backend.moveToActive = async (...of) => {
    try {
      const next = await ask(...of)
      failures = 0
      return next
    } catch (error) {
      const until = performance.now() + Math.min(++failures * 1_000, longestPauseMs)
      // An end does not wait for it.
      while (performance.now() < until && !worker.closing) await sleep(200)
      throw error
    }
  }
}
