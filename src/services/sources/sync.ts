import { setTimeout as pause } from 'node:timers/promises'
import { pauseBefore, type SourceFailure } from '../../domain/sources/source.ts'
import type { ClaimedSource, StoredSource } from '../../store/sources/sources.ts'
import { ringForChange } from '../articles/public-change.ts'
import { followFeed } from './follow-feed.ts'
import { followWordpress } from './follow-wordpress.ts'
import { LeaseLost, openLook, readingContext, SiteMoved, type Look, type LookParts } from './look.ts'
import { SiteFault } from './site.ts'
import { askPerson } from './withdrawals.ts'

/** A look that is not done after so long ends, and another goes on: a worker that stops does not wait for long. */
const longestMs = 20_000
/** A source that is due within so many seconds is waited for; any other is looked at when it is due. */
const soonSeconds = 5

/** Looks at sources, whoever rings. */
export function createSourceSyncService(parts: LookParts) {
  const { database, doorbell, log, now } = parts
  const running = new Set<Promise<unknown>>()
  let isDraining = false

  const claim = async (id: number): Promise<ClaimedSource | undefined> => {
    const seconds = await database.stores.sources.findSecondsLeft(id)
    if (seconds === undefined || seconds > soonSeconds) return undefined
    if (seconds > 0) await pause(seconds * 1_000)
    return isDraining ? undefined : database.transaction((stores) => stores.sources.claim(id))
  }

  const end = async (look: Look, failure: SourceFailure | undefined, retryAfter?: number): Promise<void> => {
    const { source, counts } = look
    const { created, updated, withdrawn, restored } = counts
    const hasFound = created + updated + withdrawn + restored > 0
    await database.transaction(async (stores) => {
      const stored = await stores.sources.find(source.id)
      if (!stored) return
      const failures = failure === undefined ? 0 : source.failures + 1
      const condition = { ...conditionOf(stored), failures, failure }
      const outlook = { ...look, retryAfter }
      const pauseSeconds = pauseBefore(condition, outlook, now())
      await stores.sources.release(source, { failure, pauseSeconds, hasFound })
      const startedAt = source.lookedAt ?? now()
      await stores.sourceRuns.insert(source.id, { ...counts, startedAt, reason: source.reason, failure })
    })
    if (hasFound) await ringForChange(doorbell)
    if (withdrawn > 0) await doorbell.ring('deliver-mail', {})
    if (look.isUnfinished) await doorbell.ring('sync-source', { sourceId: source.id })
  }

  const lookAt = async (source: ClaimedSource): Promise<void> => {
    const startedAt = performance.now()
    const look = openLook(parts, source, {
      context: await readingContext(database.stores, now()),
      isOver: () => isDraining || performance.now() - startedAt > longestMs,
    })
    try {
      await (source.kind === 'wordpress' ? followWordpress : followFeed)(parts, look)
      await end(look, undefined)
    } catch (error) {
      if (error instanceof LeaseLost) return
      if (error instanceof SiteMoved) {
        await askPerson(parts, look, 'moved')
        await end(look, undefined)
        return
      }
      const fault = error instanceof SiteFault ? error : new SiteFault('failed', { cause: error })
      if (fault.failure === 'failed')
        log.error({ err: error, source: source.id }, 'a source could not be read')
      await end(look, fault.failure, fault.retryAfter)
    }
  }

  return {
    /** Looks at a source that is due. Nothing leaves a copy of the database. */
    async work(id: number): Promise<void> {
      if (isDraining || (await database.stores.instanceGuard.isHeld())) return
      const source = await claim(id)
      if (!source) return
      const work = lookAt(source)
      running.add(work)
      await work.finally(() => running.delete(work))
    },

    /** Begins nothing more, and resolves once what is under way has been written. */
    async drain(): Promise<void> {
      isDraining = true
      await Promise.allSettled(running)
    },
  }
}

/** What its state follows from. */
export const conditionOf = (source: StoredSource) => ({
  ...source,
  foundAt: [source.foundByRingAt, source.foundByClockAt].flatMap((at) => at ?? []).sort((a, b) => +b - +a)[0],
})
