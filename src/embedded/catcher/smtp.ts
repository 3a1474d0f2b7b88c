import { buffer } from 'node:stream/consumers'
import { simpleParser, type AddressObject } from 'mailparser'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import { endingMs } from '../../lifecycle.ts'
import type { Mailbox } from './mailbox.ts'

const mebibyte = 1024 * 1024

/**
 * An SMTP server that takes every mail for every address and puts it into the mailbox. It offers what a good
 * provider offers (8BITMIME, SMTPUTF8, PIPELINING, DSN), but neither TLS nor a login: it listens to this machine alone.
 */
export function createCatcher(mailbox: Mailbox): SMTPServer {
  return new SMTPServer({
    banner: 'Dépêche mail catcher',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    hideDSN: false,
    size: 30 * mebibyte,
    maxClients: 200,
    // How long close() waits for conversations in flight.
    closeTimeout: endingMs.catcher,
    onData(stream, session, callback) {
      receive(mailbox, stream, session).then(
        () => {
          callback(null, 'caught')
        },
        (error: unknown) => {
          callback(
            Object.assign(new Error(messageOf(error)), { responseCode: stream.sizeExceeded ? 552 : 451 }),
          )
        },
      )
    },
  })
}

async function receive(mailbox: Mailbox, stream: SMTPServerDataStream, { envelope }: SMTPServerSession) {
  const raw = await buffer(stream)
  if (stream.sizeExceeded) throw new Error('The mail is larger than 30 MiB.')
  const headers = await simpleParser(headOf(raw))
  await mailbox.put(raw, {
    envelope: {
      from: envelope.mailFrom ? envelope.mailFrom.address : '',
      to: envelope.rcptTo.map((recipient) => recipient.address),
    },
    from: headers.from?.text ?? '',
    to: textOf(headers.to),
    subject: headers.subject ?? '',
  })
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const textOf = (to: AddressObject | AddressObject[] | undefined): string =>
  [to ?? []]
    .flat()
    .map(({ text }) => text)
    .join(', ')

/** Up to the empty line: the body of a large mail need not be parsed to list it. */
function headOf(raw: Buffer): Buffer {
  const end = raw.indexOf('\r\n\r\n')
  return end === -1 ? raw : raw.subarray(0, end + 4)
}
