import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import type { SendingTimes } from '../../src/domain/delivery/sending-times.ts'
import type { MailReference } from '../../src/domain/delivery/mail-reference.ts'
import { createTransport, personalConnections, type TransportLimits } from '../../src/mail/smtp/transport.ts'
import { createClock } from '../../src/services/clock.ts'
import { createBudget } from '../../src/services/delivery/sending-budget.ts'
import { createKeyring } from '../../src/domain/keyring.ts'
import { createBounceService } from '../../src/services/deliverability/bounces.ts'
import { createPresence } from '../../src/services/delivery/presence.ts'
import { createSendingService } from '../../src/services/delivery/delivery.ts'
import { createKillPoints } from '../../src/services/delivery/kill-points.ts'
import type { Writers } from '../../src/services/delivery/send-one.ts'
import type { Database } from '../../src/store/database.ts'
import { aConfig } from './config.ts'
import { plainWriters } from './plain-writers.ts'

/** Short enough for a test, long enough for a busy machine. */
export const quickTimes: SendingTimes = {
  leaseSeconds: 2,
  backOffMinutes: [0.01, 0.01, 0.01],
  troubleSeconds: 0.05,
  relayBackOffMinutes: [0.005, 0.01, 0.02],
}

export interface SenderOptions {
  smtpUrl: string
  connections?: number
  times?: SendingTimes
  writers?: Partial<Writers>
  limits?: Partial<TransportLimits>
  /** As SMTP_RATE has it. */
  rate?: string
}

/** One worker's sending service, in this process; it has beaten once and may claim. */
export async function aSender(database: Database, options: SenderOptions) {
  const connections = options.connections ?? 4
  const config = aConfig('postgres://unused', {
    SMTP_URL: options.smtpUrl,
    SMTP_CONNECTIONS: String(connections),
    ...(options.rate && { SMTP_RATE: options.rate }),
  })
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' })
  const { smtpUrl, limits } = options
  const transports = {
    digests: createTransport({ smtpUrl, connections, limits }),
    personal: createTransport({ smtpUrl, connections: personalConnections(connections), limits }),
  }
  onTestFinished(async () => {
    await Promise.all([transports.digests.close(), transports.personal.close()])
  })
  const refused: (MailReference & { isLast: boolean })[] = []
  const rings: { name: string; payload: unknown; slot: number }[] = []
  const doorbell = {
    ring: (name: string, payload: unknown, slot = 0) => {
      rings.push({ name, payload, slot })
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
  const keyring = createKeyring(['a-secret-of-the-tests-0123456789ab'])
  const bounces = createBounceService({ database, doorbell, keyring, config, log, now: () => new Date() })
  const sendingTimes = options.times ?? quickTimes
  const presence = createPresence({ clock: createClock(database), database, log, sendingTimes })
  await presence.beat()
  const sending = createSendingService({
    log,
    database,
    doorbell,
    transports,
    sendingTimes,
    budget: createBudget(config.smtpRate, database.stores.sendingBudget),
    presence,
    bounces: {
      recordRefusal(reference, outcome, isLast) {
        refused.push({ ...reference, isLast: isLast === true })
        return bounces.recordRefusal(reference, outcome, isLast)
      },
      takeBack: (reference) => bounces.takeBack(reference),
    },
    writers: { ...plainWriters, ...options.writers },
    reach: createKillPoints(config.killAt),
  })
  return { sending, presence, rings, refused }
}
