import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'

export interface SmtpReply {
  code: number
  /** All its lines, each with its code. */
  text: string
}

export type SmtpExtension = 'PIPELINING' | 'SMTPUTF8' | '8BITMIME' | 'DSN' | 'SIZE'

/** Why nothing more can be said. */
export interface SessionEnd {
  reason: string
  /** The server was silent for too long; it may still be there. */
  isTimeout: boolean
}

const longestReply = 65_536
const goodbyeMs = 5_000

/** Commands and replies on a connection whose welcome is complete. One conversation at a time. */
export class SmtpSession {
  readonly #smtp: SMTPConnection
  readonly #socket: Socket
  readonly #replies: SmtpReply[] = []
  #received = ''
  #lines: string[] = []
  #ended: SessionEnd | undefined
  #wake: () => void = () => undefined

  /** @param smtp signed in; from here on it only closes the socket and watches over it */
  constructor(smtp: SMTPConnection) {
    if (!smtp._socket) throw new Error('the connection ended with its welcome')
    this.#smtp = smtp
    this.#socket = smtp._socket
    // The final dot would wait a round trip for the far end to have acknowledged the body.
    this.#socket.setNoDelay(true)
    this.#socket.removeAllListeners('data')
    this.#socket.on('data', (chunk: Buffer) => {
      this.#read(chunk)
    })
    this.#socket.once('end', () => {
      this.#end('the server closed the connection')
    })
    smtp.on('error', (error: Error) => {
      this.#end(error.message)
    })
    smtp.once('end', () => {
      this.#end('the connection ended')
    })
  }

  get ended(): SessionEnd | undefined {
    return this.#ended
  }

  offers(extension: SmtpExtension): boolean {
    // nodemailer keeps the last EHLO for itself, and looks for extensions in the server's name too.
    const { _ehloLines = [] } = this.#smtp as unknown as { _ehloLines?: string[] }
    return _ehloLines.some((line) => line.split(' ', 1)[0]?.toUpperCase() === extension)
  }

  write(bytes: string | Buffer): void {
    if (!this.#ended) this.#socket.write(bytes)
  }

  /** Resolves when the operating system has it all, or the session has ended. */
  async writeAll(segments: readonly Buffer[], limitMs: number): Promise<void> {
    let isWritten = false
    // One system call for all of it.
    this.#socket.cork()
    for (const segment of segments) this.#socket.write(segment)
    this.#socket.write('', () => {
      isWritten = true
      this.#wake()
    })
    this.#socket.uncork()
    await this.#until(() => isWritten, limitMs)
  }

  /** The next reply; undefined where the session has ended without. */
  async reply(limitMs: number): Promise<SmtpReply | undefined> {
    await this.#until(() => this.#replies.length > 0, limitMs)
    return this.#replies.shift()
  }

  /** A reply that nobody waited for. */
  takeEarlyReply(): SmtpReply | undefined {
    return this.#replies.shift()
  }

  /** At once: what the operating system does not have yet is never sent. */
  close(): void {
    this.#end('the connection was closed')
  }

  /** Politely, between two messages. */
  quit(): void {
    this.#socket.end('QUIT\r\n')
    setTimeout(() => {
      this.close()
    }, goodbyeMs).unref()
  }

  /** Calls back when it has ended, for whatever reason. */
  onceEnded(work: () => void): void {
    this.#smtp.once('end', work)
  }

  async #until(isDone: () => boolean, limitMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#end(`no reply within ${limitMs / 1000} s`, true)
    }, limitMs)
    while (!isDone() && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    clearTimeout(timer)
  }

  #end(reason: string, isTimeout = false): void {
    if (this.#ended) return
    this.#ended = { reason, isTimeout }
    this.#smtp.close()
    this.#wake()
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.toString('latin1')
    const lines = this.#received.split(/\r?\n/)
    this.#received = lines.pop() ?? ''
    for (const line of lines) this.#readLine(line)
    if (this.#received.length + this.#lines.length > longestReply) this.#end('a reply without an end')
  }

  #readLine(line: string): void {
    const [, code, mark] = /^(\d{3})([ -]|$)/.exec(line) ?? []
    if (code === undefined) {
      this.#end('the server does not speak SMTP')
      return
    }
    this.#lines.push(line)
    if (mark === '-') return
    const said = this.#lines.join('\n')
    const bytes = Buffer.from(said, 'latin1')
    const text = isUtf8(bytes) ? bytes.toString() : said
    this.#lines = []
    this.#replies.push({ code: Number(code), text })
    this.#wake()
  }
}
