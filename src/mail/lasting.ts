/**
 * What is made once and then kept. Where making it fails, everyone is told so for as long as `retryMs`, and whoever asks
 * after that begins anew: a failure is not kept for good.
 */
export function lasting<T>(make: () => Promise<T>, retryMs: number) {
  let made: Promise<T> | undefined
  let failedAt: number | undefined
  return {
    get(): Promise<T> {
      const isOver = failedAt !== undefined && performance.now() - failedAt >= retryMs
      if (made && !isOver) return made
      const trying = make()
      made = trying
      trying.then(
        () => (failedAt = undefined),
        () => (failedAt = performance.now()),
      )
      // Until this one ends nobody begins another, and `hasFailed` tells of the one before.
      if (isOver) failedAt = Infinity
      return trying
    },
    hasFailed: () => failedAt !== undefined,
  }
}
