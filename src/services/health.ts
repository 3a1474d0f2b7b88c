import { setTimeout as sleep } from 'node:timers/promises'
import type { Parts } from './parts.ts'
import type { Presence } from './delivery/presence.ts'

export type HealthService = ReturnType<typeof createHealthService>

type PartState = 'up' | 'down'

/** What this process needs, as it answers now. */
export interface HealthReport {
  /** Why workers that live send nothing; absent where each can. */
  obstacles?: string[]
  /** `read_only` where it is a standby: nothing can be written. */
  postgres: PartState | 'read_only'
  queue: PartState
  /** Where the queue is down: a `RedisCause`, such as `unreachable`. */
  queueCause?: string
  /** `unknown` where this process has no SMTP server. */
  smtp: PartState | 'unknown'
  /** True where nothing is sent because this database is a copy; null while PostgreSQL does not answer. */
  held: boolean | null
  /** Of the work that waits for a worker; null while PostgreSQL does not answer. */
  oldestWaitingSeconds: number | null
}

const askTimeoutMs = 2_000
/** Probes may come from many sides; the servers behind are asked this often at most. */
const freshMs = 2_000

export function createHealthService(
  parts: Pick<Parts, 'config' | 'database' | 'mail' | 'probes' | 'readers'> & {
    presence: Pick<Presence, 'obstacle'>
  },
) {
  const { config, database, mail, probes, presence, readers } = parts
  let latest: { at: number; report: Promise<HealthReport> } | undefined

  const findQueue = async () => (await within(probes.queue(askTimeoutMs))) ?? 'unreachable'

  const ask = async (): Promise<HealthReport> => {
    const [isReadOnly, waiting, held, obstacles, queue, smtp] = await Promise.all([
      within(database.stores.health.isReadOnly().catch(isStandby)),
      within(database.stores.waitingWork.getOldestWaitingSeconds()),
      within(database.stores.instanceGuard.isHeld()),
      within(database.stores.workers.listObstacles()),
      findQueue(),
      config.smtpUrl === undefined ? 'unknown' : within(probes.smtp(config.smtpUrl, askTimeoutMs)),
    ])
    return {
      postgres: isReadOnly ? 'read_only' : waiting === undefined ? 'down' : 'up',
      queue: queue === 'up' ? 'up' : 'down',
      ...(queue !== 'up' && { queueCause: queue }),
      smtp: smtp === 'unknown' ? 'unknown' : smtp === true ? 'up' : 'down',
      held: held ?? null,
      oldestWaitingSeconds: waiting ?? null,
      ...(obstacles && obstacles.length > 0 && { obstacles }),
    }
  }

  return {
    inspectServer: (url: string) => probes.server(url),

    isQueueAway: async (): Promise<boolean> => (await findQueue()) !== 'up',

    /** Never rejects: a part that fails or does not answer in time is down. */
    report(): Promise<HealthReport> {
      const now = performance.now()
      if (!latest || now - latest.at > freshMs) latest = { at: now, report: ask() }
      return latest.report
    },

    /** What monitoring is told beside; what does not answer is absent. */
    async measure() {
      const [rings, feedLagSeconds] = await Promise.all([
        within(probes.rings()),
        within(database.stores.waitingWork.getFeedLagSeconds()),
      ])
      const pools = [
        ...database.countConnections(),
        ...(readers === database
          ? []
          : readers.countConnections().map((one) => ({ ...one, pool: `readers_${one.pool}` }))),
      ]
      return { rings, feedLagSeconds, pools }
    },

    /**
     * Why this worker could send nothing now, as a fixed word; undefined where it can. Reading the templates takes seconds
     * of a processor: a worker that has not needed them yet is taken at its word, unless `isThorough`. While they are
     * being read they are no reason: they are soon, or have failed.
     */
    async findObstacle({ isThorough = false } = {}): Promise<string | undefined> {
      const obstacle = presence.obstacle()
      if (obstacle !== undefined) return obstacle === 'draining' ? undefined : obstacle
      if (isThorough) await within(mail.checkTemplates())
      if (mail.hasBrokenTemplates()) return 'templates'
      return (await this.isQueueAway()) ? 'queue' : undefined
    },
  }
}

/** Of several hosts none is connected to where all are standbys. @throws any other error */
function isStandby(error: unknown): true {
  if (((error as Error).cause as { code?: string } | undefined)?.code === '25006') return true
  throw error
}

const within = <T>(answer: Promise<T>): Promise<T | undefined> =>
  Promise.race([answer.catch(() => undefined), sleep(askTimeoutMs, undefined, { ref: false })])
