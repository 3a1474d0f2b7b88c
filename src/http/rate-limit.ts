import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible'
import { DomainError, throttled } from '../errors.ts'
import type { ClientAddress } from './client-address.ts'

/** So many points in so many seconds. */
export interface Window {
  name: string
  points: number
  seconds: number
}

export interface RateLimit {
  /** Counts a request of this client. @throws DomainError `too_many_requests` with the seconds to wait */
  consume(client: string, points?: number): Promise<void>
}

// Calls of the API with a key are not limited.

/** Generous, for behind one carrier's address there may be a town: 60 points are 30 signups by our own form (`signupCost`). */
const signupWindows: Window[] = [
  { name: 'signup-10m', points: 60, seconds: 600 },
  { name: 'signup-day', points: 600, seconds: 86_400 },
]

/** A site of IPv6 has 65,536 networks of a household: a campus, or one machine that takes them in turn. */
const siteWindows: Window[] = signupWindows.map(({ name, points, seconds }) => ({
  name: `${name}-site`,
  points: points * 5,
  seconds,
}))

/** Of links to the desk, asked for from one place: an office signs in from one address. */
export const signInWindows: Window[] = [
  { name: 'sign-in-10m', points: 30, seconds: 600 },
  { name: 'sign-in-day', points: 300, seconds: 86_400 },
]

/** A visitor's views of one article, which count once a day. */
export const viewWindows: Window[] = [{ name: 'view', points: 1, seconds: 86_400 }]

/** Views from one place, whatever browsers it names: a machine names another each time. What is more counts no view. */
export const viewersWindows: Window[] = [
  { name: 'viewers-10m', points: 300, seconds: 600 },
  { name: 'viewers-day', points: 3_000, seconds: 86_400 },
]

/** Trackbacks of one site: each is a visit of ours. */
export const trackbackWindows: Window[] = [{ name: 'trackback', points: 10, seconds: 3_600 }]

/** Rings of one site from one place: what is more is thanked, and the site looked at in its time. */
export const ringWindows: Window[] = [{ name: 'ring', points: 30, seconds: 600 }]

/** Counts one, and tells whether the limit holds it. */
export const isWithin = (limit: RateLimit, name: string): Promise<boolean> =>
  limit.consume(name).then(
    () => true,
    (error: unknown) => {
      if (error instanceof DomainError) return false
      throw error
    },
  )

/** What one signup costs: twice as much from a form that is not ours. */
export const signupCost = (hasStamp: boolean): number => (hasStamp ? 2 : 4)

export type SignupLimit = ReturnType<typeof createSignupLimit>

export function createSignupLimit(open: (window: Window) => RateLimiterAbstract) {
  const ofClient = createRateLimit(signupWindows, open)
  const ofSite = createRateLimit(siteWindows, open)
  return {
    /** @throws DomainError `too_many_requests` */
    async consume({ limitKey, prefix }: ClientAddress, cost: number): Promise<void> {
      await ofClient.consume(limitKey, cost)
      if (prefix.endsWith('/48')) await ofSite.consume(prefix, cost)
    },
  }
}

/** @param open makes the counter of one window, wherever counts are kept */
export function createRateLimit(windows: Window[], open: (window: Window) => RateLimiterAbstract): RateLimit {
  const limiters = windows.map(open)
  return {
    async consume(client, points = 1) {
      const outcomes = await Promise.allSettled(limiters.map((limiter) => limiter.consume(client, points)))
      const refusals = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
      )
      const exceeded = refusals.filter((refusal) => refusal instanceof RateLimiterRes)
      if (exceeded.length > 0) {
        const waitMs = Math.max(...exceeded.map((refusal) => refusal.msBeforeNext))
        throw throttled('too_many_requests', 'Too many requests from here; wait a little.', {
          retryAfterSeconds: Math.ceil(waitMs / 1000),
        })
      }
      if (refusals.length > 0) throw new Error('a limit could not be counted', { cause: refusals[0] })
    },
  }
}
