import express, { Router, type Request, type Response } from 'express'
import { z } from 'zod'
import { undoLifetimeDays } from '../domain/signups/activation.ts'
import { anyFormOf } from '../http/form-body.ts'
import { listOf } from '../http/form-fields.ts'
import { sendsJson } from '../http/problem.ts'
import { showingFaults, type PublicForms } from '../http/public-forms.ts'
import { requireSameOrigin } from '../http/same-origin.ts'
import { meetVisitor, speak, tokenOf, tokenPage } from '../http/visitor.ts'
import { readPreferencesForm } from '../services/subscribers/preferences-input.ts'
import type { PreferencesPage } from '../services/subscribers/preferences.ts'
import type { Services } from '../services/services.ts'

const emailForm = z.object({ email: z.string().max(1_000) })
const tokenForm = z.object({
  action: z.string().max(40).default('save'),
  nonce: z.string().max(200).default(''),
})

/** "Mail me my link", and the preference centre behind it. */
export function preferencesRoutes(
  services: Pick<Services, 'preferences' | 'signups' | 'subscriptions' | 'subscriptionLinks'>,
  http: PublicForms,
): Router {
  const { preferences, signups, subscriptions, subscriptionLinks } = services
  const router = Router()
  const form = anyFormOf(64 * 1024)

  router.get('/preferences', (_request, response) => {
    response.set('Cache-Control', 'no-store')
    http.pages.send(response, 'preferences/ask', { isSwitchable: true })
  })

  router.post('/preferences', form, express.json({ limit: 4_096 }), async (request, response) => {
    response.set('Cache-Control', 'no-store')
    const visitor = await meetVisitor(request, response, http)
    await signups.requestLink(emailForm.parse(request.body).email, visitor)
    if (sendsJson(request)) response.status(202).json({ status: 'check-your-inbox' })
    else showLinkSent(response)
  })

  const showLinkSent = (response: Response, more: object = {}) => {
    http.pages.send(response, 'preferences/link-sent', { mailboxUrl: http.mailboxUrl, ...more })
  }

  /** The page behind the link; what follows, errors too, is in the language of its person. */
  const open = async (request: Request, response: Response): Promise<PreferencesPage> => {
    const page = await preferences.open(tokenOf(request))
    speak(response, page.subscriber.language)
    return page
  }

  const show = (response: Response, page: PreferencesPage, more: Record<string, unknown> = {}) => {
    http.pages.send(response, 'preferences/centre', {
      page,
      nonce: preferences.nonceOf(page),
      pausedUntil: page.pauses.at(-1),
      ...more,
    })
  }

  router.get('/preferences/:token', tokenPage, async (request, response) => {
    show(response, await open(request, response))
  })

  router.post('/preferences/:token', tokenPage, form, async (request, response) => {
    requireSameOrigin(request, http.publicUrl)
    const page = await open(request, response)
    const { action, nonce } = tokenForm.parse(request.body)
    preferences.requireNonce(page, nonce)
    await act(action, page, { request, response })
  })

  const act = async (action: string, page: PreferencesPage, { request, response }: Exchange) => {
    switch (action) {
      case 'mail-link':
        await signups.requestLink(page.subscriber.address ?? '', await meetVisitor(request, response, http))
        showLinkSent(response)
        return
      case 'download':
        response.attachment('depeche.json').json(await preferences.download(page))
        return
      case 'change-address':
        preferences.requireFresh(page)
        await signups.requestAddressChange(
          page.subscriberId,
          emailForm.parse(request.body).email,
          await meetVisitor(request, response, http),
        )
        showLinkSent(response, { isAddressChange: true })
        return
      case 'erase':
        await preferences.erase(page)
        http.pages.send(response, 'preferences/erased')
        return
      case 'leave-all': {
        const { subscriberId } = page
        const left = await subscriptions.leaveAll(subscriberId)
        // Whoever has just left may come back as from a digest's link, whichever link this page has.
        const undos = page.newsletters
          .filter(({ newsletter, subscription }) => left.includes(newsletter.id) && subscription?.activatedAt)
          .map(({ newsletter: { id, name } }) => ({
            name,
            url: subscriptionLinks.unsubscribeUrl({ subscriberId, newsletterId: id, digestId: 0 }),
          }))
        show(response, await open(request, response), { hasLeft: true, undos, undoDays: undoLifetimeDays })
        return
      }
      default: {
        await preferences.save(page, readPreferencesForm(request.body))
        show(response, await open(request, response), { isSaved: true })
      }
    }
  }
  router.use(
    '/preferences/:token',
    showingFaults(async (request, response, faults) => {
      const page = await open(request, response)
      const typed = request.body as Record<string, unknown>
      if (typed['language'] === undefined) show(response, page, { faults, typed })
      else show(response, asTyped(page, typed), { faults, typed, pausedUntil: typed['pausedUntil'] })
    }),
  )
  router.use(
    '/preferences',
    showingFaults((request, response, faults) => {
      http.pages.send(response, 'preferences/ask', {
        isSwitchable: true,
        faults,
        typed: request.body as object,
      })
    }),
  )
  return router
}

/** The choices of the form that was sent, to be shown again. */
const asTyped = (page: PreferencesPage, fields: Record<string, unknown>): PreferencesPage => ({
  ...page,
  newsletters: page.newsletters.map((item) => {
    const { slug } = item.newsletter
    const typed = {
      state: listOf(fields['newsletters']).includes(slug) ? 'active' : 'ended',
      cadence: fields[`cadence.${slug}`],
      alerts: fields[`alerts.${slug}`],
      sections: listOf(fields[`sections.${slug}`]),
    }
    return { ...item, typed }
  }),
})

interface Exchange {
  request: Request
  response: Response
}
