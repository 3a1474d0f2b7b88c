import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Refused } from '../../domain/delivery/delivery.ts'
import { brokenOff, refusedBy, storableAnswer } from './server-answer.ts'
import { SmtpSession } from './smtp-session.ts'
import type { SmtpServer } from './smtp-url.ts'

/** Waits for the welcome: connecting, greeting, EHLO, STARTTLS and sign-in together. @throws nodemailer's SMTPError */
export async function openSession(server: SmtpServer, limitMs: number): Promise<SmtpSession> {
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
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    // The limits of a conversation are ours; this one is the last resort for what we did not foresee.
    socketTimeout: 3_600_000,
    // Without this a connection that is cut off would end politely, with whatever is still in its buffers.
    socketCloseTimeout: 0,
  })
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const settle = (error?: Error | null) => {
    if (error) reject(error)
    else resolve(undefined)
  }
  const timer = setTimeout(() => {
    settle(new Error('the server did not complete its welcome in time'))
  }, limitMs)
  smtp.on('error', settle)
  smtp.once('end', () => {
    settle(new Error('the server closed the connection before its welcome was complete'))
  })
  smtp.connect((error) => {
    if (error || !server.auth) settle(error)
    else smtp.login(server.auth, settle)
  })
  try {
    await promise
    return new SmtpSession(smtp)
  } catch (error) {
    smtp.close()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Nothing of the message was said yet. */
export function refusalOfOpening(
  error: Error & { response?: string; responseCode?: number },
  address: string,
): Refused {
  const { response, responseCode } = error
  return response === undefined || responseCode === undefined
    ? brokenOff(storableAnswer(error.message, address), 'connect')
    : refusedBy({ code: responseCode, text: response }, 'connect', address)
}
