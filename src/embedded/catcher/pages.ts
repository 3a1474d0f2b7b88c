import express, { type Express } from 'express'
import type { Logger } from '../../log.ts'
import type { Mailbox } from './mailbox.ts'

export function createMailboxPages(mailbox: Mailbox, _log: Logger): Express {
  const app = express()
  app.disable('x-powered-by')
  app.get('/api/messages', (request, response) => {
    const { to } = request.query
    response.json({
      data: mailbox.list({ to: typeof to === 'string' ? to : undefined, limit: 50 }),
      next: null,
    })
  })
  return app
}
