import { Router, type Request, type Response } from 'express'
import { activationLifetimeDays } from '../domain/signups/activation.ts'
import { lenientForm } from '../http/form-body.ts'
import type { PublicForms } from '../http/public-forms.ts'
import { requireSameOrigin } from '../http/same-origin.ts'
import { browserOf, isPrefetch, meetVisitor, speak, tokenOf, tokenPage } from '../http/visitor.ts'
import type { ActivationPage } from '../services/signups/activate.ts'
import type { Services } from '../services/services.ts'

/**
 * The link of an activation mail. The browser that signed up needs one click; every other, a mail scanner among
 * them, gets a page with a button and changes nothing.
 */
export function activateRoutes(
  services: Pick<Services, 'activations' | 'signups' | 'subscriptionLinks' | 'expectations'>,
  http: PublicForms,
): Router {
  const { activations, signups, subscriptionLinks } = services
  const router = Router()

  const show = async (response: Response, page: ActivationPage, more: Record<string, unknown> = {}) => {
    speak(response, page.language)
    const isActivated = page.state === 'activated'
    http.pages.send(response, 'activate/page', {
      page,
      lifetimeDays: activationLifetimeDays,
      nonce: activations.nonceOf(page),
      mailboxUrl: http.mailboxUrl,
      ...(isActivated && { expectations: await services.expectations.listExpectations(page) }),
      ...(isActivated &&
        page.subscriberId !== null && {
          preferencesUrl: subscriptionLinks.preferencesUrl(page.subscriberId),
        }),
      ...more,
    })
  }

  router.get('/activate/:token', tokenPage, async (request, response) => {
    const page = await activations.open(tokenOf(request), browserOf(request, http.publicUrl))
    const isRefusing = request.query['refuse'] !== undefined
    // Express answers HEAD here too: that is no click.
    const isOneClick = request.method === 'GET' && page.isOwnBrowser && !isRefusing && !isPrefetch(request)
    const shown =
      isOneClick && page.state === 'open' ? await activations.activate(page.id, 'cookie-link') : page
    await show(response, shown, { isRefusing })
  })

  router.post('/activate/:token', tokenPage, lenientForm, async (request, response) => {
    requireSameOrigin(request, http.publicUrl)
    const { action = 'activate', nonce = '' } = request.body as Record<string, string>
    const page = await activations.open(tokenOf(request), browserOf(request, http.publicUrl))
    if (!activations.isPressed(page, nonce)) {
      response.status(422)
      await show(response, page, { isTooQuick: true, isRefusing: action === 'refuse' })
    } else if (action === 'resend') await resend(request, response, page)
    else if (action === 'refuse') await show(response, await activations.refuse(page.id))
    else await show(response, await activations.activate(page.id, 'button'))
  })

  const resend = async (request: Request, response: Response, page: ActivationPage) => {
    const visitor = await meetVisitor(request, response, http)
    if (page.state === 'expired') await signups.repeat(page.id, visitor)
    speak(response, page.language)
    http.pages.send(response, 'subscribe/check-your-inbox', { mailboxUrl: http.mailboxUrl })
  }
  return router
}
