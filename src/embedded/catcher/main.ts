import { once } from 'node:events'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { createLogger } from '../../log.ts'
import { openMailbox } from './mailbox.ts'
import { createMailboxPages } from './pages.ts'
import { createCatcher } from './smtp.ts'

/** The mail catcher as a process: SMTP in, pages out. */

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: './var/mail' },
    host: { type: 'string', default: '127.0.0.1' },
    'http-port': { type: 'string', default: '8025' },
    'smtp-port': { type: 'string', default: '1025' },
    'log-level': { type: 'string', default: 'info' },
  },
})

const log = createLogger(values['log-level'], 'mail')
const mailbox = openMailbox(values.directory)
const smtp = createCatcher(mailbox)
const http = createServer(createMailboxPages(mailbox, log))
http.headersTimeout = 10_000

// A client that hangs up in the middle is no event worth an end.
smtp.on('error', (error: Error) => {
  log.info({ reason: error.message }, 'a mail conversation broke off')
})

await Promise.all([
  once(smtp.listen(Number(values['smtp-port']), values.host), 'listening'),
  once(http.listen(Number(values['http-port']), values.host), 'listening'),
])
log.info({ mails: mailbox.count }, 'catching mail')
process.send?.({ ready: true })

let isEnding = false
/** Workers may still be in a conversation when everyone is told to end: it is finished first. */
const end = () => {
  if (isEnding) return
  isEnding = true
  http.close()
  http.closeAllConnections()
  smtp.close(() => process.exit(0))
}
process.on('SIGTERM', end)
process.on('disconnect', end)
// A terminal's Ctrl-C reaches everyone at once; the supervisor then ends this process last.
process.on('SIGINT', () => {
  if (!process.connected) end()
})
