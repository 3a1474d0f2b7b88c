import { z } from 'zod'
import { cadences } from '../../domain/newsletter.ts'
import { subscriptionStates } from '../../domain/subscribers/subscription.ts'

/** As the API shows them. */
export const subscriberShape = z.object({
  id: z.int(),
  email: z.string().nullable().describe('null once erased'),
  language: z.string(),
  subscriptions: z.array(
    z.object({
      newsletter: z.string(),
      state: z.enum(subscriptionStates),
      cadence: z.enum(cadences),
      alerts: z.boolean(),
      sections: z.array(z.string()),
      pausedUntil: z.iso.datetime().nullable(),
    }),
  ),
  suppressed: z.boolean(),
})

const consent = z.object({
  at: z.iso.datetime(),
  givenAt: z.iso.datetime().nullable().describe('When consent was given, where an import states it'),
  event: z.string(),
  newsletter: z.string().nullable(),
  method: z.string().nullable(),
  basis: z.string().nullable(),
  source: z.string().nullable(),
  reason: z.string().nullable(),
})

export const subscriberWithConsents = subscriberShape.extend({ consents: z.array(consent) })
