/** One recipient's block of a delivery report. */
export interface ReportedRecipient {
  action?: string
  status?: string
  diagnostic?: string
  original?: string
  final?: string
}

interface ReportOptions {
  recipients?: ReportedRecipient[]
  envelopeId?: string
  /** The returned header of our message. */
  returned?: string
  isGlobal?: boolean
  /** What the reporting server says in words. */
  text?: string
}

const crlf = (lines: (string | false)[]): Buffer =>
  Buffer.from(
    lines
      .filter((line) => line !== false)
      .join('\n')
      .replaceAll('\n', '\r\n'),
  )

/** A delivery report as Postfix writes it (RFC 3464). */
export function aDeliveryReport(options: ReportOptions = {}): Buffer {
  const {
    recipients = [{}],
    envelopeId,
    returned = 'Subject: Bonjour\n',
    isGlobal = false,
    text = 'I am sorry.',
  } = options
  const addressType = isGlobal ? 'utf-8' : 'rfc822'
  return crlf([
    'From: MAILER-DAEMON@mx.example (Mail Delivery System)',
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="B"',
    '',
    `--B\nContent-Type: text/plain\n\n${text}\n`,
    `--B\nContent-Type: message/${isGlobal ? 'global-delivery-status' : 'delivery-status'}\n`,
    'Reporting-MTA: dns; mx.example',
    envelopeId !== undefined && `Original-Envelope-Id: ${envelopeId}`,
    ...recipients.flatMap((recipient) => [
      '',
      `Final-Recipient: ${addressType}; ${recipient.final ?? 'reader@reader.example'}`,
      recipient.original !== undefined && `Original-Recipient: ${addressType};${recipient.original}`,
      `Action: ${recipient.action ?? 'failed'}`,
      `Status: ${recipient.status ?? '5.1.1'}`,
      `Diagnostic-Code: smtp; ${recipient.diagnostic ?? '550 5.1.1 <reader@reader.example>: unknown'}`,
    ]),
    '',
    `--B\nContent-Type: ${isGlobal ? 'message/global-headers' : 'text/rfc822-headers'}\n\n${returned}`,
    '--B--\n',
  ])
}

/** A feedback report (RFC 5965), its recipient redacted as providers do. */
export const aComplaint = (returned: string, type = 'abuse', field = 'Version: 1'): Buffer =>
  crlf([
    'From: feedback@provider.example',
    'Subject: complaint',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary="B"',
    '',
    '--B\nContent-Type: text/plain\n\nThis is a complaint.\n',
    `--B\nContent-Type: message/feedback-report\n\nFeedback-Type: ${type}\nUser-Agent: Provider/1\n${field}\nOriginal-Rcpt-To: redacted@provider.example\n`,
    `--B\nContent-Type: message/rfc822\n\n${returned}\n\nbody`,
    '--B--\n',
  ])

/** A report whose fields are written out, for what servers make of RFC 3464. */
export const aReportOf = (fields: string, text = 'Delivery failed.'): Buffer =>
  crlf([
    'From: MAILER-DAEMON@mx.example',
    'Subject: Undelivered Mail',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="B"',
    '',
    `--B\nContent-Type: text/plain\n\n${text}\n`,
    `--B\nContent-Type: message/delivery-status\n\n${fields}\n`,
    '--B--\n',
  ])

/** A report that is a text and nothing more. */
export const aPlainReport = (mail: { from: string; subject: string; text: string }): Buffer =>
  crlf([
    `From: ${mail.from}`,
    `Subject: ${mail.subject}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    mail.text,
  ])
