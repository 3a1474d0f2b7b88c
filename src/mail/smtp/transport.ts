import pLimit from 'p-limit'
import type { SendOutcome } from '../../domain/delivery/delivery.ts'
import { isMailbox } from '../../domain/subscribers/address.ts'
import {
  ask,
  converse,
  type ConversationLimits,
  type ConversationResult,
  type OutgoingMail,
} from './conversation.ts'
import { openSession, refusalOfOpening } from './open-session.ts'
import type { SmtpSession } from './smtp-session.ts'
import { readSmtpUrl } from './smtp-url.ts'

export type { OutgoingMail } from './conversation.ts'

export interface TransportOptions {
  /** See `readSmtpUrl`. */
  smtpUrl: string
  /** Conversations at once; a message beyond them waits for its turn. */
  connections: number
  /** Tests shorten them. */
  limits?: Partial<TransportLimits> | undefined
}

export interface TransportLimits extends ConversationLimits {
  /** Connecting, greeting, EHLO, STARTTLS and sign-in together. */
  openMs: number
  idleMs: number
  messagesPerConnection: number
}

/** Gives back what was taken. */
type Release = () => void

const defaultLimits: TransportLimits = {
  openMs: 60_000,
  commandMs: 30_000,
  bodyMs: 180_000,
  finalDotMs: 600_000,
  idleMs: 20_000,
  messagesPerConnection: 500,
}

/** Beside those of digests: personal mail never waits behind one. */
export const personalConnections = (connections: number): number => Math.max(2, Math.ceil(connections / 4))

/** An address string is a list to many programs; what reaches RCPT is one plain mailbox or nothing. */
function assertSingleAddress(address: string): void {
  if (!isMailbox(address)) {
    throw new Error('refusing to mail what is not exactly one plain address')
  }
}

interface Connection {
  session: SmtpSession
  messages: number
  idleTimer: NodeJS.Timeout | undefined
}

export type Transport = ReturnType<typeof createTransport>

/** The conversations with one SMTP server. Constructing is not connecting. */
export function createTransport(options: TransportOptions) {
  const server = readSmtpUrl(options.smtpUrl)
  const { maxMessages: messagesPerConnection = defaultLimits.messagesPerConnection } = server
  const limits = { ...defaultLimits, messagesPerConnection, ...options.limits }
  const slots = pLimit(options.connections)
  const turns = pLimit(options.connections)
  const idle: Connection[] = []
  let isClosed = false

  const forget = (connection: Connection) => {
    clearTimeout(connection.idleTimer)
    const index = idle.indexOf(connection)
    if (index >= 0) idle.splice(index, 1)
  }
  const open = async (): Promise<Connection> => {
    const session = await openSession(server, limits.openMs)
    const connection: Connection = { session, messages: 0, idleTimer: undefined }
    session.onceEnded(() => {
      forget(connection)
    })
    return connection
  }
  const takeIdle = (): Connection | undefined => {
    const connection = idle.pop()
    clearTimeout(connection?.idleTimer)
    return connection
  }
  const giveBack = (connection: Connection) => {
    const { session, messages } = connection
    if (session.ended) return
    if (isClosed || messages >= limits.messagesPerConnection) {
      session.quit()
      return
    }
    connection.idleTimer = setTimeout(() => {
      forget(connection)
      session.quit()
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
        return refusalOfOpening(error as Error, mail.to)
      }
      let result: ConversationResult
      try {
        result = await converse(connection.session, mail, limits)
      } finally {
        connection.messages++
        giveBack(connection)
      }
      // A server may end an idle connection at any time. Not a byte of the message was sent, so a fresh
      // connection cannot make a second copy; and each turn of the loop uses up one idle connection.
      if (!(reused && result.neverStarted)) return result.outcome
    }
  }

  return {
    /** Conversations at once. */
    connections: options.connections,

    /**
     * One attempt to hand one message to the server; never retried once a byte of it was sent.
     * @throws whatever `beforeFinalDot` threw; the message was then cut off and nobody was mailed
     */
    async send(mail: OutgoingMail): Promise<SendOutcome> {
      if (isClosed) throw new Error('the transport is closed')
      assertSingleAddress(mail.to)
      if (mail.from !== '') assertSingleAddress(mail.from)
      return slots(attempt, mail)
    },

    /**
     * Waits until a conversation may begin: for those who hold no mail while they wait. As many turns as connections, and
     * `send` does not ask for one.
     * @returns undefined where the signal came first
     */
    async takeTurn(signal: AbortSignal): Promise<Release | undefined> {
      if (signal.aborted) return undefined
      return new Promise<Release | undefined>((resolve) => {
        const giveUp = () => {
          resolve(undefined)
        }
        signal.addEventListener('abort', giveUp, { once: true })
        const hold = (release: Release) => {
          signal.removeEventListener('abort', giveUp)
          if (signal.aborted) release()
          else resolve(release)
        }
        void turns(() => new Promise<void>(hold))
      })
    },

    /** Whether the server would take a mail, of which nothing is sent. On a connection of its own. */
    async wouldTake(envelope: Pick<OutgoingMail, 'from' | 'to'>): Promise<boolean> {
      assertSingleAddress(envelope.to)
      return slots(async () => {
        const session = await openSession(server, limits.openMs)
        const isTaken = await ask(session, envelope, limits)
        session.quit()
        return isTaken
      })
    },

    /** Whether the server takes addresses with non-ASCII local parts. @throws when it cannot be reached */
    hasSmtpUtf8: (): Promise<boolean> =>
      slots(async () => {
        const connection = takeIdle() ?? (await open())
        giveBack(connection)
        return connection.session.offers('SMTPUTF8')
      }),

    /** Lets conversations in flight finish, then closes all connections. */
    async close(): Promise<void> {
      isClosed = true
      for (const connection of idle.splice(0)) {
        clearTimeout(connection.idleTimer)
        connection.session.quit()
      }
      // Who holds every slot at once knows that no conversation is left.
      let missing = options.connections
      const all = Promise.withResolvers<undefined>()
      const hold = () => {
        if (--missing === 0) all.resolve(undefined)
        return all.promise
      }
      await Promise.all(Array.from({ length: missing }, () => slots(hold)))
    },
  }
}
