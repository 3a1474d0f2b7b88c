import type { ClaimedDelivery } from '../../store/delivery/deliveries.ts'
import type { ClaimedMail } from '../../store/delivery/outbox.ts'
import type { WrittenMail } from './send-one.ts'

/** Writes one personal mail: everything but its recipient. */
export type MailWriter = (mail: ClaimedMail) => Promise<WrittenMail>

/** Reads a digest once, and then writes it for each of its subscribers. */
export type DigestWriter = (digestId: number) => Promise<(delivery: ClaimedDelivery) => Promise<WrittenMail>>

export interface Writers {
  mail: MailWriter
  digest: DigestWriter
}
