import type { Refused, SmtpStage } from '../../domain/delivery/delivery.ts'
import { toLowerAddress } from '../../domain/subscribers/address.ts'
import type { SmtpReply } from './smtp-session.ts'

const longestAnswer = 500

/**
 * A server's answer as it may be stored: short, on one line, without the recipient's address, which many servers
 * repeat and which must not outlive the person's erasure.
 */
export function storableAnswer(answer: string, address: string): string {
  // Control characters too: a database that takes no NUL would refuse the outcome for ever.
  const line = answer.replace(/[\s\p{C}]+/gu, ' ').trim()
  // Each character keeps its place.
  const folded = toLowerAddress(line)
  const needle = toLowerAddress(address)
  let stored = ''
  let from = 0
  for (let at = folded.indexOf(needle); at >= 0 && needle !== ''; at = folded.indexOf(needle, from)) {
    stored += `${line.slice(from, at)}[address]`
    from = at + needle.length
  }
  return (stored + line.slice(from)).slice(0, longestAnswer)
}

/** The enhanced status of an answer (RFC 3463), such as 5.1.1: in any of its lines, and no part of an IP address. */
export const statusOf = (answer: string): string | undefined =>
  /^\d{3}[ -](?:.{0,40}?[\s#(])?([245]\.\d{1,3}\.\d{1,3})\b(?!\.\d)/m.exec(answer)?.[1]

/** The server's no, where it said one: anything below 400 in its place is no answer to what was asked. */
export function refusedBy(reply: SmtpReply, stage: SmtpStage, address: string): Refused {
  const code = reply.code >= 400 ? reply.code : undefined
  const answer = storableAnswer(reply.text, address)
  return { kind: 'refused', stage, code, status: statusOf(reply.text), answer }
}

/** Surely not sent, and the server gave no reason. */
export const brokenOff = (reason: string, stage: SmtpStage): Refused => ({
  kind: 'refused',
  stage,
  code: undefined,
  status: undefined,
  answer: reason,
})
