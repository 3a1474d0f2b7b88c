import express, { Router, type Request, type Response } from 'express'
import { anyFormOf } from '../http/form-body.ts'
import { listOf } from '../http/form-fields.ts'
import { signupCost } from '../http/rate-limit.ts'
import { keepBrowser, languageOf, visitorOf } from '../http/visitor.ts'
import { showingFaults, wantsJson, type PublicForms } from '../http/public-forms.ts'
import type { Services } from '../services/services.ts'

/** Beyond any form, so that even an absurd address is told what is wrong with it. */
const bodyLimit = 128 * 1024

/** The signup page, and signing up as a form or as JSON: one handler, one answer for every address. */
export function subscribeRoutes({ signups }: Pick<Services, 'signups'>, http: PublicForms): Router {
  const router = Router()

  const showForm = async (response: Response, more: Record<string, unknown> = {}) => {
    http.pages.send(response, 'subscribe/form', {
      ...(await signups.offer(listOf(more['chosen']))),
      stamp: signups.formStamp(),
      typed: {},
      isSwitchable: true,
      ...more,
    })
  }

  router.get('/subscribe', async (request, response) => {
    response.set('Cache-Control', 'no-store')
    if (request.query['embed'] === 'html') http.pages.send(response, 'subscribe/embed', await signups.offer())
    else await showForm(response, { chosen: listOf(request.query['newsletters']) })
  })

  router.post(
    '/subscribe',
    express.json({ limit: bodyLimit }),
    anyFormOf(bodyLimit),
    async (request, response) => {
      const body = fieldsOf(request.body)
      const client = http.clientAddress(request)
      // What is told at once depends on the text alone: it asks for no mail, and does not count.
      const signup = await signups.read(body, languageOf(response))
      await http.signupLimit.consume(client, signupCost(signups.hasReadForm(body)))
      const browser = keepBrowser(request, response, http.publicUrl)
      await signups.signUp(signup, visitorOf(request, response, { client, browser }))
      answer(request, response)
    },
  )

  const answer = (request: Request, response: Response) => {
    response.set('Cache-Control', 'no-store')
    if (wantsJson(request)) response.status(202).json({ status: 'check-your-inbox' })
    else http.pages.send(response, 'subscribe/check-your-inbox', { mailboxUrl: http.mailboxUrl })
  }

  // What a person mistyped, or sent too late, stands in the form as they filled it in, under a fresh stamp.
  router.use(
    showingFaults((request, response, faults) => {
      const typed = fieldsOf(request.body)
      const chosen = listOf(typed['newsletters'])
      return showForm(response, { faults, typed: { ...typed, sections: listOf(typed['sections']) }, chosen })
    }),
  )
  return router
}

/** Forms of other sites may write `newsletters[]`; the names are the same. */
function fieldsOf(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {}
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name.replace(/\[\]$/, ''), value as unknown]),
  )
}
