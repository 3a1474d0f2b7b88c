import { cadences, type Cadence, type Newsletter } from '../newsletter.ts'
import { dayMs } from '../time.ts'
import { invalid } from '../../errors.ts'

export const subscriptionStates = ['pending', 'active', 'ended'] as const
export type SubscriptionState = (typeof subscriptionStates)[number]

export type EndedReason = 'unsubscribed' | 'bounced' | 'complained' | 'erased' | 'expired' | 'refused'

/** What someone may answer when asked why they left. */
export const leaveReasons = ['too-often', 'not-relevant', 'never-asked', 'other'] as const
export type LeaveReason = (typeof leaveReasons)[number]

/** What a signup asks for; one activation mail activates all of it. */
export interface Choices {
  /** Slugs. */
  newsletters: string[]
  cadence: Cadence
  /** Alerts beside a daily or weekly digest. */
  alerts: boolean
  /** Slugs; empty means all. */
  sections: string[]
}

/** A subscription as one person has it. */
export interface Subscription {
  subscriberId: number
  newsletterId: number
  newsletter: string
  state: SubscriptionState
  endedReason: EndedReason | null
  cadence: Cadence
  alerts: boolean
  sections: string[]
  pausedUntil: Date | null
  createdAt: Date
  activatedAt: Date | null
  endedAt: Date | null
}

export interface Subscriber {
  id: number
  /** Null once erased. */
  address: string | null
  language: string
  createdAt: Date
}

/** The wanted cadence where the newsletter has it, else its first; a newsletter without any goes out by hand. */
export function cadenceOf(newsletter: Pick<Newsletter, 'cadences'>, wanted: Cadence): Cadence {
  const offered = cadences.filter((cadence) => newsletter.cadences.some((rule) => rule.cadence === cadence))
  return offered.includes(wanted) ? wanted : (offered[0] ?? 'daily')
}

/** The cadence below this one, for someone who finds it too much; undefined where there is none. */
export const lessOften = (newsletter: Pick<Newsletter, 'cadences'>, now: Cadence): Cadence | undefined =>
  now === 'daily' && newsletter.cadences.some((rule) => rule.cadence === 'weekly') ? 'weekly' : undefined

/** Whether a subscription already is what was asked for. */
export function isSameChoice(subscription: Subscription, wanted: Omit<Choices, 'newsletters'>): boolean {
  return (
    subscription.state === 'active' &&
    subscription.cadence === wanted.cadence &&
    subscription.alerts === wanted.alerts &&
    [...subscription.sections].sort().join(' ') === [...wanted.sections].sort().join(' ')
  )
}

/** A year, were it a leap year, to the end of its last day. */
const longestPauseMs = 367 * dayMs

/** @throws DomainError `paused_until_past`, `paused_until_far` */
export function requirePause(until: Date, now: Date): void {
  const field = 'pausedUntil'
  if (until <= now) throw invalid('paused_until_past', 'A pause ends on a day to come.', { field })
  if (until.getTime() - now.getTime() > longestPauseMs)
    throw invalid('paused_until_far', 'A pause ends within a year.', { field })
}
