import { Queue, Worker, createPostgresBackend, runMigrations, type WorkerOptions } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import pg from 'pg'
import type { Logger } from '../log.ts'
import type { JobName } from './jobs.ts'

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
 * A connection that breaks while BullMQ has it in hand rejects its query, and emits an error besides, which ends the
 * process where nobody listens; BullMQ listens to idle connections alone.
 */
class HeardClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    this.on('error', () => undefined)
  }
}

const onPostgres = (url: string) => ({ connectionString: url, max: 2, Client: HeardClient })

/** A BullMQ queue or worker on either backend, seen as what we use of it. */
export type AnyQueue = Pick<Queue, 'add' | 'close' | 'getWaitingCount'>
export type AnyWorker = Pick<Worker, 'close'>

/** Creates BullMQ's own tables. BullMQ never does so by itself; Redis needs none. Safe to repeat. */
export async function migrateQueue(backend: QueueBackend): Promise<void> {
  if (backend.kind === 'redis') return
  const client = new pg.Client({ connectionString: backend.url, application_name: 'depeche-migrate' })
  await client.connect()
  try {
    await runMigrations(client)
  } finally {
    await client.end()
  }
}

export function openQueue(backend: QueueBackend, name: JobName, log: Logger): AnyQueue {
  const client = backend.kind === 'redis' ? openRedis(backend.url, log) : undefined
  const queue =
    client !== undefined
      ? new Queue(name, { connection: client })
      : new Queue(name, { connection: onPostgres(backend.url) }, createPostgresBackend)
  // Without a listener a lost connection would end the process; the reconciler makes up for lost rings.
  queue.on('error', (error: Error) => {
    log.warn({ queue: name, reason: error.message }, 'queue connection failed; trying again')
  })
  return closingAlso(queue, client)
}

/** BullMQ leaves a connection that it was handed open, and an open connection keeps a finished command alive. */
function closingAlso<T extends { close(): Promise<void> }>(owner: T, client: Redis | undefined): T {
  const close = owner.close.bind(owner)
  owner.close = async () => {
    await close()
    client?.disconnect()
  }
  return owner
}

export function openWorker(
  backend: QueueBackend,
  name: JobName,
  options: { process: (data: unknown) => Promise<void>; concurrency: number; log: Logger },
): AnyWorker {
  const work = async (job: { data: unknown }) => options.process(job.data)
  // A long lock: the rows a job works on have their own leases, so a second ring for the same work is harmless.
  const shared = { concurrency: options.concurrency, lockDuration: 60_000 } satisfies Partial<WorkerOptions>
  const client = backend.kind === 'redis' ? openRedis(backend.url, options.log) : undefined
  const worker =
    client !== undefined
      ? new Worker(name, work, { ...shared, connection: client })
      : new Worker(name, work, { ...shared, connection: onPostgres(backend.url) }, createPostgresBackend)
  worker.on('error', (error: Error) => {
    options.log.warn({ queue: name, reason: error.message }, 'worker connection failed; trying again')
  })
  return closingAlso(worker, client)
}

export function openRedis(
  url: string,
  log: Logger,
  // Not connected lazily: BullMQ would ask for the connection, and is dead for good where that fails.
  options: Pick<RedisOptions, 'maxRetriesPerRequest' | 'enableOfflineQueue' | 'lazyConnect'> = {
    maxRetriesPerRequest: null,
  },
): Redis {
  const client = new Redis(url, options)
  client.on('error', (error: Error) => {
    log.warn({ reason: error.message }, 'redis connection failed; trying again')
  })
  return client
}
