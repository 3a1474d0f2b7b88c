import type { BounceService } from '../deliverability/bounces.ts'
import type { MailReference } from '../../domain/delivery/mail-reference.ts'
import { startConversations } from './run.ts'
import { createDomainBreaker } from './domain-breaker.ts'
import { openPortions } from './spread.ts'
import type { Parts } from '../parts.ts'
import { ringForDigest } from './ring-digest.ts'
import type { Presence } from './presence.ts'
import { createRuns } from './runs.ts'
import type { Alarm } from './suspicion.ts'
import type { Writers } from './send-one.ts'

const wokenAtOnce = 10_000

/**
 * The only place mail leaves from. PostgreSQL is the record: a ring that finds nothing to claim does nothing, and
 * nothing here has to be remembered across a restart.
 */
export function createSendingService(
  parts: Pick<Parts, 'log' | 'database' | 'doorbell' | 'transports' | 'sendingTimes' | 'budget' | 'reach'> & {
    presence: Presence
    writers: Writers
    bounces: Pick<BounceService, 'recordRefusal' | 'takeBack'>
  },
) {
  const { log, database, doorbell, reach, transports, budget, sendingTimes: times } = parts
  const { presence, writers, bounces } = parts
  const { stores } = database
  const runs = createRuns({ presence, troubleSeconds: times.troubleSeconds, log })
  // A domain that refuses digests, which have a sender of their own, must not delay an activation mail.
  const domains = { digests: createDomainBreaker(), personal: createDomainBreaker() }

  const unbalanced = new Set<number>()
  const tellOfUnbalanced = (digestId: number) => {
    if (!unbalanced.has(digestId))
      log.error(
        { digestId },
        'the deliveries of a digest do not add up to its audience: it stays open until they do',
      )
    unbalanced.add(digestId)
  }

  const complete = async (digestId: number) => {
    // Most of the time a delivery is open still: that is found out without a lock.
    if (await stores.runningDigests.isOpen(digestId)) return 'in_flight'
    const completion = await database.transaction(async (tx) => {
      const marked = await tx.runningDigests.markCompleted(digestId)
      // Together, or whoever looks in between sees versions that do not add up.
      if (marked.startsWith('completed')) await tx.variants.recountReplaced(digestId)
      return marked
    })
    if (completion === 'unbalanced') tellOfUnbalanced(digestId)
    else if (completion.startsWith('completed')) log.info({ digestId, completion }, 'digest completed')
    return completion
  }

  /** Sending goes on where the refusal could not be recorded as a bounce. */
  const tellOfRefusal = async (...refusal: Parameters<BounceService['recordRefusal']>) => {
    try {
      await bounces.recordRefusal(...refusal)
    } catch (error) {
      log.error({ err: error }, 'a refusal could not be recorded as a bounce')
    }
  }

  const pause = async (digestId: number, { reason, answer, isBrief }: Alarm): Promise<boolean> => {
    const waitMinutes = [...(isBrief ? [times.troubleSeconds / 60] : []), ...times.relayBackOffMinutes]
    const words = answer.replace(/[^\s<>()"'`,;:=]+/g, (word) => (word.includes('@') ? '[address]' : word))
    const relay = reason === 'no_answer' ? undefined : { answer: words, waitMinutes }
    const isPaused = await stores.runningDigests.markPaused(digestId, reason, relay)
    if (isPaused) log.error({ digestId, reason, answer: words }, 'a digest paused itself')
    return isPaused
  }

  const takeBack = async (references: MailReference[]): Promise<void> => {
    for (const reference of references) {
      try {
        await bounces.takeBack(reference)
      } catch (error) {
        log.error({ err: error }, 'a bounce that was ours could not be taken back')
      }
    }
  }

  return {
    /**
     * Sends what the digest still has waiting; completes it where that was the last of it.
     * @param until when to resolve: `finished` is with the last conversation, which may wait long for a slow server;
     *   `over` is as soon as nothing more is claimed
     */
    async deliverDigest(digestId: number, until: 'over' | 'finished' = 'finished'): Promise<void> {
      if (!(await stores.runningDigests.isSending(digestId))) return
      if (!(await stores.runningDigests.hasPending(digestId))) {
        await complete(digestId)
        return
      }
      const run = await runs.start(`digest ${digestId}`, async () => {
        const write = await writers.digest(digestId)
        const isRefused = await stores.runningDigests.isProbing(digestId)
        return (isProbing) =>
          startConversations({
            leases: stores.deliveries.leasesOf(digestId, times),
            transport: transports.digests,
            permits: budget?.of('digests'),
            isProbing: isProbing || isRefused,
            isRefused,
            write,
            onAlarm: (alarm) => pause(digestId, alarm),
            onTaken: isRefused ? () => stores.runningDigests.endProbing(digestId) : undefined,
            onTakenBack: (keys) =>
              takeBack(keys.map((subscriberId) => ({ kind: 'digest', digestId, subscriberId }))),
            onRefused: ({ key: subscriberId, address }, outcome, isLast) =>
              tellOfRefusal({ kind: 'digest', digestId, subscriberId }, outcome, isLast, address),
            domains: domains.digests,
            reach,
            log: log.child({ digestId }),
          })
      })
      if (!run) return
      const ended = run.finished
        .then(async () => {
          // Readers whose refusal turned out to be no fault of theirs are pending again.
          if (
            (await complete(digestId)) === 'in_flight' &&
            (await stores.runningDigests.hasPending(digestId))
          )
            await doorbell.ring('deliver-digest', { digestId })
        })
        .catch((error: unknown) => {
          log.warn({ reason: String(error) }, 'a digest could not be completed; the next round will')
        })
      await run.over
      // A ring that came while this run worked was dropped: ring again for what it would have found.
      if (presence.mayClaim() && (await stores.runningDigests.hasPending(digestId)))
        await doorbell.ring('deliver-digest', { digestId })
      if (until === 'finished') await ended
    },

    /** Sends waiting personal mail, on connections of its own. @param until as for a digest */
    async deliverMail(until: 'over' | 'finished' = 'finished'): Promise<void> {
      const run = await runs.start('mail', () =>
        Promise.resolve((isProbing: boolean) =>
          startConversations({
            leases: stores.outbox.leases(times),
            transport: transports.personal,
            permits: budget?.of('personal'),
            isProbing,
            // Nothing tells whether it was trouble or a refusal that stopped the last run: it is taken for a refusal.
            isRefused: isProbing,
            write: writers.mail(),
            // A refusal delays its own mail alone, not a sign-in link behind it.
            onAlarm: () => Promise.resolve(false),
            onTakenBack: (keys) => takeBack(keys.map((outboxId) => ({ kind: 'outbox', outboxId }))),
            onRefused: ({ key: outboxId, address }, outcome, isLast) =>
              tellOfRefusal({ kind: 'outbox', outboxId }, outcome, isLast, address),
            domains: domains.personal,
            reach,
            log: log.child({ mail: 'personal' }),
          }),
        ),
      )
      await run?.[until]
    },

    /** Takes up what silent workers left, wakes deferred mail, completes digests that ended elsewhere. */
    async recover(): Promise<void> {
      for (const leases of [stores.deliveries.allLeases(times), stores.outbox.leases(times)]) {
        while ((await leases.wake(wokenAtOnce)) === wokenAtOnce);
        if (!presence.mayRecover()) continue
        // What this worker holds is not silent, however late its heartbeats are.
        await runs.extend()
        const found = await leases.recover()
        if (found.claimed + found.committing > 0) log.warn(found, 'mail of a silent worker was taken up')
      }
      if (presence.mayClaim()) await openPortions(database)
      for (const digestId of presence.mayClaim() ? await stores.runningDigests.resumeProbes() : []) {
        log.info({ digestId }, 'a digest that paused itself asks the relay again')
        await ringForDigest(doorbell, digestId)
      }
      for (const digestId of await stores.runningDigests.listSending()) {
        if (!runs.has(`digest ${digestId}`)) await complete(digestId)
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

    extend: runs.extend,
    drain: runs.drain,
  }
}
