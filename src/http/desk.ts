import { timingSafeEqual } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Router, type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express'
import type { z } from 'zod'
import { mayActAs, type Actor, type Role } from '../domain/editor.ts'
import { sessionLifetimeMs } from '../domain/session.ts'
import type { Keyring } from '../domain/keyring.ts'
import { forbidden, unauthenticated } from '../errors.ts'
import { listKeys } from '../locales.ts'
import type { Logger } from '../log.ts'
import type { SignInService } from '../services/desk/sign-in.ts'
import { cookieOf, serializeCookie } from './cookies.ts'
import { formOf } from './form-body.ts'
import { faultsOf } from './form-fields.ts'
import { keptForm } from './signed-out-form.ts'
import type { PageRenderer } from './page.ts'
import { noPage, nothingHere, problemHandler } from './problem.ts'
import { rowId } from './route.ts'
import { mailPolicy } from './security-headers.ts'
import { requireSameOrigin } from './same-origin.ts'
import { parseUpload, readFilledForm, uploadOf } from './upload.ts'

/** The editor behind a desk request, from their session. */
type DeskSession = NonNullable<Awaited<ReturnType<SignInService['findSession']>>>

/** What a desk handler is given. */
export interface DeskCall {
  request: Request
  response: Response
  session: DeskSession
  actor: Actor
  /** The file of a form with one, as it comes. */
  upload: Readable | undefined
  /** The files of a form with pictures, by the names of their fields. */
  pictures: ReadonlyMap<string, Buffer>
  /** What the page's address asks to say once: a key below `desk.notices`. */
  notice: string | undefined
  /** Sends a page of the desk in the editor's language. */
  page: (name: string, data?: Record<string, unknown>) => void
  /** 303 to a path of the desk, with a sentence that the next page shows once: a key below `desk.notices`. */
  redirect: (path: string, notice?: string) => void
}

/** One page or form of the desk, with its policy. */
export interface DeskRoute {
  method: 'get' | 'post'
  /** Below `/desk`, in Express's form: `/digests/:id`. */
  path: string
  /** The least role that may use it. */
  role: Role
  /** Bytes of a form; 64 kB unless said. `upload`: a multipart form with one file, which the handler reads. */
  bodyLimit?: number | 'upload'
  /** Bytes that each picture of its form may have; without it, a form has none. */
  pictureLimit?: number
  handle: (call: DeskCall) => Promise<void> | void
  /** Shows the form again as it was filled in, with the names of the fields at fault. Without it, an error page names them. */
  showFaults?: (call: DeskCall, faults: string[]) => Promise<void> | void
}

const routeBy =
  (method: DeskRoute['method']) =>
  (path: string, role: Role, handle: DeskRoute['handle']): DeskRoute => ({ method, path, role, handle })

export const get = routeBy('get')
export const post = routeBy('post')

/** A form that was refused, as it was sent. */
export interface FormAtFault {
  typed: Record<string, unknown>
  faults: string[]
}

/** A form, and its page to show it again on. */
export const postForm = (
  path: string,
  role: Role,
  show: (call: DeskCall, refused: FormAtFault) => Promise<void>,
  handle: DeskRoute['handle'],
): DeskRoute => ({
  ...post(path, role, handle),
  showFaults: (call, faults) => show(call, { typed: call.request.body as FormAtFault['typed'], faults }),
})

/** What a path names. @throws DomainError `no_page` for what nothing can be named */
export function namedIn<T>(schema: z.ZodType<T>, request: Request, name: string): T {
  const { success, data } = schema.safeParse(request.params[name])
  if (!success) throw nothingHere()
  return data
}

/** Of the row that a path names. @throws DomainError `no_page` */
export const idOf = (request: Request): number => namedIn(rowId, request, 'id')

/** A mail that is shown in a frame of our own pages. */
export const framed = (response: Response): Response =>
  response
    .set('Content-Security-Policy', mailPolicy("frame-ancestors 'self'; sandbox"))
    .set('X-Frame-Options', 'SAMEORIGIN')

interface DeskOptions {
  log: Logger
  publicUrl: string
  keyring: Keyring
  pages: PageRenderer
  findSession: SignInService['findSession']
  /** That nothing is sent, because this database is a copy: every page says so. */
  findHold: () => Promise<object | undefined>
  /** Where the mail catcher shows what was sent, where there is one. */
  mailboxUrl: string | undefined
}

const sessionCookie = 'depeche_session'

/** Mounts desk routes: session, role, same origin and form token, then the handler. */
export function deskRouter(routes: readonly DeskRoute[], options: DeskOptions): Router {
  const router = Router({ caseSensitive: true })
  router.use(requireSession(options))
  router.use(furnish(options, pageAbove(routes)))
  for (const route of routes) {
    const guards = route.method === 'post' ? [parseForm(route), requireFormToken(options)] : []
    router[route.method](route.path, requireRole(route.role), ...guards, handlerOf(route, options))
  }
  router.use(noPage)
  // Whoever is signed in stays at the desk.
  const toPage = problemHandler(options.log, options.pages, 'desk/error')
  router.use((async (error, request, response, next) => {
    const kept =
      request.method === 'POST' ? await keptForm(error, request, response, options.publicUrl) : undefined
    if (kept?.length) {
      response.status(sessionOf(response) ? 403 : 401)
      options.pages.send(response, 'desk/kept', { kept, action: request.originalUrl })
    } else if (sessionOf(response)) toPage(error, request, response, next)
    else next(error)
  }) as ErrorRequestHandler)
  return router
}

/** The page that a form's address belongs to, or the nearest above it. */
function pageAbove(routes: readonly DeskRoute[]): (path: string) => string {
  const pages = routes
    .filter(({ method }) => method === 'get')
    .map(({ path }) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`))
  const find = (path: string): string =>
    path === '/' || pages.some((page) => page.test(path)) ? path : find(path.replace(/\/[^/]*$/, '') || '/')
  return find
}

/** What every page of the desk shows. */
const furnish =
  ({ keyring, findHold, mailboxUrl }: DeskOptions, pageOf: (path: string) => string): RequestHandler =>
  async (request, response, next) => {
    const session = response.locals['session'] as DeskSession
    Object.assign(response.locals, {
      csrf: formTokenOf(keyring, session),
      deskPath: request.path,
      // What a form answers with has no address of its own to come back to.
      returnPath: request.method === 'GET' ? request.url : pageOf(request.path),
      mailboxUrl,
      notice: noticeOf(request),
      hold: await findHold(),
      mayEdit: mayActAs(session.role, 'editor'),
      mayAdmin: mayActAs(session.role, 'admin'),
    })
    next()
  }

export const readSessionCookie = (request: Request, publicUrl: string): string | undefined =>
  cookieOf(request, sessionCookie, publicUrl)

export const sessionCookieOf = (secret: string, publicUrl: string): string =>
  serializeCookie(sessionCookie, secret, {
    publicUrl,
    maxAgeSeconds: secret === '' ? 0 : sessionLifetimeMs / 1000,
  })

const sessionOf = (response: Response) => response.locals['session'] as DeskSession | undefined

const requireSession =
  ({ publicUrl, findSession }: DeskOptions): RequestHandler =>
  async (request, response, next) => {
    response.set('Cache-Control', 'no-store')
    const secret = readSessionCookie(request, publicUrl)
    const session = secret === undefined ? undefined : await findSession(secret)
    if (session) {
      response.locals['session'] = session
      response.locals['language'] = session.language
      next()
      return
    }
    if (request.method === 'GET' && request.accepts(['html', 'json']) === 'html') {
      response.redirect(303, `/desk/sign-in?next=${encodeURIComponent(request.originalUrl)}`)
      return
    }
    throw unauthenticated('signed_out', 'You are signed out; sign in and try again.')
  }

const requireRole =
  (role: Role): RequestHandler =>
  (_request, response, next) => {
    if (!mayActAs((response.locals['session'] as DeskSession).role, role)) {
      throw forbidden('role_too_low', `This needs the role ${role}; an admin can give it to you.`)
    }
    next()
  }

function parseForm({ bodyLimit: limit = 64 * 1024, pictureLimit }: DeskRoute): RequestHandler {
  if (limit === 'upload') return parseUpload
  const parse = formOf(limit)
  if (pictureLimit === undefined) return parse
  return async (request, response, next) => {
    if (!request.is('multipart/form-data')) {
      parse(request, response, next)
      return
    }
    const { fields, files } = await readFilledForm(request, { fields: limit, file: pictureLimit })
    request.body = fields
    response.locals['pictures'] = files
    next()
  }
}

/** Belongs to one session: a form made for another is refused. */
const formTokenOf = (keyring: Keyring, session: DeskSession, keyId?: string): string =>
  keyring.mac('csrf', String(session.id), keyId).toString('base64url')

/** The token stands in the form's `csrf` field, or in a header where a script sends something else than a form. */
const requireFormToken =
  ({ keyring, publicUrl }: DeskOptions): RequestHandler =>
  (request, response, next) => {
    requireSameOrigin(request, publicUrl)
    const field = (request.body as Record<string, unknown> | undefined)?.['csrf']
    const given = Buffer.from(typeof field === 'string' ? field : (request.get('x-csrf-token') ?? ''))
    const isOurs = keyring.keyIds.some((keyId) => {
      const expected = Buffer.from(formTokenOf(keyring, response.locals['session'] as DeskSession, keyId))
      return given.length === expected.length && timingSafeEqual(given, expected)
    })
    if (!isOurs) {
      throw forbidden('form_expired', 'This form is too old. Go back, reload the page and send it again.')
    }
    next()
  }

function handlerOf(route: DeskRoute, options: DeskOptions): RequestHandler {
  return async (request, response) => {
    const call = callOf(request, response, options)
    try {
      await route.handle(call)
    } catch (error) {
      const faults = faultsOf(error)
      if (!faults || !route.showFaults) throw error
      response.status(422)
      await route.showFaults(call, faults)
    }
  }
}

function callOf(request: Request, response: Response, { pages }: DeskOptions): DeskCall {
  const session = response.locals['session'] as DeskSession
  return {
    request,
    response,
    session,
    actor: { kind: 'editor', id: session.editorId, role: session.role },
    upload: uploadOf(response),
    pictures: (response.locals['pictures'] as DeskCall['pictures'] | undefined) ?? new Map(),
    notice: noticeOf(request),
    page: (name, data) => {
      pages.send(response, name, data)
    },
    redirect: (path, notice) => {
      response.redirect(303, `/desk${path}${notice ? `?notice=${notice}` : ''}`)
    },
  }
}

const texts = new Set(listKeys('en'))

/** The keys of the texts for these names below one key; a name without a text is absent. */
export const wordsOf = (below: string, names: (string | null)[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) =>
      name !== null && texts.has(`${below}.${name}`) ? [[name, `${below}.${name}`]] : [],
    ),
  )

/** Only the name of a text of ours, so that a link cannot put words on the desk. */
const noticeOf = (request: Request): string | undefined => {
  const notice = request.query['notice']
  return typeof notice === 'string' && texts.has(`desk.notices.${notice}`) ? notice : undefined
}
