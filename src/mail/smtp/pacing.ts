/** Gives back what was taken. */
export type Release = () => void

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
  const wait = (signal: AbortSignal | undefined) =>
    new Promise<Release | undefined>((resolve) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(enter), 1)
        resolve(undefined)
      }
      const enter = () => {
        signal?.removeEventListener('abort', leave)
        resolve(release)
      }
      waiting.push(enter)
      signal?.addEventListener('abort', leave, { once: true })
    })

  /** @returns undefined where the signal came first */
  const takeUnless = async (signal?: AbortSignal): Promise<Release | undefined> => {
    if (signal?.aborted) return undefined
    if (free === 0) return wait(signal)
    free--
    return release
  }

  return {
    takeUnless,
    take: async (): Promise<Release> => (await takeUnless()) ?? release,
    async allFree(): Promise<void> {
      if (free < size) await new Promise<void>((resolve) => freed.push(resolve))
    },
  }
}
