import { minuteMs } from './time.ts'

/** Whether something may be said: the first time, and then once a minute while it lasts, each cause by itself. */
export function onceAMinute(): (cause: string) => boolean {
  const saidAt = new Map<string, number>()
  return (cause) => {
    const now = performance.now()
    if (now - (saidAt.get(cause) ?? -Infinity) < minuteMs) return false
    saidAt.set(cause, now)
    return true
  }
}
