import type { IncomingMessage } from 'node:http'
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { ClientAddress } from './client-address.ts'
import { faultsOf } from './form-fields.ts'
import type { PageRenderer } from './page.ts'
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

/** Shows a form that is at fault again, with the names of its fields at fault; programs are answered with the problem. */
export const showingFaults =
  (
    show: (request: Request, response: Response, faults: string[]) => Promise<void> | void,
  ): ErrorRequestHandler =>
  async (error, request, response, next) => {
    const faults = faultsOf(error)
    if (!faults || wantsJson(request) || request.method !== 'POST') {
      next(error)
      return
    }
    response.status(422).set('Cache-Control', 'no-store')
    await show(request, response, faults)
  }

export const wantsJson = (request: Request): boolean =>
  request.is('application/json') !== false || request.accepts(['html', 'json']) === 'json'
