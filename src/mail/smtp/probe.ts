import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { readSmtpUrl } from './smtp-url.ts'

/** Whether the SMTP server greets within `timeoutMs`. Says QUIT and nothing more: no login, no mail. */
export function probeSmtp(smtpUrl: string, timeoutMs: number): Promise<boolean> {
  const { host, port, tls } = readSmtpUrl(smtpUrl)
  return new Promise((resolve) => {
    const socket: Socket =
      tls === 'implicit' ? connectTls({ host, port, servername: host }) : connectPlain({ host, port })
    const answer = (isUp: boolean) => {
      socket.destroy()
      resolve(isUp)
    }
    socket.setTimeout(timeoutMs, () => {
      answer(false)
    })
    socket.once('error', () => {
      answer(false)
    })
    socket.once('data', (greeting) => {
      socket.write('QUIT\r\n', () => {
        answer(greeting.toString('latin1').startsWith('220'))
      })
    })
  })
}
