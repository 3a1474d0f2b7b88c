import { Router, type Response } from 'express'
import { z } from 'zod'
import { undoLifetimeDays } from '../domain/signups/activation.ts'
import { leaveReasons } from '../domain/subscribers/subscription.ts'
import { lenientForm } from '../http/form-body.ts'
import type { PublicForms } from '../http/public-forms.ts'
import { speak, tokenOf, tokenPage } from '../http/visitor.ts'
import type { Services } from '../services/services.ts'
import { pauseDays, type UnsubscribePage } from '../services/subscribers/subscriptions.ts'

/** The page behind a digest's unsubscribe link, and the one click of RFC 8058. */
export function unsubscribeRoutes(
  { subscriptions, subscriptionLinks }: Pick<Services, 'subscriptions' | 'subscriptionLinks'>,
  http: PublicForms,
): Router {
  const router = Router()

  const show = (response: Response, page: UnsubscribePage, more: Record<string, unknown> = {}) => {
    speak(response, page.subscriber?.language ?? '')
    http.pages.send(response, 'unsubscribe/page', {
      page,
      leaveReasons,
      pauseDays,
      undoDays: undoLifetimeDays,
      preferencesUrl: page.subscriber && subscriptionLinks.preferencesUrl(page.subscriber.id),
      ...more,
    })
  }

  router.get('/unsubscribe/:token', tokenPage, async (request, response) => {
    show(response, await subscriptions.open(tokenOf(request)))
  })

  // RFC 8058: no cookie, no session, no redirect; an action that is absent or unreadable means unsubscribe.
  router.post('/unsubscribe/:token', tokenPage, lenientForm, async (request, response) => {
    const token = tokenOf(request)
    const { ref, subscriber } = await subscriptions.open(token)
    const fields = request.body as Record<string, string>
    const done = subscriber ? await act(ref, fields) : {}
    show(response, await subscriptions.open(token), done)
  })

  type Ref = UnsubscribePage['ref']
  const act = async (ref: Ref, fields: Record<string, string>): Promise<Record<string, unknown>> => {
    switch (fields['action']) {
      case 'less-often':
        return (await subscriptions.thinOut(ref)) ? { done: 'less-often' } : {}
      case 'pause':
        return { done: 'pause', until: await subscriptions.pause(ref, Number(fields['days'])) }
      case 'leave-all':
        await subscriptions.leaveAll(ref.subscriberId)
        return { done: 'leave-all' }
      case 'undo':
        return { done: (await subscriptions.undo(ref)) ? 'undo' : 'nothing' }
      case 'reason':
        await subscriptions.noteReason(ref, reason.parse(fields['reason']))
        return { done: 'reason' }
      default:
        await subscriptions.leave(ref)
        return { done: 'leave' }
    }
  }
  return router
}

const reason = z.enum(leaveReasons).catch('other')
