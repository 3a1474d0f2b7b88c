import type { SmtpStage } from './delivery.ts'

/** What a server or a report said. A report speaks of a message that was taken first and came back later. */
export interface Diagnosis {
  stage: SmtpStage | 'report'
  code?: number | undefined
  /** RFC 3463. */
  status?: string | undefined
  text: string
}
