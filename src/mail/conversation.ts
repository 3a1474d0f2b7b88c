import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SendOutcome } from '../domain/delivery.ts'
import { MessageStream } from './message-stream.ts'
import { outcomeOfError, storableAnswer, type ConversationError } from './send-outcome.ts'

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

interface ConversationResult {
  outcome: SendOutcome
  isReusable: boolean
  /** The connection broke before the message was asked for. */
  neverStarted: boolean
}

const nonAscii = /[^\0-\x7f]/

/** nodemailer keeps the extensions of the last EHLO, and only for itself. */
export const offers = (smtp: SMTPConnection, extension: string): boolean =>
  (smtp as unknown as { _supportedExtensions: string[] })._supportedExtensions.includes(extension)

const timeLimitOf = { waiting: 'commandMs', body: 'bodyMs', gate: undefined, dot: 'finalDotMs' } as const

/** Hands one message to one server. The connection is ready for the next where the result says so. */
export async function converse(
  smtp: SMTPConnection,
  mail: OutgoingMail,
  limits: ConversationLimits,
): Promise<ConversationResult> {
  if (nonAscii.test(mail.to) && !offers(smtp, 'SMTPUTF8')) {
    const answer = 'the SMTP server does not offer SMTPUTF8, which this address needs'
    const outcome = { kind: 'refused', stage: 'rcpt', code: undefined, status: '5.6.7', answer } as const
    return { outcome, isReusable: true, neverStarted: false }
  }
  let timer: NodeJS.Timeout | undefined
  let timedOut = false
  const watch = () => {
    clearTimeout(timer)
    const limit = timeLimitOf[stream.stage]
    if (limit === undefined) return
    timer = setTimeout(() => {
      timedOut = true
      smtp.close()
      settle({ message: `no reply within ${limits[limit] / 1000} s` })
    }, limits[limit])
  }
  const stream = new MessageStream(mail.message, mail.beforeFinalDot, watch)
  let settle: (reply: Reply) => void = () => undefined
  const reply = await new Promise<Reply>((resolve) => {
    settle = resolve
    watch()
    smtp.send(envelopeOf(mail), stream, (error, info) => {
      resolve(error ?? { accepted: info.accepted, answer: info.response })
    })
  })
  clearTimeout(timer)
  stream.destroy()
  await stream.gateSettled
  const result = judge(reply, { smtp, stream, mail, timedOut })
  if (result.isReusable && result.outcome.kind === 'refused') result.isReusable = await reset(smtp, limits)
  return result
}

/** A refused message leaves its transaction open. */
const reset = (smtp: SMTPConnection, limits: ConversationLimits): Promise<boolean> =>
  new Promise((resolve) => {
    const settle = (isReset: boolean) => {
      clearTimeout(timer)
      smtp.off('end', onEnd)
      resolve(isReset)
    }
    const onEnd = () => {
      settle(false)
    }
    const timer = setTimeout(onEnd, limits.commandMs)
    smtp.once('end', onEnd)
    smtp.reset((error) => {
      settle(error === null)
    })
  })

type Reply = ConversationError | { accepted: string[]; answer: string }

function envelopeOf(mail: OutgoingMail) {
  return {
    from: mail.from === '' ? (false as const) : mail.from,
    to: [mail.to],
    size: mail.message.reduce((sum, segment) => sum + segment.length, 0),
    ...(mail.envelopeId !== undefined && {
      dsn: {
        envid: mail.envelopeId,
        ret: 'HDRS',
        notify: ['FAILURE', 'DELAY'],
        // RFC 6533 has its own address type for the rest.
        ...(!nonAscii.test(mail.to) && { orcpt: `rfc822;${mail.to}` }),
      },
    }),
  }
}

function judge(
  reply: Reply,
  at: { smtp: SMTPConnection; stream: MessageStream; mail: OutgoingMail; timedOut: boolean },
): ConversationResult {
  const { stream, mail } = at
  if (stream.gateError) {
    at.smtp.close()
    throw stream.gateError
  }
  if (stream.isStopped) return { outcome: { kind: 'stopped' }, isReusable: false, neverStarted: false }
  if ('accepted' in reply) {
    if (reply.accepted.length !== 1 || reply.accepted[0] !== mail.to) {
      throw new Error('the server was given another recipient than the stored one')
    }
    const answer = storableAnswer(reply.answer, mail.to)
    if (stream.isWhole)
      return { outcome: { kind: 'accepted', answer }, isReusable: true, neverStarted: false }
    // An answer before the end of the message is no promise for the message.
    const outcome = { kind: 'refused', stage: 'data', code: undefined, status: undefined, answer } as const
    return { outcome, isReusable: false, neverStarted: false }
  }
  const hasBody = stream.stage !== 'waiting'
  const outcome = outcomeOfError(reply, { isWhole: stream.isWhole, hasBody, address: mail.to })
  const wasAnswered = reply.responseCode !== undefined && reply.responseCode !== 421
  return {
    outcome,
    isReusable: wasAnswered && (!hasBody || stream.isWhole) && !at.smtp.destroyed,
    neverStarted: !hasBody && !wasAnswered && !at.timedOut,
  }
}
