import type { SendOutcome } from '../../domain/delivery/delivery.ts'
import { DomainError } from '../../errors.ts'
import type { OutgoingMail, Transport } from '../../mail/smtp/transport.ts'
import type { ClaimedDelivery } from '../../store/delivery/deliveries.ts'
import type { Lease } from '../../store/delivery/ledger.ts'
import type { ClaimedMail } from '../../store/delivery/outbox.ts'
import type { ReachPoint } from './kill-points.ts'

/** What a message is beside its recipient, who is always the row's address. */
export type WrittenMail = Pick<OutgoingMail, 'from' | 'message' | 'envelopeId'> & {
  /** Where it is to be kept. */
  messageId?: string
}

/** Writes one personal mail: everything but its recipient. */
export type MailWriter = (mail: ClaimedMail) => Promise<WrittenMail>

/** Reads a digest once, and then writes it for each of its subscribers. */
export type DigestWriter = (digestId: number) => Promise<(delivery: ClaimedDelivery) => Promise<WrittenMail>>

export interface Writers {
  /** For one run, which may use what it has read for a second. */
  mail: () => MailWriter
  digest: DigestWriter
}

/**
 * What became of one attempt. `unknown`: the database could not be asked for what the message holds, or whether it may
 * go, and nobody was mailed. `unwritten`: there was no message to send.
 */
export type AttemptOutcome = SendOutcome | { kind: 'unknown' | 'unwritten'; error: unknown }

interface AttemptOptions<Row extends Lease> {
  /** Whether the mail may go. */
  commit: (row: Row, messageId: string | undefined) => Promise<boolean>
  transport: Pick<Transport, 'send'>
  write: (row: Row) => Promise<WrittenMail>
  reach: ReachPoint
}

/**
 * Writes one mail and sends it, if it may still go when its body is with the server. Nothing is said to the server until
 * `before` is over.
 */
export function createAttempt<Row extends Lease & { address: string }>(
  options: AttemptOptions<Row>,
): (row: Row, before: Promise<void>) => Promise<AttemptOutcome> {
  const { commit, transport, write, reach } = options
  const askBeforeFinalDot = async (row: Row, messageId: string | undefined): Promise<boolean> => {
    reach('mid-body')
    const isGranted = await commit(row, messageId)
    reach('after-committing')
    if (isGranted) {
      afterFinalDot(() => {
        reach('after-dot')
      })
    }
    return isGranted
  }

  return async (row, before) => {
    const gate = { hasFailed: false }
    try {
      const { messageId, ...written } = await write(row)
      const beforeFinalDot = () =>
        askBeforeFinalDot(row, messageId).catch((error: unknown) => {
          gate.hasFailed = true
          throw error
        })
      await before
      reach('before-mail')
      return await transport.send({ ...written, to: row.address, beforeFinalDot })
    } catch (error) {
      const isUnavailable = error instanceof DomainError && error.kind === 'unavailable'
      return { kind: gate.hasFailed || isUnavailable ? 'unknown' : 'unwritten', error }
    }
  }
}

/** The dot is written before the event loop turns, and no reply can have been read by then. */
const afterFinalDot = (work: () => void): void => {
  setImmediate(work)
}
