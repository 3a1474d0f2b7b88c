import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../src/context.ts'
import { endingMs } from '../src/lifecycle.ts'
import { openCarrier } from '../src/queue/bullmq.ts'
import { jobNames } from '../src/queue/jobs.ts'
import { eachByItself } from '../src/services/each-by-itself.ts'
import { every } from './every.ts'
import { receiveMail } from './inbound-mail.ts'
import { createJobs } from './jobs.ts'
import { createOldKeySweep } from './old-redis-keys.ts'
import { createUnheard } from './unheard.ts'
import { startWorker } from './run-job.ts'

const beatMs = 5_000
/** A database that starts up is there within seconds. */
const awayMs = 500
/** What Redis has lost is rung for again within this: sending goes on 15 seconds later at the latest. */
export const reconcileMs = 10_000
/** Reminders, and what is deleted after its time: by one worker for all. */
const upkeepMs = 10 * 60_000
/** So often within a lease: one that fails or is late leaves time for others. */
const heartbeatsPerLease = 6

/**
 * Waits for the database. The queue that lies in it keeps a first refusal for ever: a worker of BullMQ that meets a server
 * that is starting up asks again without a pause, and nothing else of the process runs.
 */
async function firstBeat({ services: { presence }, log }: Context): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      await presence.beat()
      return
    } catch (error) {
      if (failures === 0)
        log.warn({ reason: String((error as Error).cause ?? error) }, 'the database is away; waiting for it')
      await sleep(awayMs)
    }
  }
}

/** Everything a worker process does, until it is drained. */
export async function startWorking(context: Context) {
  const { config, services, queueBackend, queueFaults: faults, log, metrics, sendingTimes } = context
  const { sending, presence, reconciling, feeds } = services
  const leaseMs = sendingTimes.leaseSeconds * 1000
  // What goes to the mail catcher stays here.
  if (!config.dkim)
    log[config.mailboxUrl === undefined ? 'warn' : 'info'](
      'mail is not signed: DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY are not set',
    )
  // Before the first ring is heard, which would find a worker that may not claim yet.
  await firstBeat(context)
  await feeds.renewAll().catch((error: unknown) => {
    log.warn({ reason: String(error) }, 'feeds could not be compared with this version of the program')
  })
  const jobs = createJobs(services)
  const unheard = createUnheard(context, jobs)
  const heartbeatMs = leaseMs / heartbeatsPerLease
  // One that hangs is not waited for: the next goes over another connection.
  const late = () =>
    sleep(heartbeatMs, undefined, { ref: false }).then(() => Promise.reject(new Error('late')))
  const heartbeats = every(heartbeatMs, () => Promise.race([sending.extend(), late()]), log)
  const rounds = [
    every(
      Math.min(beatMs, leaseMs / 2),
      async () => {
        await presence.beat()
        await presence.tell(await services.health.findObstacle())
        await sending.recover()
      },
      log,
    ),
    every(beatMs, () => sending.endCancelled(), log),
    every(beatMs, () => context.database.stores.counts.fold(), log),
    every(Math.min(reconcileMs, leaseMs * 2), () => reconciling.reconcile(), log),
    every(reconcileMs, () => unheard.begin(), log),
    every(upkeepMs, createOldKeySweep(context), log),
    every(
      upkeepMs,
      async () => {
        // A little less than a round: whoever's timer is first has the next.
        if (!(await services.upkeep.claim(0.95 * (upkeepMs / 1000)))) return
        await eachByItself(log, {
          reminders: () => services.activations.remind(),
          requests: () => services.activations.purge(),
          imports: () => services.imports.purge(),
          rest: () => services.upkeep.sweep(),
        })
      },
      log,
    ),
    every(upkeepMs, () => services.retention.run(context.lifecycle.draining), log),
  ]
  const inbound = await receiveMail(context)
  const carrier = openCarrier(queueBackend, faults, jobNames.length)
  const watch = { carrier, faults, log, metrics }
  const workers = jobNames.map((name) => startWorker(name, jobs[name], watch))

  return {
    /**
     * Claims nothing more, gives back what is not in a conversation, and lets those finish, however long the server
     * takes over an answer: whoever ends before it has come sends a second copy.
     */
    async drain(): Promise<void> {
      const stopped = Promise.all([
        services.imports.drain(),
        services.sourceSync.drain(),
        ...rounds.map((round) => round.stop()),
      ])
      await sending.drain()
      const overdue = setTimeout(() => {
        log.error('the worker did not end in time; the rest is left to the next process')
        process.exit(1)
      }, endingMs.rounds).unref()
      await stopped
      await inbound?.close()
      // Over a queue that is away BullMQ would wait until it is back to say that it goes.
      const isAway = await services.health.isQueueAway()
      await Promise.all([unheard.ended(), ...workers.map((worker) => worker.close(isAway))])
      await carrier.close()
      await heartbeats.stop()
      // Nobody waits for a worker that says nothing more: where the database is away, this is an end like any other.
      await presence.remove().catch(() => undefined)
      clearTimeout(overdue)
    },
  }
}
