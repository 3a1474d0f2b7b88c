/** At most `size` holders at once, in the order they came. */
export function createSlots(size: number) {
  let free = size
  const waiting: (() => void)[] = []
  const freed: (() => void)[] = []
  const release = () => {
    const next = waiting.shift()
    if (next) {
      next()
      return
    }
    free++
    if (free === size) for (const resolve of freed.splice(0)) resolve()
  }
  return {
    async take(): Promise<() => void> {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      return release
    },
    async allFree(): Promise<void> {
      if (free < size) await new Promise<void>((resolve) => freed.push(resolve))
    },
  }
}

/** Spaces calls evenly, `rate` a second, without a burst after a pause. */
export function createPacer(rate: number | undefined): () => Promise<void> {
  if (rate === undefined) return () => Promise.resolve()
  let nextAt = 0
  return async () => {
    const now = performance.now()
    const waitMs = Math.max(0, nextAt - now)
    nextAt = Math.max(now, nextAt) + 1000 / rate
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}
