import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where a fault strikes: `body` is in the middle of the message, `dot` after it has been recorded. */
export type SinkStage = 'greeting' | 'ehlo' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot' | 'unrecorded-dot'

/** Plain JSON, so that it can be sent to a sink in a process of its own. */
export interface SinkFault {
  at: SinkStage
  /**
   * `partial` writes the first bytes of a reply and then nothing; `partial-close` ends the connection after them; `late`
   * gives the usual reply after `ms`, or once the fault is taken away.
   */
  do: 'close' | 'reset' | 'hang' | 'reply' | 'partial' | 'partial-close' | 'late'
  reply?: string
  encoding?: BufferEncoding
  ms?: number
  /** Lets so many occasions pass first. */
  after?: number
  /** Strikes so often, then never again; always where undefined. */
  times?: number
  /** Strikes every so many occasions; each where undefined. */
  every?: number
  /** Only recipients that match this regular expression. */
  recipients?: string
}

export interface ReceivedMail {
  from: string
  to: string[]
  /** Parameters after the address, such as `RET=HDRS ENVID=7`. */
  mailArgs: string
  rcptArgs: string[]
  /** Without dot stuffing. */
  raw: Buffer
  messageId: string
}

export interface SmtpSinkOptions {
  port?: number
  extensions?: string[]
  /** Runs before the final reply: what it has written down is a copy that somebody has. */
  onMail?: (mail: ReceivedMail) => void
  /** Answers DATA with 354 although nobody was accepted. */
  takesMailToNobody?: boolean
  /** Keep the received bytes; without, only envelope and Message-ID. */
  isKeeping?: boolean
}

export interface SmtpSink {
  url: string
  port: number
  received: ReceivedMail[]
  /** Changed at will while it runs. */
  faults: SinkFault[]
  connections(): number
  /** Drops every open connection without a word. */
  dropConnections(): void
  close(): Promise<void>
}

interface Session {
  socket: Socket
  buffer: Buffer
  isReading: boolean
  /** Struck by a fault: nothing more is read or answered. */
  isDead: boolean
  mail: Omit<ReceivedMail, 'raw' | 'messageId'>
}

const emptyMail = () => ({ from: '', to: [], mailArgs: '', rcptArgs: [] })
const endOfMessage = Buffer.from('\r\n.\r\n')
export const defaultExtensions = [
  'PIPELINING',
  '8BITMIME',
  'ENHANCEDSTATUSCODES',
  'DSN',
  'SMTPUTF8',
  'SIZE 0',
]

const messageIdOf = (raw: Buffer): string =>
  /^message-id:\s*(<[^>]*>)/im.exec(raw.subarray(0, 8_000).toString('latin1'))?.[1] ?? ''

/** A recording SMTP server on loopback. A mail is recorded before its final reply is written. */
export async function startSmtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const received: ReceivedMail[] = []
  const faults: SinkFault[] = []
  const sockets = new Set<Socket>()
  const occasions = new Map<SinkFault, number>()

  const findFault = (at: SinkStage, recipient = ''): SinkFault | undefined =>
    faults.find((fault) => {
      if (fault.at !== at || fault.times === 0) return false
      if (fault.recipients !== undefined && !new RegExp(fault.recipients).test(recipient)) return false
      const n = (occasions.get(fault) ?? 0) + 1
      occasions.set(fault, n)
      if (n <= (fault.after ?? 0) || n % (fault.every ?? 1) !== 0) return false
      if (fault.times !== undefined) fault.times--
      return true
    })
  const strike = (session: Session, fault: SinkFault, usualReply: string) => {
    if (fault.do !== 'late') strikeNow(session, fault, usualReply)
    else void replyLate(session, usualReply, () => faults.includes(fault), fault.ms ?? Infinity)
  }
  const answer = (session: Session, at: SinkStage, reply: string) => {
    const fault = findFault(at, session.mail.to.at(-1))
    if (fault) strike(session, fault, reply)
    else session.socket.write(`${reply}\r\n`)
  }

  const takeMail = (session: Session, data: Buffer) => {
    const raw = unstuff(data)
    const mail = {
      ...session.mail,
      raw: options.isKeeping === false ? Buffer.alloc(0) : raw,
      messageId: messageIdOf(raw),
    }
    session.mail = emptyMail()
    session.isReading = false
    const unrecorded = findFault('unrecorded-dot', mail.to[0])
    if (unrecorded) {
      strike(session, unrecorded, '250 2.0.0 Ok')
      return
    }
    const fault = findFault('dot', mail.to[0])
    // A refusal is no copy; every other fault after the dot leaves one.
    if (fault?.do !== 'reply') {
      options.onMail?.(mail)
      received.push(mail)
    }
    if (fault) strike(session, fault, '250 2.0.0 Ok')
    else session.socket.write('250 2.0.0 Ok: queued as SINK\r\n')
  }

  const command = (session: Session, line: string) => {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO' || verb === 'HELO') {
      const lines = ['sink.test', ...(options.extensions ?? defaultExtensions)]
      answer(
        session,
        'ehlo',
        lines.map((text, i) => `250${i === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n'),
      )
    } else if (verb === 'MAIL') {
      const [, from = '', args = ''] = /<([^>]*)>\s*(.*)$/.exec(line) ?? []
      session.mail = { ...emptyMail(), from, mailArgs: args }
      answer(session, 'mail', '250 2.1.0 Ok')
    } else if (verb === 'RCPT') {
      const [, to = '', args = ''] = /<([^>]*)>\s*(.*)$/.exec(line) ?? []
      const fault = findFault('rcpt', to)
      if (fault) {
        strike(session, fault, '250 2.1.5 Ok')
        return
      }
      session.mail.to.push(to)
      session.mail.rcptArgs.push(args)
      session.socket.write('250 2.1.5 Ok\r\n')
    } else if (verb === 'DATA') {
      if (session.mail.to.length === 0 && !options.takesMailToNobody) {
        session.socket.write('554 5.5.1 No valid recipients\r\n')
        return
      }
      session.isReading = true
      answer(session, 'data', '354 End data with <CR><LF>.<CR><LF>')
    } else if (verb === 'RSET' || verb === 'NOOP') {
      session.mail = emptyMail()
      session.socket.write('250 2.0.0 Ok\r\n')
    } else if (verb === 'QUIT') {
      session.socket.end('221 2.0.0 Bye\r\n')
    } else {
      session.socket.write('502 5.5.2 Not here\r\n')
    }
  }

  const readOn = (session: Session, chunk: Buffer) => {
    session.buffer = session.buffer.length === 0 ? chunk : Buffer.concat([session.buffer, chunk])
    while (!session.isDead) {
      if (session.isReading) {
        const end = session.buffer.indexOf(endOfMessage)
        if (end < 0) {
          const fault = session.buffer.length > 0 ? findFault('body', session.mail.to[0]) : undefined
          if (fault) strike(session, fault, '250 2.0.0 Ok')
          return
        }
        const data = session.buffer.subarray(0, end + 2)
        session.buffer = session.buffer.subarray(end + endOfMessage.length)
        takeMail(session, data)
      } else {
        const end = session.buffer.indexOf('\r\n')
        if (end < 0) return
        const line = session.buffer.subarray(0, end).toString('utf8')
        session.buffer = session.buffer.subarray(end + 2)
        command(session, line)
      }
    }
  }

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    const session: Session = {
      socket,
      buffer: Buffer.alloc(0),
      isReading: false,
      isDead: false,
      mail: emptyMail(),
    }
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      readOn(session, chunk)
    })
    answer(session, 'greeting', '220 sink.test ESMTP')
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    received,
    faults,
    connections: () => sockets.size,
    dropConnections() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** For where a client waits: what it has pipelined behind would be answered first. */
async function replyLate(session: Session, reply: string, isStruck: () => boolean, ms: number) {
  const until = performance.now() + ms
  while (isStruck() && performance.now() < until && !session.socket.destroyed) await sleep(20)
  if (session.socket.writable) session.socket.write(`${reply}\r\n`)
}

function strikeNow(session: Session, fault: SinkFault, usualReply: string): void {
  const { socket } = session
  const reply = fault.reply ?? usualReply
  session.isDead = fault.do !== 'reply' || reply.startsWith('421')
  if (fault.do === 'hang') socket.pause()
  if (fault.do === 'close') socket.end()
  else if (fault.do === 'reset') socket.resetAndDestroy()
  else if (fault.do === 'partial') socket.write(reply.slice(0, 4))
  else if (fault.do === 'partial-close') socket.end(reply.slice(0, 4))
  else if (fault.do === 'reply') {
    session.isReading = false
    if (reply.startsWith('421')) socket.end(`${reply}\r\n`)
    else socket.write(`${reply}\r\n`, fault.encoding)
  }
}

function unstuff(data: Buffer): Buffer {
  if (data[0] !== 0x2e && !data.includes('\r\n.')) return data
  return Buffer.from(data.toString('latin1').replace(/^\./gm, ''), 'latin1')
}
