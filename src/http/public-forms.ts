import type { IncomingMessage } from 'node:http'
import type { ErrorRequestHandler, Request, Response } from 'express'
import { DomainError } from '../errors.ts'
import type { ClientAddress } from './client-address.ts'
import { faultsOf } from './form-fields.ts'
import type { PageRenderer } from './page.ts'
import { sendsJson } from './problem.ts'
import type { SignupLimit } from './rate-limit.ts'

/** What the forms of subscribers share. */
export interface PublicForms {
  publicUrl: string
  pages: PageRenderer
  signupLimit: SignupLimit
  clientAddress: (request: IncomingMessage) => ClientAddress
  /** The mail catcher's page, where there is one. */
  mailboxUrl: string | undefined
}

/**
 * Shows a form that is at fault again, with the names of its fields at fault, or `later` where too much came from one
 * place; programs are answered with the problem.
 */
export const showingFaults =
  (
    /** False where there is no such form. */
    show: (request: Request, response: Response, faults: string[]) => unknown,
  ): ErrorRequestHandler =>
  async (error, request, response, next) => {
    const isLate = error instanceof DomainError && error.kind === 'throttled'
    const faults = isLate ? ['later'] : faultsOf(error)
    if (!faults || wantsJson(request) || request.method !== 'POST') {
      next(error)
      return
    }
    response.status(422).set('Cache-Control', 'no-store')
    if (isLate) {
      const { retryAfterSeconds = 60 } = error
      response.status(429).set('Retry-After', String(retryAfterSeconds))
      response.locals['retryAfter'] = retryAfterSeconds
    }
    if ((await show(request, response, faults)) === false) next(error)
  }

export const wantsJson = (request: Request): boolean =>
  sendsJson(request) || request.accepts(['html', 'json']) === 'json'
