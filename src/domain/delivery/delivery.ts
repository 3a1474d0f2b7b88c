/** The nine states of one mail to one person. At every moment the audience is their sum. */
export const deliveryStates = [
  'pending',
  'claimed',
  'committing',
  'accepted',
  'deferred',
  'rejected',
  'uncertain',
  'skipped',
  'expired',
] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** The reason of an uncertain delivery that the desk has decided to leave. */
export const keptReason = 'left'

/** The reason of a delivery that waits for its day; of a skipped one, that its reader waits so for an earlier digest. */
export const spreadReason = 'spread'

/** Of a skipped one: its reader has the same letter from another newsletter. */
export const hasCopyReason = 'has_copy'

/** What the desk may decide about deliveries in doubt. */
export const doubtDecisions = ['resend', 'leave'] as const
export type DoubtDecision = (typeof doubtDecisions)[number]

/** How far an SMTP conversation had come. */
export type SmtpStage = 'connect' | 'mail' | 'rcpt' | 'data'

/** What became of one attempt, as the transport saw it. */
export type SendOutcome =
  /** 250 after the final dot. */
  | { kind: 'accepted'; answer: string }
  /** `beforeFinalDot` said no: the message was cut off and nobody was mailed. */
  | { kind: 'stopped' }
  /** The server said no, or the conversation ended before the message was whole: surely not accepted. */
  | {
      kind: 'refused'
      stage: SmtpStage
      code: number | undefined
      status: string | undefined
      answer: string
    }
  /** The message was read to its end and no answer came. */
  | { kind: 'ambiguous'; answer: string }

export type Refused = Extract<SendOutcome, { kind: 'refused' }>
