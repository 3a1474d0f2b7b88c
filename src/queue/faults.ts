import type { Logger } from '../log.ts'

/** Says that the queue is in trouble. */
export type FaultLog = (error: unknown, sentence: string, fields?: Record<string, unknown>) => void

const pauseMs = 60_000

/** A word of the server (`READONLY`), of the system (`ECONNREFUSED`), or what was said without numbers. */
export function causeOf(error: unknown): string {
  const { name, code, message, lastNodeError } = error as Error & { code?: string; lastNodeError?: Error }
  if (lastNodeError) return causeOf(lastNodeError)
  return (
    code ??
    (name === 'ReplyError' ? /^[A-Z]+/.exec(message)?.[0] : undefined) ??
    message.replaceAll(/\d+/g, '…')
  )
}

/**
 * Each cause is said at once, and then once a minute while it lasts: a process has dozens of connections to the queue, and
 * all of them meet it, again and again.
 */
export function createFaultLog(log: Pick<Logger, 'warn'>): FaultLog {
  const saidAt = new Map<string, number>()
  return (error, sentence, fields) => {
    const cause = causeOf(error)
    const now = performance.now()
    if (now - (saidAt.get(cause) ?? -Infinity) < pauseMs) return
    saidAt.set(cause, now)
    log.warn({ ...fields, cause, reason: (error as Error).message.slice(0, 200) }, sentence)
  }
}
