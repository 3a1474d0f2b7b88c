/**
 * Whoever asks while an answer is on its way gets that one. For what every request reads: under load many wait for the
 * same rows, and nobody sees what is older than the moment they asked by more than the read takes. How it is read, the
 * first to ask says for all.
 */
export function singleFlight<Key extends [key?: number, ...how: unknown[]], T>(
  read: (...key: Key) => Promise<T>,
): (...key: Key) => Promise<T> {
  const running = new Map<number | undefined, Promise<T>>()
  return (...key) => {
    const answer = running.get(key[0]) ?? read(...key).finally(() => running.delete(key[0]))
    running.set(key[0], answer)
    return answer
  }
}
