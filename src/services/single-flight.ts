/**
 * Whoever asks while an answer is on its way gets that one. For what every request reads: under load many wait for the
 * same rows, and nobody sees what is older than the moment they asked by more than the read takes.
 */
export function singleFlight<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () =>
    (running ??= read().finally(() => {
      running = undefined
    }))
}
