import { randomBytes } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { activationLifetimeMs } from '../domain/signups/activation.ts'
import type { Visitor } from '../services/signups/input.ts'
import type { ClientAddress } from './client-address.ts'
import type { PublicForms } from './public-forms.ts'
import { signupCost } from './rate-limit.ts'
import { cookieOf, serializeCookie } from './cookies.ts'

const browserCookie = 'depeche_browser'

/** The secret that tells the browser that signed up from every other that opens the mail. */
export function browserOf(request: Request, publicUrl: string): string | undefined {
  const value = cookieOf(request, browserCookie, publicUrl)
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined
}

/** The browser's secret, a new one where it has none; the answer sets its cookie either way. */
export function keepBrowser(request: Request, response: Response, publicUrl: string): string {
  const secret = browserOf(request, publicUrl) ?? randomBytes(32).toString('base64url')
  response.append(
    'Set-Cookie',
    serializeCookie(browserCookie, secret, {
      publicUrl,
      // One click in the activation mail is enough as long as the browser that asked for it is known.
      maxAgeSeconds: activationLifetimeMs / 1000,
    }),
  )
  return secret
}

/** Who asks for a mail, counted against the limit. @throws DomainError `too_many_requests` */
export async function meetVisitor(
  request: Request,
  response: Response,
  { clientAddress, signupLimit, publicUrl }: PublicForms,
): Promise<Visitor> {
  const client = clientAddress(request)
  await signupLimit.consume(client, signupCost(true))
  return visitorOf(request, response, { client, browser: keepBrowser(request, response, publicUrl) })
}

export const visitorOf = (
  request: Request,
  response: Response,
  of: { client: ClientAddress; browser: string | undefined },
): Visitor => ({
  ipPrefix: of.client.prefix || undefined,
  userAgent: request.get('user-agent'),
  browser: of.browser,
  language: languageOf(response),
})

export const languageOf = (response: Response): string =>
  (response.locals as { language?: string }).language ?? 'en'

/** Pages about one person speak their language, unless the path says another. */
export function speak(response: Response, language: string): void {
  const locals = response.locals as { language?: string; pathLanguage?: string }
  if (locals.pathLanguage === undefined && language !== '') locals.language = language
}

/** A page behind a token: no cache keeps it, no search engine lists it, and no link or picture on it passes its address on. */
export const tokenPage: RequestHandler = (_request, response, next) => {
  response.set({
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'same-origin',
    'X-Robots-Tag': 'noindex, nofollow',
  })
  next()
}

/** Whether a browser fetches the page ahead of a click. */
export const isPrefetch = (request: Request): boolean =>
  [request.get('sec-purpose'), request.get('purpose'), request.get('x-purpose'), request.get('x-moz')].some(
    (value) => value?.includes('prefetch') === true || value?.includes('preview') === true,
  )

export const tokenOf = (request: Request): string => {
  const token: unknown = request.params['token']
  return typeof token === 'string' ? token : ''
}
