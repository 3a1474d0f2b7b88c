import type { Context } from '../src/context.ts'
import { decideSignups } from './decide-signups.ts'
import { deliverDigest } from './deliver-digest.ts'
import { deliverMail } from './deliver-mail.ts'
import { every } from './every.ts'
import { importSubscribers } from './import-subscribers.ts'
import { receiveMail } from './inbound-mail.ts'
import { prepareDigest } from './prepare-digest.ts'
import { publishArticles } from './publish-articles.ts'
import { renderFeeds } from './render-feeds.ts'
import { runSchedules } from './run-schedules.ts'
import { startWorker } from './worker.ts'

const beatMs = 5_000
/** What Redis has lost is rung for again within this: sending goes on 15 seconds later at the latest. */
export const reconcileMs = 10_000
/** Reminders and the purge of unconfirmed requests. */
const upkeepMs = 10 * 60_000
/** Conversations in flight have this long; what is still open then is left to its lease. */
const drainMs = 30_000

/** Everything a worker process does, until it is drained. */
export async function startWorking(context: Context) {
  const { services, queueBackend, log, metrics, sendingTimes } = context
  const { sending, presence, reconciling, feeds } = services
  const backend = { backend: queueBackend, log, metrics }
  const leaseMs = sendingTimes.leaseSeconds * 1000
  // Before the first ring is heard, which would find a worker that may not claim yet.
  await presence.beat().catch((error: unknown) => {
    log.warn({ reason: String(error) }, 'the database is away; waiting for it')
  })
  await feeds.renewAll().catch((error: unknown) => {
    log.warn({ reason: String(error) }, 'feeds could not be compared with this version of the program')
  })
  const extensions = every(leaseMs / 4, () => sending.extend(), log)
  const rounds = [
    every(
      Math.min(beatMs, leaseMs / 2),
      async () => {
        await presence.beat()
        await sending.recover()
      },
      log,
    ),
    every(beatMs, () => sending.endCancelled(), log),
    every(Math.min(reconcileMs, leaseMs * 2), () => reconciling.reconcile(), log),
    every(
      upkeepMs,
      async () => {
        await services.activations.remind()
        await services.activations.purge()
        await services.imports.purge()
      },
      log,
    ),
  ]
  const inbound = await receiveMail(context)
  const workers = [
    startWorker(publishArticles(services.articles), backend),
    startWorker(runSchedules(services), backend),
    startWorker(prepareDigest(services), backend),
    startWorker(deliverDigest(sending), backend),
    startWorker(deliverMail(sending), backend),
    startWorker(decideSignups(services.signupDecisions), backend),
    startWorker(renderFeeds(feeds), backend),
    startWorker(importSubscribers(services.imports), backend),
  ]

  return {
    /** Claims nothing more, lets conversations finish, and gives back what is left. */
    async drain(): Promise<void> {
      const overdue = setTimeout(() => {
        log.error('conversations did not finish in time; their leases will tell')
        process.exit(1)
      }, drainMs).unref()
      await Promise.all([sending.drain(), services.imports.drain(), ...rounds.map((round) => round.stop())])
      await inbound?.close()
      await Promise.all(workers.map((worker) => worker.close()))
      await extensions.stop()
      await presence.remove()
      clearTimeout(overdue)
    },
  }
}
