import type { Refused, SendOutcome, SmtpStage } from '../../domain/delivery/delivery.ts'
import { brokenOff, refusedBy, storableAnswer } from './server-answer.ts'
import type { SmtpReply, SmtpSession } from './smtp-session.ts'
import { finalDot, stuffDots } from './wire.ts'

export interface OutgoingMail {
  /** The return path; empty for none. */
  from: string
  /** One address, exactly as stored. */
  to: string
  /** The finished, signed bytes. */
  message: readonly Buffer[]
  /** Asked after the last body byte; false cuts the message off and nobody is mailed. */
  beforeFinalDot: () => Promise<boolean>
  /** Comes back in a delivery report as Original-Envelope-Id, where the server supports DSN (RFC 3461). */
  envelopeId?: string | undefined
}

export interface ConversationLimits {
  /** Each reply up to the 354. */
  commandMs: number
  /** Writing the message; the database's answer to `beforeFinalDot` is not counted. */
  bodyMs: number
  /** RFC 5321, 4.5.3.2.6: a client that gives up on the final reply too early makes duplicates. */
  finalDotMs: number
}

export interface ConversationResult {
  outcome: SendOutcome
  /** The connection ended before the server saw more of this message than its envelope. */
  neverStarted: boolean
}

const nonAscii = /[^\0-\x7f]/

/** Hands one message to one server. A session that has not ended afterwards is ready for the next. */
export async function converse(
  session: SmtpSession,
  mail: OutgoingMail,
  limits: ConversationLimits,
): Promise<ConversationResult> {
  if (nonAscii.test(mail.to) && !session.offers('SMTPUTF8')) {
    const answer = 'the SMTP server does not offer SMTPUTF8, which this address needs'
    const outcome = { kind: 'refused', stage: 'rcpt', code: undefined, status: '5.6.7', answer } as const
    return { outcome, neverStarted: false }
  }
  const body = stuffDots(mail.message)
  const refusal = await openTransaction(session, mail, limits)
  if (refusal) {
    const isOver = refusal.code === undefined || refusal.code === 421
    return { outcome: refusal, neverStarted: isOver && !session.ended?.isTimeout }
  }
  return { outcome: await handOver(session, { ...mail, message: body }, limits), neverStarted: false }
}

/**
 * MAIL, RCPT and DATA, in one go where the server allows it (RFC 2920).
 * @returns undefined where the server waits for the message
 */
async function openTransaction(
  session: SmtpSession,
  mail: OutgoingMail,
  limits: ConversationLimits,
): Promise<Refused | undefined> {
  const commands = commandsOf(session, mail)
  const isPipelined = session.offers('PIPELINING')
  if (isPipelined) session.write(commands.map(({ line }) => line).join(''))
  let refusal: Refused | undefined
  let reply: SmtpReply | undefined
  for (const { stage, line } of commands) {
    if (!isPipelined) session.write(line)
    reply = await session.reply(limits.commandMs)
    if (!reply) break
    if (!isYes(reply, stage)) refusal ??= refusedBy(reply, stage, mail.to)
    // Nothing was sent after a refusal, or nothing will be answered.
    if (refusal && (!isPipelined || reply.code === 421)) break
  }
  if (!refusal) return session.ended && brokenOff(session.ended.reason, 'connect')
  // A server that waits for a message to nobody is not given one.
  if (reply && reply.code >= 400 && reply.code !== 421) await reset(session, limits)
  else session.close()
  return refusal
}

/** Sender and recipient, and no message. */
export async function ask(
  session: SmtpSession,
  { from, to }: Pick<OutgoingMail, 'from' | 'to'>,
  limits: ConversationLimits,
): Promise<boolean> {
  for (const line of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`]) {
    session.write(`${line}\r\n`)
    const reply = await session.reply(limits.commandMs)
    if (!reply || !isYes(reply, 'rcpt')) return false
  }
  return true
}

const isYes = (reply: SmtpReply, stage: SmtpStage): boolean =>
  Math.floor(reply.code / 100) === (stage === 'data' ? 3 : 2)

/** A refused message leaves its transaction open. */
async function reset(session: SmtpSession, limits: ConversationLimits): Promise<void> {
  session.write('RSET\r\n')
  const reply = await session.reply(limits.commandMs)
  if (!reply || reply.code >= 300) session.close()
}

/** The message, the question, the final dot, and the answer. */
async function handOver(
  session: SmtpSession,
  mail: OutgoingMail,
  limits: ConversationLimits,
): Promise<SendOutcome> {
  await session.writeAll(mail.message, limits.bodyMs)
  const early = interruption(session, mail.to)
  if (early) return early
  if (!(await mayEnd(session, mail))) return { kind: 'stopped' }
  const late = interruption(session, mail.to)
  if (late) return late
  session.write(finalDot)
  const reply = await session.reply(limits.finalDotMs)
  if (!reply || reply.code < 200 || (reply.code >= 300 && reply.code < 400)) {
    session.close()
    return { kind: 'ambiguous', answer: reply ? storableAnswer(reply.text, mail.to) : endOf(session) }
  }
  if (reply.code < 300) return { kind: 'accepted', answer: storableAnswer(reply.text, mail.to) }
  if (reply.code === 421) session.close()
  return refusedBy(reply, 'data', mail.to)
}

/** An answer before the end of the message is no promise for it. */
function interruption(session: SmtpSession, address: string): Refused | undefined {
  const reply = session.takeEarlyReply()
  if (!reply && !session.ended) return undefined
  session.close()
  return reply ? refusedBy(reply, 'data', address) : brokenOff(endOf(session), 'data')
}

const endOf = (session: SmtpSession): string => session.ended?.reason ?? ''

/** Without a yes the message is cut off, so that the server has nothing to deliver. */
async function mayEnd(session: SmtpSession, mail: OutgoingMail): Promise<boolean> {
  let isGranted = false
  try {
    isGranted = await mail.beforeFinalDot()
  } finally {
    if (!isGranted) session.close()
  }
  return isGranted
}

function commandsOf(session: SmtpSession, mail: OutgoingMail): { stage: SmtpStage; line: string }[] {
  const isInternational = nonAscii.test(mail.to)
  const hasDsn = mail.envelopeId !== undefined && session.offers('DSN')
  const size = mail.message.reduce((sum, segment) => sum + segment.length, 0)
  const mailParameters = [
    session.offers('SIZE') && `SIZE=${size}`,
    isInternational && 'SMTPUTF8',
    isInternational && session.offers('8BITMIME') && 'BODY=8BITMIME',
    hasDsn && `RET=HDRS ENVID=${xtext(mail.envelopeId ?? '')}`,
  ]
  const rcptParameters = [
    hasDsn && 'NOTIFY=FAILURE,DELAY',
    // RFC 6533 has its own address type for the rest.
    hasDsn && !isInternational && `ORCPT=rfc822;${xtext(mail.to)}`,
  ]
  const line = (...words: (string | false)[]) => `${words.filter(Boolean).join(' ')}\r\n`
  return [
    { stage: 'mail', line: line(`MAIL FROM:<${mail.from}>`, ...mailParameters) },
    { stage: 'rcpt', line: line(`RCPT TO:<${mail.to}>`, ...rcptParameters) },
    { stage: 'data', line: line('DATA') },
  ]
}

/** RFC 3461, section 4. */
const xtext = (text: string): string =>
  text.replace(
    /[^!-*,-<>-~]/g,
    (character) => `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
