import express, { Router, type Response } from 'express'
import { keptDays } from '../domain/retention.ts'
import { anyFormOf, lenientForm } from '../http/form-body.ts'
import { locate } from '../http/language.ts'
import { showingFaults, wantsJson, type PublicForms } from '../http/public-forms.ts'
import { signupCost } from '../http/rate-limit.ts'
import { requireSameOrigin } from '../http/same-origin.ts'
import { speak, tokenOf, tokenPage } from '../http/visitor.ts'
import type { ConfirmPage } from '../services/responses/written-responses.ts'
import type { Services } from '../services/services.ts'

const bodyLimit = 128 * 1024

/** Responses of readers: the form under an article, and the link of the mail that asks to confirm. */
export function responseRoutes(
  { signups, site, writtenResponses }: Pick<Services, 'signups' | 'site' | 'writtenResponses'>,
  http: PublicForms,
): Router {
  const router = Router()

  router.post(
    '/articles/:slug/responses',
    express.json({ limit: bodyLimit }),
    anyFormOf(bodyLimit),
    async (request, response) => {
      await http.signupLimit.consume(
        http.clientAddress(request),
        signupCost(signups.hasReadForm(request.body)),
      )
      const language = await writtenResponses.respond(String(request.params['slug']), request.body)
      response.set('Cache-Control', 'no-store')
      if (wantsJson(request)) response.status(202).json({ status: 'check-your-inbox' })
      else http.pages.send(response, 'respond', { state: 'sent', language, mailboxUrl: http.mailboxUrl })
    },
  )

  const show = (response: Response, page: ConfirmPage, more: object = {}) => {
    speak(response, page.written?.language ?? '')
    http.pages.send(response, 'respond', {
      state: page.state,
      written: page.written,
      nonce: writtenResponses.nonceOf(page),
      ...more,
    })
  }

  router.get('/respond/:token', tokenPage, async (request, response) => {
    const page = await writtenResponses.open(tokenOf(request))
    show(response, page, { isRefusing: request.query['refuse'] !== undefined })
  })

  // A button, for everyone: programs that follow the links of a mail confirm nothing.
  router.post('/respond/:token', tokenPage, lenientForm, async (request, response) => {
    requireSameOrigin(request, http.publicUrl)
    const { action, nonce = '' } = request.body as Record<string, string>
    const page = await writtenResponses.open(tokenOf(request))
    const isRefusing = action === 'refuse'
    if (!writtenResponses.isPressed(page, nonce)) {
      response.status(422)
      show(response, page, { isTooQuick: true, isRefusing })
      return
    }
    const { id } = page
    show(response, {
      ...page,
      state: await (isRefusing ? writtenResponses.refuse(id) : writtenResponses.confirm(id)),
    })
  })

  // The article again, with the form as it was filled in, under a fresh stamp.
  router.use(
    showingFaults(async (request, response, faults) => {
      const slug = decodeURIComponent(request.path.split('/')[2] ?? '')
      const found = await site.article(slug, locate(response).publication)
      if (found.article?.respondAt !== 'here') return false
      http.pages.send(response, 'article', {
        ...found,
        language: found.article.language,
        stamp: signups.formStamp(),
        responderDays: keptDays.responders,
        faults,
        typed: request.body as object,
      })
      return true
    }),
  )
  return router
}
