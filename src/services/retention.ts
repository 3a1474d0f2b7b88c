import { setTimeout as sleep } from 'node:timers/promises'
import { dateIn, isNight } from '../domain/calendar.ts'
import { keptDays } from '../domain/retention.ts'
import type { Parts } from './parts.ts'
import { eachByItself } from './each-by-itself.ts'
import { dayMs } from '../domain/time.ts'

/** Rows of one statement: some hundredths of a second. */
const batch = 1_000
/** Once a night, whoever of the workers comes first. */
const roundSeconds = 20 * 3_600

/** What has been kept for its time: details of deliveries, personal mails, views and polls by day. */
export function createRetentionService(parts: Pick<Parts, 'config' | 'database' | 'log' | 'now'>) {
  const { config, database, log, now } = parts
  const { stores } = database
  const daysAgo = (days: number) => new Date(now().getTime() - days * dayMs)

  /** As much rest as work: mail that is going out goes first. @returns whether it came to its end */
  const walk = async <T>(first: T, step: (last: T) => Promise<T | undefined>, goesOn: () => boolean) => {
    let last: T | undefined = first
    while (goesOn() && last !== undefined) {
      const begin = performance.now()
      last = await step(last)
      await sleep(performance.now() - begin)
    }
    return last === undefined
  }

  /** @returns whether it came to its end */
  const moveDigest = async (id: number, goesOn: () => boolean): Promise<boolean> => {
    if (!goesOn() || !(await stores.retention.endDetails(id))) return false
    const move = (last: number) => database.transaction((tx) => tx.retention.moveDeliveries(id, last, batch))
    const isOver = await walk(0, move, goesOn)
    if (isOver) await stores.retention.markMoved(id)
    return isOver
  }

  const moveDeliveries = async (goesOn: () => boolean): Promise<void> => {
    let digests = 0
    const move = async (id: number) => {
      if (await moveDigest(id, goesOn)) digests += 1
    }
    const ids = await stores.retention.listEndedDigests(daysAgo(config.retentionDays))
    await eachByItself(log, Object.fromEntries(ids.map((id) => [`digest ${id}`, () => move(id)])))
    if (digests > 0)
      log.info({ digests }, 'details of deliveries were kept for their time; their counts stay')
  }

  const foldMonths = async (goesOn: () => boolean): Promise<void> => {
    const end = dateIn('UTC', daysAgo(keptDays.days)).slice(0, 7)
    const folds: Record<string, () => Promise<unknown>> = {}
    const first = await stores.retention.findFirstMonth()
    for (let month = first; month !== undefined && month.slice(0, 7) < end; month = nextMonth(month)) {
      const at = month
      const fold = (step: (month: string, limit: number) => Promise<boolean>) => () =>
        walk(true, async () => (await step(at, batch)) || undefined, goesOn)
      folds[`views ${at}`] = fold(stores.retention.foldViews)
      folds[`polls ${at}`] = fold(stores.retention.foldPolls)
    }
    await eachByItself(log, folds)
  }

  return {
    /**
     * A night's work, by one worker for all; what is left over waits for the next night. Nothing moves while a worker
     * of a version lives that would not find it.
     */
    async run(draining: AbortSignal): Promise<void> {
      const { zone } = await stores.publication.get()
      const goesOn = () => !draining.aborted && isNight(zone, now())
      if (!goesOn() || (await stores.workers.areOlderAlive('folding'))) return
      if (!(await stores.retention.claimRound('retention', roundSeconds))) return
      const before = daysAgo(keptDays.personalMails)
      await eachByItself(log, {
        deliveries: () => moveDeliveries(goesOn),
        mails: () => walk(0, (last) => stores.retention.deleteMails(before, last, batch), goesOn),
        months: () => foldMonths(goesOn),
      })
    },
  }
}

/** @param month its first day, such as 2026-12-01 */
function nextMonth(month: string): string {
  const next = new Date(`${month}T00:00:00Z`)
  next.setUTCMonth(next.getUTCMonth() + 1)
  return dateIn('UTC', next)
}
