import type { Logger } from '../../log.ts'

export interface Rest {
  pauseMs: number
  /** Of `performance.now()`. */
  until: number
}

const longestPauseMs = 60_000

/**
 * An SMTP server in trouble (it cannot be reached, breaks off, says 421) is left alone, and then asked with one
 * conversation. By the name of what was sent: a digest, or personal mail.
 * @param troubleSeconds the first rest; each further one is twice as long, up to a minute
 */
export function createServerBreaker({ troubleSeconds, log }: { troubleSeconds: number; log: Logger }) {
  const rests = new Map<string, Rest>()
  return {
    /** The last rest, over or not; undefined once a run has ended without trouble. */
    find: (name: string): Rest | undefined => rests.get(name),

    /** @param before the rest that did not help */
    trip(name: string, before: Rest | undefined): void {
      const pauseMs = before ? Math.min(before.pauseMs * 2, longestPauseMs) : troubleSeconds * 1000
      rests.set(name, { pauseMs, until: performance.now() + pauseMs })
      log.warn({ pauseMs }, 'the SMTP server is in trouble; pausing')
    },

    reset: (name: string) => rests.delete(name),
  }
}
