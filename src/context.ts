import type { Resolver } from 'node:dns/promises'
import { type SendingTimes, sendingTimes } from './domain/delivery/sending-times.ts'
import { directUrlOf, type Config } from './config.ts'
import { createKeyring } from './domain/keyring.ts'
import { createFeedWriter } from './feeds/writer.ts'
import { fetchLimits, fetchPublic } from './import/fetch-public.ts'
import { mannersOf } from './import/live/site-client.ts'
import { createSiteReader } from './import/live/site-reader.ts'
import { createPurge } from './http/purge.ts'
import { createLifecycle } from './lifecycle.ts'
import type { Logger } from './log.ts'
import { createMail } from './mail/mail.ts'
import { createMailHostLookup } from './mail/mail-host.ts'
import { probeSmtp } from './mail/smtp/probe.ts'
import { createProviders } from './mail/providers/providers.ts'
import { createSigner } from './mail/message/sign.ts'
import { createTransport, personalConnections, type Transport } from './mail/smtp/transport.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { queueBackendOf } from './queue/bullmq.ts'
import { openRedisCounters } from './queue/counters.ts'
import { createDoorbell } from './queue/enqueue.ts'
import { createFaultLog } from './queue/faults.ts'
import { createClock } from './services/clock.ts'
import { createBudget } from './services/delivery/sending-budget.ts'
import { createKillPoints } from './services/delivery/kill-points.ts'
import { compilerVersion } from './services/editions/paper-cache.ts'
import { createServices } from './services/services.ts'
import type { Writers } from './services/delivery/send-one.ts'
import { openDatabase, patience, type Patience } from './store/database.ts'
import { inspectServer } from './store/server.ts'
import { openPostgresCounters, type Counters } from './store/rate-limits.ts'

/** Everything a process works with, built once. Constructing is not connecting. */
export type Context = ReturnType<typeof createContext>

/** A config as a process needs it: with the embedded installation, the supervisor has filled these in. */
export type ProcessConfig = Config & { databaseUrl: string; secretKeys: string[] }

interface ContextOptions {
  log: Logger
  /** What this process is; default `web`. Commands are workers. */
  process?: 'web' | 'worker'
  /** Connections to PostgreSQL that this process may hold. */
  maxConnections?: number
  /** Tests wait less. */
  patience?: Partial<Patience>
  /** Tests move it; lifetimes that decide anything across processes use the database clock instead. */
  now?: () => Date
  /** Tests ask a name server of their own. */
  dns?: Resolver
  /** Tests of the delivery machine shorten them. */
  sendingTimes?: Partial<SendingTimes>
  /** Tests of the delivery machine write messages of their own. */
  writers?: Writers
  /** Tests do without the compiler of PDFs. */
  hasEditions?: boolean
  /** Tests answer for Amazon. */
  fetchForProvider?: (url: string) => Promise<{ body: Buffer }>
}

export function createContext(config: ProcessConfig, options: ContextOptions) {
  const { log } = options
  const directUrl = directUrlOf(config)
  const openPools = (kind: keyof typeof patience) =>
    openDatabase({
      url: options.process === 'worker' ? directUrl : config.databaseUrl,
      directUrl,
      max: options.maxConnections,
      patience: { ...patience[kind], ...options.patience },
      onError: (error) => {
        log.warn({ reason: error.message }, 'idle database connection lost; it is replaced on the next use')
      },
    })
  const database = openPools(options.process ?? 'web')
  const readers = options.process === 'worker' ? database : openPools('readers')
  const queueBackend = queueBackendOf(config, directUrl)
  const queueFaults = createFaultLog(log)
  const doorbell = createDoorbell(queueBackend, queueFaults)
  const keyring = createKeyring(config.secretKeys)
  const clock = createClock(database, options.now)
  const { now } = clock
  const metrics = createMetrics()
  const { hasEditions = compilerVersion !== undefined } = options
  const mail = createMail({ ...config, keyring, hasEditions, now })
  const signer = createSigner(config.dkim, now)
  const transports = createTransports(config, metrics)
  const counters: Counters = config.redisUrl
    ? openRedisCounters(config.redisUrl, queueFaults)
    : openPostgresCounters(directUrl)
  const times = { ...sendingTimes, ...options.sendingTimes }
  const services = createServices({
    config,
    log,
    database,
    readers,
    doorbell,
    keyring,
    mail,
    signer,
    feedWriter: createFeedWriter(),
    transports,
    sendingTimes: times,
    budget: createBudget(config.smtpRate, database.stores.sendingBudget),
    writers: options.writers,
    probes: {
      queue: (timeoutMs) => doorbell.probe(timeoutMs),
      rings: () => doorbell.countWaiting(),
      smtp: probeSmtp,
      server: inspectServer,
    },
    findMailHost: createMailHostLookup(options.dns),
    providers: createProviders(),
    fetchForProvider:
      options.fetchForProvider ?? ((url) => fetchPublic(url, { limits: fetchLimits.provider })),
    fetchPage: (url) => fetchPublic(url, { limits: fetchLimits.page, ...mannersOf(config) }),
    fetchPicture: (url) => fetchPublic(url, { limits: fetchLimits.picture, ...mannersOf(config) }),
    sites: createSiteReader(config),
    hasEditions,
    purge: createPurge(config.purgeUrl, config.publicUrl, createFaultLog(log)),
    now,
    clock,
    reach: createKillPoints(config.killAt),
  })
  return {
    config,
    log,
    database,
    queueBackend,
    queueFaults,
    keyring,
    sendingTimes: times,
    hasEditions,
    services,
    lifecycle: createLifecycle(),
    metrics,
    /** Where requests are counted for limits. */
    counters,
    /** In reverse order of construction. */
    async close(): Promise<void> {
      await services.feedMemory.close()
      await services.feedPolls.close()
      await Promise.all([transports.digests.close(), transports.personal.close()])
      await doorbell.close()
      await counters.close()
      await Promise.all([...new Set([database, readers])].map((pools) => pools.close()))
    },
  }
}

/** Nobody listens at port 1: a process without SMTP_URL sends nothing, and a worker does not start without one. */
const nowhere = 'smtp://127.0.0.1:1'

function createTransports(config: Config, metrics: Metrics) {
  const smtpUrl = config.smtpUrl ?? nowhere
  const counting = (kind: string, transport: Transport): Transport => ({
    ...transport,
    async send(mail) {
      const end = metrics.smtp.startTimer({ kind })
      const outcome = await transport.send(mail)
      end()
      metrics.sends.inc({ kind, outcome: outcome.kind })
      return outcome
    },
  })
  const { smtpConnections: connections } = config
  return {
    digests: counting('digest', createTransport({ smtpUrl, connections })),
    personal: counting(
      'personal',
      createTransport({ smtpUrl, connections: personalConnections(connections) }),
    ),
  }
}
