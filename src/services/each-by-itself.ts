import type { Logger } from '../log.ts'

/**
 * Does one after the other; one that fails keeps no other from its turn. All that failed
 * for one reason is one line of the log; it waits for the next time.
 */
export async function eachByItself(
  log: Pick<Logger, 'warn'>,
  works: Record<string, () => Promise<unknown>>,
): Promise<void> {
  const failed = new Map<string, string[]>()
  for (const [name, work] of Object.entries(works)) {
    try {
      await work()
    } catch (error) {
      const reason = String(error)
      failed.set(reason, [...(failed.get(reason) ?? []), name])
    }
  }
  for (const [reason, names] of failed)
    log.warn({ reason, n: names.length, first: names.slice(0, 10) }, 'upkeep failed in part; trying again')
}
