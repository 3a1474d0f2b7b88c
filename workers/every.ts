import type { Logger } from '../src/log.ts'

/** Runs `work` at once and then again, `pauseMs` after each round has ended. A round that fails is logged. */
export function every(pauseMs: number, work: () => Promise<void>, log: Logger) {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const round = async () => {
    try {
      await work()
    } catch (error) {
      log.warn({ reason: String(error) }, 'a repeated task failed; trying again')
    }
    if (!isStopped) timer = setTimeout(start, pauseMs)
  }
  let running = Promise.resolve()
  const start = () => {
    running = round()
  }
  start()
  return {
    /** Resolves when the round under way has ended; no further one starts. */
    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}
