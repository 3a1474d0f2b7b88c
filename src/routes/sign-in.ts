import express, { Router, type Request, type Response } from 'express'
import { z } from 'zod'
import { signInLinkLifetimeMs } from '../domain/session.ts'
import { cookieOf, serializeCookie } from '../http/cookies.ts'
import { readSessionCookie, sessionCookieOf } from '../http/desk.ts'
import { showingFaults, type PublicForms } from '../http/public-forms.ts'
import type { RateLimit } from '../http/rate-limit.ts'
import { requireSameOrigin } from '../http/same-origin.ts'
import type { Services } from '../services/services.ts'

type Options = Pick<PublicForms, 'publicUrl' | 'pages' | 'clientAddress'> & { limit: RateLimit }

const signInForm = z.object({ email: z.email().max(254) })

/** The page that was asked for before anybody had signed in: of the desk alone, and no longer than the link is good. */
const wantedCookie = 'depeche_wanted'
const pageOfDesk = z
  .string()
  .max(2_000)
  .regex(/^\/desk[/?][!-[\]-~]*$/)

/** The desk's door: ask for a link, use it by a button (scanners follow links), leave. */
export function signInRoutes(
  { signIn, invitations }: Pick<Services, 'signIn' | 'invitations'>,
  { publicUrl, pages, clientAddress, limit }: Options,
): Router {
  const router = Router({ caseSensitive: true })
  const form = express.urlencoded({ extended: false, limit: 4_096 })
  router.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex' })
    next()
  })

  const keepWanted = (response: Response, page: string, maxAgeSeconds: number) => {
    const value = Buffer.from(page).toString('base64url')
    response.append('Set-Cookie', serializeCookie(wantedCookie, value, { publicUrl, maxAgeSeconds }))
  }

  router.get('/sign-in', (request, response) => {
    const { data: page } = pageOfDesk.safeParse(request.query['next'])
    if (page !== undefined) keepWanted(response, page, signInLinkLifetimeMs / 1000)
    pages.send(response, 'desk/sign-in')
  })

  router.post('/sign-in', form, async (request, response) => {
    requireSameOrigin(request, publicUrl)
    const { email } = signInForm.parse(request.body)
    await limit.consume(clientAddress(request).limitKey)
    // Answered before anybody is looked for: how long it takes must not tell who works here.
    pages.send(response, 'desk/sign-in-sent')
    await signIn.requestLink(email)
  })

  router.get('/sign-in/:token', async (request, response) => {
    const { token } = request.params
    const isValid = (await signIn.isLinkValid(token)) || (await invitations.isOpen(token))
    response.status(isValid ? 200 : 410)
    pages.send(response, isValid ? 'desk/sign-in-confirm' : 'desk/sign-in-expired')
  })

  router.post('/sign-in/:token', form, async (request, response) => {
    requireSameOrigin(request, publicUrl)
    const [token, label] = [request.params.token, labelOf(request)]
    const secret = (await signIn.useLink(token, label)) ?? (await invitations.accept(token, label))
    if (secret === undefined) {
      response.status(410)
      pages.send(response, 'desk/sign-in-expired')
      return
    }
    response.append('Set-Cookie', sessionCookieOf(secret, publicUrl))
    const kept = cookieOf(request, wantedCookie, publicUrl)
    if (kept !== undefined) keepWanted(response, '', 0)
    response.redirect(
      303,
      pageOfDesk.safeParse(Buffer.from(kept ?? '', 'base64url').toString()).data ?? '/desk',
    )
  })

  router.post('/sign-out', form, async (request, response) => {
    requireSameOrigin(request, publicUrl)
    const secret = readSessionCookie(request, publicUrl)
    const session = secret === undefined ? undefined : await signIn.findSession(secret)
    if (session) await signIn.endSession(session.editorId, session.id)
    response.append('Set-Cookie', sessionCookieOf('', publicUrl))
    response.redirect(303, '/desk/sign-in')
  })

  router.use(
    showingFaults((request, response, faults) => {
      pages.send(response, 'desk/sign-in', { faults, typed: request.body as object })
    }),
  )
  return router
}

/** By what a browser calls itself, the first that fits; it may be called otherwise. */
const browsers = { Firefox: 'Firefox', Edg: 'Edge', OPR: 'Opera', Chrome: 'Chrome', Safari: 'Safari' }
const systems = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux']

/** What a person recognises a browser by: "Firefox · Linux"; empty where it says nothing. */
function labelOf(request: Request): string {
  const agent = request.get('user-agent') ?? ''
  const browser = Object.entries(browsers).find(([mark]) => agent.includes(mark))?.[1]
  const system = systems.find((name) => agent.includes(name))
  return [browser, system].filter((name) => name !== undefined).join(' · ')
}
