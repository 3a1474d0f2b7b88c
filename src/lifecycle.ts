/** How long each end may take, in ms. Whoever waits for another gives it longer than it takes. */
export const endingMs = {
  /** Answers in flight of a web process; streams of events end at once. */
  answers: 25_000,
  /** All of a web process. */
  web: 35_000,
  /** Conversations in flight of the mail catcher. */
  catcher: 35_000,
  /** All of a worker process but its conversations in flight. */
  rounds: 30_000,
  /**
   * All of a worker process: its SMTP server may answer the end of a message after ten minutes (RFC 5321, 4.5.3.2.6).
   * Whoever cannot wait kills it, and risks a second copy.
   */
  worker: 11 * 60_000,
  /** What a supervisor adds before it kills a process that should have ended by itself. */
  grace: 5_000,
  /** What the embedded database waits for web and worker processes that have lost their supervisor. */
  keeper: 11 * 60_000 + 10_000,
} as const

export type Lifecycle = ReturnType<typeof createLifecycle>

/** Where a process stands between its start and its end. */
export function createLifecycle() {
  const end = new AbortController()
  let isReady = false
  return {
    state: (): 'starting' | 'ready' | 'draining' =>
      end.signal.aborted ? 'draining' : isReady ? 'ready' : 'starting',
    markReady() {
      isReady = true
    },
    /** From now on `draining` is aborted; there is no way back. */
    drain() {
      end.abort()
    },
    /** For what would otherwise never end by itself, such as a stream of events. */
    draining: end.signal,
  }
}
