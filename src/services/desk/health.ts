import type { Parts } from '../parts.ts'
import type { Presence } from '../delivery/worker-guard.ts'

export type HealthService = ReturnType<typeof createHealthService>

type PartState = 'up' | 'down'

/** What this process needs, as it answers now. */
export interface HealthReport {
  /** Why workers that live send nothing; absent where each can. */
  obstacles?: string[]
  postgres: PartState
  queue: PartState
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
  parts: Pick<Parts, 'config' | 'database' | 'mail' | 'probes'> & { presence: Pick<Presence, 'obstacle'> },
) {
  const { config, database, mail, probes, presence } = parts
  let latest: { at: number; report: Promise<HealthReport> } | undefined

  const ask = async (): Promise<HealthReport> => {
    const [waiting, held, obstacles, queue, smtp] = await Promise.all([
      within(database.stores.health.getOldestWaitingSeconds()),
      within(database.stores.instanceGuard.isHeld()),
      within(database.stores.workers.listObstacles()),
      within(probes.queue()),
      config.smtpUrl === undefined ? 'unknown' : within(probes.smtp(config.smtpUrl, askTimeoutMs)),
    ])
    return {
      postgres: waiting === undefined ? 'down' : 'up',
      queue: queue === true ? 'up' : 'down',
      smtp: smtp === 'unknown' ? 'unknown' : smtp === true ? 'up' : 'down',
      held: held ?? null,
      oldestWaitingSeconds: waiting ?? null,
      ...(obstacles && obstacles.length > 0 && { obstacles }),
    }
  }

  return {
    /** Never rejects: a part that fails or does not answer in time is down. */
    report(): Promise<HealthReport> {
      const now = performance.now()
      if (!latest || now - latest.at > freshMs) latest = { at: now, report: ask() }
      return latest.report
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
      return (await within(probes.queue())) ? undefined : 'queue'
    },
  }
}

async function within<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, askTimeoutMs, undefined)
  })
  try {
    return await Promise.race([answer.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}
