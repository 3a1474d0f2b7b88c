/** Where a process stands between its start and its end. */
export interface Lifecycle {
  state(): 'starting' | 'ready' | 'draining'
  markReady(): void
  /** From now on `draining` is aborted; there is no way back. */
  drain(): void
  /** For what would otherwise never end by itself, such as a stream of events. */
  draining: AbortSignal
}

export function createLifecycle(): Lifecycle {
  const end = new AbortController()
  let isReady = false
  return {
    state: () => (end.signal.aborted ? 'draining' : isReady ? 'ready' : 'starting'),
    markReady() {
      isReady = true
    },
    drain() {
      end.abort()
    },
    draining: end.signal,
  }
}
