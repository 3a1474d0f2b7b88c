import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SendOutcome } from '../domain/delivery.ts'
import { converse, offers, type ConversationLimits, type OutgoingMail } from './conversation.ts'
import { createPacer, createSlots } from './pacing.ts'
import { outcomeOfError, type ConversationError } from './send-outcome.ts'
import { readSmtpUrl, type SmtpServer } from './smtp-url.ts'

export type { OutgoingMail } from './conversation.ts'

export interface TransportOptions {
  /** See `readSmtpUrl`. */
  smtpUrl: string
  /** Conversations at once; a message beyond them waits for its turn. */
  connections: number
  /** Messages a second; undefined is unlimited. */
  rate?: number | undefined
  /** Tests shorten them. */
  limits?: Partial<TransportLimits> | undefined
}

export interface TransportLimits extends ConversationLimits {
  /** Connecting, greeting, EHLO, STARTTLS and sign-in together. */
  openMs: number
  idleMs: number
  messagesPerConnection: number
}

export interface Transport {
  /**
   * One attempt to hand one message to the server; never retried once a byte of it was read.
   * @throws whatever `beforeFinalDot` threw; the message was then cut off and nobody was mailed
   */
  send(mail: OutgoingMail): Promise<SendOutcome>
  /** Whether the server takes addresses with non-ASCII local parts. @throws when it cannot be reached */
  hasSmtpUtf8(): Promise<boolean>
  /** Lets conversations in flight finish, then closes all connections. */
  close(): Promise<void>
}

const defaultLimits: TransportLimits = {
  openMs: 60_000,
  commandMs: 30_000,
  bodyMs: 180_000,
  finalDotMs: 600_000,
  idleMs: 20_000,
  messagesPerConnection: 500,
}

const singleAddress = /^[^\s<>(),:;@[\]\\"\p{C}\p{Z}]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/iu

/** An address string is a list to many programs; what reaches RCPT is one plain mailbox or nothing. */
function assertSingleAddress(address: string): void {
  if (!singleAddress.test(address) || address.includes('..') || Buffer.byteLength(address) > 254) {
    throw new Error('refusing to mail what is not exactly one plain address')
  }
}

interface Connection {
  smtp: SMTPConnection
  messages: number
  idleTimer: NodeJS.Timeout | undefined
}

/** The conversations with one SMTP server. Constructing is not connecting. */
export function createTransport(options: TransportOptions): Transport {
  const server = readSmtpUrl(options.smtpUrl)
  const limits = { ...defaultLimits, ...options.limits }
  const waitForRate = createPacer(options.rate)
  const slots = createSlots(options.connections)
  const idle: Connection[] = []
  let isClosed = false

  const drop = (connection: Connection) => {
    clearTimeout(connection.idleTimer)
    const index = idle.indexOf(connection)
    if (index >= 0) idle.splice(index, 1)
    connection.smtp.close()
  }
  const open = async (): Promise<Connection> => {
    const connection: Connection = { smtp: await openSmtp(server, limits), messages: 0, idleTimer: undefined }
    connection.smtp.once('end', () => {
      drop(connection)
    })
    return connection
  }
  const takeIdle = (): Connection | undefined => {
    const connection = idle.pop()
    clearTimeout(connection?.idleTimer)
    return connection
  }
  const giveBack = (connection: Connection) => {
    if (connection.smtp.destroyed) return
    if (isClosed || connection.messages >= limits.messagesPerConnection) {
      sayGoodbye(connection.smtp)
      return
    }
    connection.idleTimer = setTimeout(() => {
      idle.splice(idle.indexOf(connection), 1)
      sayGoodbye(connection.smtp)
    }, limits.idleMs).unref()
    idle.push(connection)
  }

  const attempt = async (mail: OutgoingMail): Promise<SendOutcome> => {
    for (;;) {
      const reused = takeIdle()
      let connection: Connection
      try {
        connection = reused ?? (await open())
      } catch (error) {
        return outcomeOfError(error as ConversationError, {
          isWhole: false,
          hasBody: false,
          address: mail.to,
        })
      }
      const result = await converse(connection.smtp, mail, limits)
      connection.messages++
      if (result.isReusable) giveBack(connection)
      else drop(connection)
      // A server may end an idle connection at any time. Not a byte of the message was read, so a fresh
      // connection cannot make a second copy; and each turn of the loop uses up one idle connection.
      if (!(reused && result.neverStarted)) return result.outcome
    }
  }

  return {
    async send(mail) {
      if (isClosed) throw new Error('the transport is closed')
      assertSingleAddress(mail.to)
      if (mail.from !== '') assertSingleAddress(mail.from)
      const release = await slots.take()
      try {
        await waitForRate()
        return await attempt(mail)
      } finally {
        release()
      }
    },
    async hasSmtpUtf8() {
      const release = await slots.take()
      try {
        const connection = takeIdle() ?? (await open())
        giveBack(connection)
        return offers(connection.smtp, 'SMTPUTF8')
      } finally {
        release()
      }
    },
    async close() {
      isClosed = true
      for (const connection of idle.splice(0)) {
        clearTimeout(connection.idleTimer)
        sayGoodbye(connection.smtp)
      }
      await slots.allFree()
    },
  }
}

function sayGoodbye(smtp: SMTPConnection): void {
  smtp.quit()
  setTimeout(() => {
    smtp.close()
  }, 5_000).unref()
}

function openSmtp(server: SmtpServer, limits: TransportLimits): Promise<SMTPConnection> {
  const smtp = new SMTPConnection({
    host: server.host,
    port: server.port,
    name: server.name,
    secure: server.tls === 'implicit',
    requireTLS: server.tls === 'required',
    opportunisticTLS: server.tls === 'opportunistic',
    ignoreTLS: server.tls === 'off',
    // Opportunistic encryption hides mail from onlookers; it never claimed to know the server (RFC 7435).
    tls: { rejectUnauthorized: server.tls !== 'opportunistic', minVersion: 'TLSv1.2' },
    connectionTimeout: limits.openMs,
    greetingTimeout: limits.openMs,
    // Ours come first; this one is the last resort for a peer that falls silent in a way we did not foresee.
    socketTimeout: limits.finalDotMs + 60_000,
    // Without this a connection that is cut off would end politely, with whatever is still in its buffers.
    socketCloseTimeout: 0,
  })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(new Error('the server did not complete its welcome in time'))
    }, limits.openMs)
    const fail = (error: Error) => {
      clearTimeout(timer)
      // Before closing: that ends in another, poorer error.
      reject(error)
      smtp.close()
    }
    const ready = () => {
      clearTimeout(timer)
      resolve(smtp)
    }
    smtp.on('error', fail)
    smtp.once('end', () => {
      fail(new Error('the server closed the connection before its welcome was complete'))
    })
    smtp.connect((error) => {
      if (error) fail(error)
      else if (server.auth) {
        smtp.login(server.auth, (refusal) => {
          if (refusal) fail(refusal)
          else ready()
        })
      } else ready()
    })
  })
}
