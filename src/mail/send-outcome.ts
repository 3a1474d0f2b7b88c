import type { SendOutcome, SmtpStage } from '../domain/delivery.ts'

/** The parts of a failed conversation that decide what became of the message. */
export interface ConversationError {
  message: string
  /** The command that was answered or awaited, as nodemailer names it. */
  command?: string | undefined
  response?: string | undefined
  responseCode?: number | undefined
}

const stageOfCommand: Record<string, SmtpStage> = {
  'MAIL FROM': 'mail',
  'RCPT TO': 'rcpt',
  DATA: 'data',
}

const longestAnswer = 500

/**
 * A server's answer as it may be stored: short, on one line, without the recipient's address, which many servers
 * repeat and which must not outlive the person's erasure.
 */
export function storableAnswer(answer: string, address: string): string {
  const line = answer.replace(/\s+/g, ' ').trim()
  const folded = line.toLowerCase()
  const needle = address.toLowerCase()
  let stored = ''
  let from = 0
  for (let at = folded.indexOf(needle); at >= 0 && needle !== ''; at = folded.indexOf(needle, from)) {
    stored += `${line.slice(from, at)}[address]`
    from = at + needle.length
  }
  return (stored + line.slice(from)).slice(0, longestAnswer)
}

/** The enhanced status of an answer (RFC 3463), such as 5.1.1. */
export const statusOf = (answer: string): string | undefined =>
  /^\d{3}[ -](?:.{0,40}?[\s#(])?([245]\.\d{1,3}\.\d{1,3})\b/.exec(answer)?.[1]

/**
 * What a conversation that failed means for its message. A 4xx or 5xx is a refusal even after the final dot; without
 * one, everything depends on whether the server may have seen the message's end.
 */
export function outcomeOfError(
  error: ConversationError,
  at: { isWhole: boolean; hasBody: boolean; address: string },
): SendOutcome {
  const answer = storableAnswer(error.response ?? error.message, at.address)
  const code = error.responseCode !== undefined && error.responseCode >= 400 ? error.responseCode : undefined
  if (code === undefined && at.isWhole) return { kind: 'ambiguous', answer }
  return {
    kind: 'refused',
    stage: at.hasBody ? 'data' : (stageOfCommand[error.command ?? ''] ?? 'connect'),
    code,
    status: error.response === undefined ? undefined : statusOf(error.response),
    answer,
  }
}
