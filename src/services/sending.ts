import type { BounceService } from './bounces.ts'
import { startConversations, type Conversations } from './conversations.ts'
import { createDomainBreaker } from './domain-breaker.ts'
import { createFaults } from './faults.ts'
import type { Parts } from './parts.ts'
import type { Presence } from './presence.ts'
import type { Writers } from './writers.ts'

export type SendingService = ReturnType<typeof createSendingService>

/** Jobs that one digest is rung with, so that as many workers can share it. */
const wakeUpsPerDigest = 8

const longestPauseMs = 60_000

const wokenAtOnce = 10_000

interface Breaker {
  pauseMs: number
  notBefore: number
}

/**
 * The only place mail leaves from. PostgreSQL is the record: a ring that finds nothing to claim does nothing, and
 * nothing here has to be remembered across a restart.
 */
export function createSendingService(
  parts: Pick<Parts, 'config' | 'log' | 'database' | 'doorbell' | 'transports' | 'sendingTimes'> & {
    presence: Presence
    writers: Writers
    bounces: Pick<BounceService, 'recordRefusal'>
  },
) {
  const {
    config,
    log,
    database,
    doorbell,
    transports,
    presence,
    writers,
    bounces,
    sendingTimes: times,
  } = parts
  const { stores } = database
  const faults = createFaults(config.faultAt)
  const running = new Map<string, Conversations>()
  const breakers = new Map<string, Breaker>()
  // Apart, as their senders are: what a domain thinks of digests must not delay an activation mail.
  const domains = { digests: createDomainBreaker(), personal: createDomainBreaker() }

  /** One run at a time per digest, and one for personal mail; a second ring meanwhile changes nothing. */
  const runOnce = async (name: string, start: () => Promise<Conversations>): Promise<boolean> => {
    const breaker = breakers.get(name)
    if (running.has(name) || !presence.mayClaim() || performance.now() < (breaker?.notBefore ?? 0))
      return false
    const conversations = await start()
    running.set(name, conversations)
    try {
      const { accepted, isServerInTrouble } = await conversations.finished
      if (isServerInTrouble) trip(name, accepted > 0 ? undefined : breaker)
      else breakers.delete(name)
      return true
    } finally {
      running.delete(name)
    }
  }
  const trip = (name: string, before: Breaker | undefined) => {
    const pauseMs = before ? Math.min(before.pauseMs * 2, longestPauseMs) : times.troubleSeconds * 1000
    breakers.set(name, { pauseMs, notBefore: performance.now() + pauseMs })
    log.warn({ pauseMs }, 'the SMTP server is in trouble; pausing')
  }

  const ringForDigest = async (digestId: number, turn = 0) => {
    const slots = Array.from({ length: wakeUpsPerDigest }, (_, n) => turn * wakeUpsPerDigest + n)
    await Promise.all(slots.map((slot) => doorbell.ring('deliver-digest', { digestId }, slot)))
  }

  const complete = async (digestId: number) => {
    // Without a lock first: most of the time something is open.
    if (await stores.runningDigests.isOpen(digestId)) return 'in_flight'
    const completion = await database.transaction((tx) => tx.runningDigests.markCompleted(digestId))
    if (completion === 'unbalanced') log.error({ digestId }, 'a digest does not add up and is left as it is')
    else if (completion.startsWith('completed')) log.info({ digestId, completion }, 'digest completed')
    return completion
  }

  /** What it means for the person is judged elsewhere; failing at that must not stop the sending. */
  const tellOfRefusal = async (...refusal: Parameters<BounceService['recordRefusal']>) => {
    try {
      await bounces.recordRefusal(...refusal)
    } catch (error) {
      log.error({ err: error }, 'a refusal could not be recorded as a bounce')
    }
  }

  return {
    /** @param turn rings in other slots: a worker that died may still hold the jobs of these */
    ringForDigest,

    /** Sends what the digest still has waiting; completes it where that was the last of it. */
    async deliverDigest(digestId: number): Promise<void> {
      if (!(await stores.runningDigests.isSending(digestId))) return
      const name = `digest ${digestId}`
      const ran = await runOnce(name, async () => {
        const write = await writers.digest(digestId)
        return startConversations({
          leases: stores.deliveries.leasesOf(digestId, times),
          transport: transports.digests,
          connections: config.smtpConnections,
          isProbing: breakers.has(name),
          write,
          async onAlarm(reason) {
            const isPaused = await stores.runningDigests.markPaused(digestId, reason)
            if (isPaused) log.error({ digestId, reason }, 'a digest paused itself')
          },
          onRefused: ({ key: subscriberId }, outcome, isLast) =>
            tellOfRefusal({ kind: 'digest', digestId, subscriberId }, outcome, isLast),
          domains: domains.digests,
          faults,
          log: log.child({ digestId }),
        })
      })
      if (!ran) return
      const completion = await complete(digestId)
      // A ring that this process took while it worked on the digest found it under way.
      if (
        completion === 'in_flight' &&
        (await stores.runningDigests.hasPending(digestId)) &&
        presence.mayClaim()
      ) {
        await doorbell.ring('deliver-digest', { digestId })
      }
    },

    /** Sends waiting personal mail, on connections of its own. */
    async deliverMail(): Promise<void> {
      await runOnce('mail', async () =>
        Promise.resolve(
          startConversations({
            leases: stores.outbox.leases(times),
            transport: transports.personal,
            connections: personalConnections(config.smtpConnections),
            isProbing: breakers.has('mail'),
            write: writers.mail,
            onAlarm: () => Promise.resolve(),
            onRefused: ({ key: outboxId }, outcome, isLast) =>
              tellOfRefusal({ kind: 'outbox', outboxId }, outcome, isLast),
            domains: domains.personal,
            faults,
            log: log.child({ mail: 'personal' }),
          }),
        ),
      )
    },

    /** Takes up what silent workers left, wakes deferred mail, completes digests that ended elsewhere. */
    async recover(): Promise<void> {
      for (const leases of [stores.deliveries.allLeases(times), stores.outbox.leases(times)]) {
        while ((await leases.wake(wokenAtOnce)) === wokenAtOnce);
        if (!presence.mayRecover()) continue
        const found = await leases.recover()
        if (found.claimed + found.committing > 0) log.warn(found, 'mail of a silent worker was taken up')
      }
      for (const digestId of await stores.runningDigests.listByState('sending')) {
        if (!running.has(`digest ${digestId}`)) await complete(digestId)
      }
    },

    /** Ends what cancelled digests still have waiting: a million within a minute. */
    async endCancelled(): Promise<void> {
      for (const digestId of await stores.runningDigests.listUnsettled()) {
        let last: number | undefined = 0
        while (last !== undefined && presence.obstacle() !== 'draining')
          last = await stores.runningDigests.skipCancelled(digestId, last)
        await stores.runningDigests.markSettled(digestId)
      }
    },

    /** A heartbeat for everything in hand. */
    async extend(): Promise<void> {
      await Promise.all([...running.values()].map((conversations) => conversations.extend()))
    },

    /** Claims nothing more, finishes the conversations in flight, and gives back what is left. */
    async drain(): Promise<void> {
      presence.leave()
      const all = [...running.values()]
      for (const conversations of all) conversations.halt()
      await Promise.all(all.map((conversations) => conversations.finished))
    },
  }
}

/** Beside those of digests: personal mail never waits behind one. */
export const personalConnections = (connections: number): number => Math.max(2, Math.ceil(connections / 4))
