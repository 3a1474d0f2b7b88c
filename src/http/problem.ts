import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { z, ZodError } from 'zod'
import { DomainError, type ErrorKind, fieldErrorsOf, invalid, notFound } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { PageRenderer } from './page.ts'

const statusOf = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  precondition_required: 428,
  throttled: 429,
  unavailable: 503,
} as const satisfies Record<ErrorKind, number>

/** `invalid` is 422 where a body was read and does not fit; these never came that far. */
const statusOfCode: Record<string, number> = {
  malformed_body: 400,
  two_hosts: 400,
  invalid_query: 400,
  invalid_cursor: 400,
  no_method: 405,
  pdf_not_installed: 501,
  too_large: 413,
  not_json: 415,
}

const formerCodes: Record<string, string> = {
  no_route: 'no_such_route',
  no_page: 'no_such_page',
  no_key: 'no_such_key',
  no_editor: 'no_such_editor',
  no_cadence: 'no_such_cadence',
  no_link: 'no_such_link',
  no_mail: 'no_such_mail',
  no_subscriber: 'no_such_subscriber',
}

/** The body of an error answer (RFC 9457) with our stable `code`. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('One sentence that says what was wrong and what to do'),
  code: z.string().describe('Stable; docs/errors.md lists all'),
  // 0.3 will not tell it any more.
  formerly: z.string().optional().describe('What versions before 0.2 called it'),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
})
type Problem = z.infer<typeof problem>

/** The last handler: a problem document for programs, a page for people, and nothing internal for anyone. */
export function problemHandler(log: Logger, pages: PageRenderer, page = 'error'): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const known = toDomainError(error)
    const requestId = response.getHeader('x-request-id')
    if (!known) log.error({ err: error, requestId }, 'request failed')
    // What we could not do for others is for the log; what is wrong with a request is not.
    else if (known.kind === 'unavailable')
      log.warn(
        { code: known.code, reason: (known.cause as Error | undefined)?.message ?? known.message, requestId },
        'request failed',
      )
    // The answer has begun: all that is left is to show that it is not whole.
    if (response.headersSent) {
      request.socket.destroy()
      return
    }
    const problem = toProblem(known)
    if (known?.retryAfterSeconds !== undefined) response.set('Retry-After', String(known.retryAfterSeconds))
    response.status(problem.status).set('Cache-Control', 'no-store')
    if (wantsPage(request))
      pages.send(response, page, { problem, requestId, retryAfter: known?.retryAfterSeconds ?? 60 })
    else sendProblem(response, problem)
  }
}

const sendProblem = (response: Response, problem: Problem) =>
  response.type('application/problem+json').send(JSON.stringify(problem))

/** Who does is answered in JSON, whatever else would do. */
export const sendsJson = (request: Request): boolean => typeof request.is('application/json') === 'string'

const wantsPage = (request: Request): boolean =>
  !request.path.startsWith('/api/') && !sendsJson(request) && request.accepts(['json', 'html']) === 'html'

/** Errors of the body parser and of zod are the caller's; everything else unknown is ours. */
function toDomainError(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error
  if (error instanceof ZodError) {
    return invalid('invalid_input', 'Some fields are not valid; see errors.', {
      fields: fieldErrorsOf(error),
    })
  }
  const { status, code } = error as { status?: unknown; code?: unknown }
  if (status === 413) return invalid('too_large', 'The body is larger than this route takes.')
  const isUnreadable = typeof status === 'number' && status >= 400 && status < 500
  if (isUnreadable || nulInText.has(code)) {
    return invalid('malformed_body', 'The request could not be read; check its syntax and encoding.')
  }
  return undefined
}

/** What PostgreSQL says to a NUL character: no text or JSON of its holds one, whichever field it came in. */
const nulInText = new Set<unknown>(['22021', '22P05'])

function toProblem(error: DomainError | undefined): Problem {
  if (!error) {
    return {
      type: 'about:blank',
      title: 'internal error',
      status: 500,
      detail:
        'Something failed on our side; nothing was changed by half. Try again, and tell us the request id if it lasts.',
      code: 'internal',
    }
  }
  const formerly = formerCodes[error.code]
  const status = statusOfCode[error.code] ?? statusOf[error.kind]
  return {
    type: `about:blank`,
    title: error.kind.replaceAll('_', ' '),
    status,
    detail: error.message,
    code: error.code,
    ...(formerly !== undefined && { formerly }),
    ...(error.fields.length > 0 && { errors: error.fields }),
  }
}

export const nothingHere = () => notFound('no_page', 'There is nothing at this address.')

/** For every path that no route answered. */
export const noPage: RequestHandler = () => {
  throw nothingHere()
}
