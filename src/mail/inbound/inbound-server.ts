import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import type { Keyring } from '../../domain/keyring.ts'
import type { Logger } from '../../log.ts'
import { openInboundReader, type InboundReader } from './inbound-reader.ts'
import { readInbound, type InboundMail } from './inbound.ts'

export interface InboundServerOptions {
  host: string
  port: number
  keyring: Keyring
  log: Logger
  /** Default: a thread of this server's own. */
  reader?: InboundReader
  /** Resolves once what came in is on record; a rejection asks the sender to come again. */
  receive: (mail: Exclude<InboundMail, { kind: 'ignored' }>) => Promise<void>
}

export type InboundServer = Awaited<ReturnType<typeof startInboundServer>>

/** A report returns headers, seldom a whole mail of ours; more than this is not for us. */
const largestBytes = 2_000_000
const mostConnections = 20

/** How a check of the installation tells this server from another. */
export const inboundBanner = 'returns only'

/**
 * Listens for what comes back: behind Postfix or any other server, by SMTP or LMTP. One recipient per message, so the
 * two differ in their greeting alone. What is not under our seal is taken, logged and forgotten.
 */
export async function startInboundServer(options: InboundServerOptions) {
  const { log, reader = openInboundReader() } = options
  const server = new SMTPServer({
    name: 'depeche',
    banner: inboundBanner,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: largestBytes,
    maxClients: mostConnections,
    socketTimeout: 60_000,
    disableReverseLookup: true,
    onConnect(session, callback) {
      acceptLhlo(server, session)
      callback()
    },
    onRcptTo(_address, session, callback) {
      // The sender comes again with the others, one by one.
      if (session.envelope.rcptTo.length > 0) callback(refusal(452, 'one recipient at a time'))
      else callback()
    },
    onData(stream, session, callback) {
      takeMail(stream, session).then(
        (isTaken) => {
          callback(isTaken ? null : refusal(552, 'larger than any report'))
        },
        (error: unknown) => {
          log.warn({ reason: String(error) }, 'inbound mail not recorded; the sender comes again')
          callback(refusal(451, 'try again later'))
        },
      )
    },
  })
  const takeMail = async (stream: Readable & { sizeExceeded?: boolean }, session: SMTPServerSession) => {
    const raw = await readBounded(stream)
    if (raw === undefined) return false
    const { mailFrom, rcptTo } = session.envelope
    const envelope = { from: mailFrom === false ? '' : mailFrom.address, to: rcptTo[0]?.address ?? '' }
    const mail = await readInbound(raw, envelope, options.keyring, reader.read)
    if (mail.kind === 'ignored') log.info({ why: mail.why }, 'inbound mail ignored')
    else await options.receive(mail)
    return true
  }
  server.on('error', (error) => {
    log.warn({ reason: error.message }, 'inbound mail connection failed')
  })
  const listening = server.listen(options.port, options.host)
  await once(listening, 'listening')
  const address = listening.address()
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(resolve)
      })
      await reader.close()
    },
  }
}

/** Undefined past the limit: the rest is read and dropped. */
async function readBounded(stream: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size <= largestBytes) chunks.push(chunk)
    else chunks.length = 0
  }
  return size <= largestBytes ? Buffer.concat(chunks) : undefined
}

/** LMTP (RFC 2033) opens with LHLO, which smtp-server knows only where it speaks nothing else. */
function acceptLhlo(server: SMTPServer, session: SMTPServerSession): void {
  const connections = server as unknown as { connections: Set<Record<string, unknown> & { id: string }> }
  for (const connection of connections.connections) {
    if (connection.id === session.id) connection['handler_LHLO'] = connection['handler_EHLO']
  }
}

const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode })
