import type { Logger } from '../log.ts'
import { onceAMinute } from '../domain/once-a-minute.ts'

/** Says that the queue is in trouble. */
export type FaultLog = (error: unknown, sentence: string, fields?: Record<string, unknown>) => void

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
  const mayBeSaid = onceAMinute()
  return (error, sentence, fields) => {
    const cause = causeOf(error)
    if (mayBeSaid(cause))
      log.warn({ ...fields, cause, reason: (error as Error).message.slice(0, 200) }, sentence)
  }
}
