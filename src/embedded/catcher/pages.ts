import { isIP } from 'node:net'
import { fileURLToPath } from 'node:url'
import express, { type Express, type Request, type RequestHandler } from 'express'
import helmet from 'helmet'
import { notFound } from '../../errors.ts'
import { createPageRenderer, type PageRenderer } from '../../http/page.ts'
import { problemHandler } from '../../http/problem.ts'
import { interfaceLanguages } from '../../domain/language.ts'
import type { Logger } from '../../log.ts'
import { readHead, readLetter } from './letter.ts'
import type { Mailbox, Summary } from './mailbox.ts'

const assets = fileURLToPath(new URL('../../../templates/assets/', import.meta.url))
const views = ['desktop', 'phone', 'text', 'headers', 'raw'] as const
const mailsPerPage = 50

/** The catcher's pages and its API, for this machine alone. */
export function createMailboxPages(mailbox: Mailbox, log: Logger): Express {
  const pages = createPageRenderer({ publicUrl: '' })
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.use(refuseForeignNames, chooseLanguage, headers)

  app.get('/', listPage(mailbox, pages))
  app.get('/messages/:id', letterPage(mailbox, pages))
  app.get('/messages/:id/html', htmlPart(mailbox))
  app.get('/messages/:id/raw', async (request, response) => {
    const { id } = getSummary(mailbox, request)
    response.attachment(`${id}.eml`).type('message/rfc822')
    response.send(await mailbox.read(id))
  })
  app.get('/api/messages', listForPrograms(mailbox))
  app.get('/api/messages/:id', async (request, response) => {
    response.json(await readLetter(mailbox, getSummary(mailbox, request)))
  })
  for (const file of ['mailbox.css', 'mailbox.js']) {
    app.get(`/${file}`, (_request, response) => {
      response.sendFile(file, { root: assets })
    })
  }
  app.use(() => {
    throw noSuchMail()
  })
  app.use(problemHandler(log, pages, 'mailbox-error'))
  return app
}

/**
 * A foreign page could make its own name resolve to this machine and read the mails; it cannot do so with an
 * address or with localhost.
 */
const refuseForeignNames: RequestHandler = (request, response, next) => {
  const name = request.hostname
  if (name === 'localhost' || isIP(name.replace(/^\[|\]$/g, '')) !== 0) next()
  else response.status(421).type('text').send('Open the mailbox as http://localhost with its port.\n')
}

const chooseLanguage: RequestHandler = (request, response, next) => {
  const language = request.acceptsLanguages(['en', ...interfaceLanguages])
  response.locals['language'] = language === false ? 'en' : language
  response.vary('Accept-Language')
  next()
}

const headers = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      scriptSrc: ["'self'"],
      connectSrc: ["'self'"],
      frameSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  referrerPolicy: { policy: 'no-referrer' },
  strictTransportSecurity: false,
  xFrameOptions: false,
})

function listPage(mailbox: Mailbox, pages: PageRenderer): RequestHandler {
  return (request, response) => {
    const { to, summaries, next } = findPage(mailbox, request, mailsPerPage)
    pages.send(response.set('Cache-Control', 'no-store'), 'mailbox', {
      zone,
      to: to ?? '',
      mails: summaries,
      next,
      kept: mailbox.count,
      dropped: mailbox.received - mailbox.count,
    })
  }
}

function letterPage(mailbox: Mailbox, pages: PageRenderer): RequestHandler {
  return async (request, response) => {
    const summary = getSummary(mailbox, request)
    const letter = await readLetter(mailbox, summary)
    const asked = views.find((known) => known === request.query['view'])
    const view = asked ?? (letter.html === '' ? 'text' : isPhone(request) ? 'phone' : 'desktop')
    pages.send(response.set('Cache-Control', 'no-store'), 'mailbox-message', {
      zone,
      view,
      views,
      mail: summary,
      letter,
      lines: view === 'headers' ? await readHead(mailbox, summary.id) : [],
      raw: view === 'raw' ? (await mailbox.read(summary.id)).toString('utf8') : '',
    })
  }
}

/** The HTML part alone, for the frame: no scripts, no forms, no pictures but those of this machine; links open beside it. */
function htmlPart(mailbox: Mailbox): RequestHandler {
  const policy = [
    'sandbox allow-popups allow-popups-to-escape-sandbox',
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    'img-src data: http://localhost:* http://127.0.0.1:*',
    "frame-ancestors 'self'",
  ].join('; ')
  return async (request, response) => {
    const { html } = await readLetter(mailbox, getSummary(mailbox, request))
    response.set('Content-Security-Policy', policy).type('html')
    response.send(`<!doctype html><base target="_blank">${html.replace(/^\s*<!doctype[^>]*>/i, '')}`)
  }
}

function listForPrograms(mailbox: Mailbox): RequestHandler {
  return async (request, response) => {
    const wanted = Number(request.query['limit'] ?? mailsPerPage)
    const limit = Math.min(Math.max(Number.isInteger(wanted) ? wanted : mailsPerPage, 1), 200)
    const { summaries, next } = findPage(mailbox, request, limit)
    const data = await Promise.all(summaries.map((summary) => readLetter(mailbox, summary)))
    response.set('Cache-Control', 'no-store').json({ data, next })
  }
}

/** Newest first; one more than asked for tells whether there is a next page. */
function findPage(mailbox: Mailbox, request: Request, limit: number) {
  const to = single(request.query['to'])
  const found = mailbox.list(limit + 1, { to, before: single(request.query['before']) })
  const summaries = found.slice(0, limit)
  return { to, summaries, next: found.length > limit ? (summaries.at(-1)?.id ?? null) : null }
}

const isPhone = (request: Request): boolean => /\bMobile\b/.test(request.get('user-agent') ?? '')

const single = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function getSummary(mailbox: Mailbox, request: Request): Summary {
  const summary = mailbox.find(String(request.params['id']))
  if (!summary) throw noSuchMail()
  return summary
}

const noSuchMail = () =>
  notFound('no_mail', 'There is no such mail here; it may have made room for newer ones.')

/** People at this machine read its clock. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
