import { dayMs, hourMs } from '../time.ts'

/** How much mail the relay takes, and what of it is left: for all workers together. */

export type RateUnit = 's' | 'h' | 'd'
export type RateLimits = Partial<Record<RateUnit, number>>
/** Who asks for leave to send. */
export type MailClass = 'digests' | 'personal'

/** What was let out, in milliseconds of the database's clock. Plain JSON. */
export interface Spent {
  /** Of `s`: when the next message may go. */
  nextAt: number
  /** Until then digests wait, for a person does. */
  yieldUntil: number
  /** Of `h` and `d`: messages by slice of time, oldest first. */
  slices: Partial<Record<'h' | 'd', Slices>>
}

type Slices = [slice: number, n: number][]

export const nothingSpent: Spent = { nextAt: 0, yieldUntil: 0, slices: {} }

interface Asking {
  now: number
  mailClass: MailClass
  wanted: number
}

const windowMs = { h: hourMs, d: dayMs } as const
const windows = ['h', 'd'] as const
/** An hour or a day is counted in so many slices; one counts until a whole hour or day after the last message of it left. */
const slicesPerWindow = 60
/** How long after a grant its message may leave. */
const longestUseMs = 30_000
/** Messages a second are spaced, a twentieth wider than they need be; whoever comes late may catch up so much. */
const spacing = 1.05
const catchUpMs = 40
/** How long a person who found nothing left keeps digests from asking; they ask again before. */
const yieldMs = 1_500
const longestRetryMs = 1_000

const sliceMs = (unit: 'h' | 'd') => windowMs[unit] / slicesPerWindow
/** A twentieth of an hour or a day is for people who wait for a mail; digests leave it. */
const kept = (limit: number) => (limit > 1 ? Math.ceil(limit / 20) : 0)
const allowed = (limit: number, mailClass: MailClass) =>
  mailClass === 'personal' ? limit : limit - kept(limit)
const spaceMs = (perSecond: number) => (1_000 / perSecond) * spacing
const sliceOf = (unit: 'h' | 'd', at: number) => Math.floor(at / sliceMs(unit))
/** When what left in a slice counts no longer. */
const freeAt = (unit: 'h' | 'd', slice: number) => (slice + 1) * sliceMs(unit) + longestUseMs + windowMs[unit]

/** @returns undefined where the text is no rate; see docs/configuration.md */
export function readRate(text: string): RateLimits | undefined {
  const limits: RateLimits = {}
  for (const word of text.trim().split(/\s+/)) {
    const [, number = '', unit = 's'] = /^([1-9]\d{0,8})(?:\/([shd]))?$/.exec(word) ?? []
    if (number === '' || limits[unit as RateUnit] !== undefined) return undefined
    limits[unit as RateUnit] = Number(number)
  }
  return limits
}

/** As an operator writes it. */
export const formatRate = (limits: RateLimits): string =>
  (['s', 'h', 'd'] as const)
    .flatMap((unit) => (limits[unit] === undefined ? [] : [`${limits[unit]}/${unit}`]))
    .join(' ')

const currentSlices = (spent: Spent, unit: 'h' | 'd', now: number): Slices =>
  (spent.slices[unit] ?? []).filter(([slice]) => freeAt(unit, slice) > now)
const sumOf = (slices: Slices) => slices.reduce((sum, [, n]) => sum + n, 0)

/**
 * Leave for up to `wanted` messages, to be used at once. In no hour and no day more than the limit gets leave, and in
 * no second, whatever was let out before: nothing is saved up.
 * @returns `spent` is undefined where nothing has changed; where nothing was granted, `retryMs` says when to ask again
 */
export function spend(limits: RateLimits, spent: Spent, { now, mailClass, wanted }: Asking) {
  // A clock that was set back must not hold mail for as long.
  const nextAt = spent.nextAt > now + 2 * spaceMs(1) ? now : spent.nextAt
  const yields = mailClass === 'digests' && spent.yieldUntil > now && spent.yieldUntil <= now + yieldMs
  let granted = yields ? 0 : wanted
  let retryAt = yields ? now + 50 : now
  const space = limits.s === undefined ? 0 : spaceMs(limits.s)
  const startAt = Math.max(nextAt, now - catchUpMs)
  if (limits.s !== undefined) {
    granted = Math.min(granted, Math.max(0, Math.floor((now - startAt) / space) + 1))
    retryAt = Math.max(retryAt, startAt)
  }
  for (const unit of windows) {
    const limit = limits[unit]
    if (limit === undefined) continue
    const current = currentSlices(spent, unit, now)
    const left = allowed(limit, mailClass) - sumOf(current)
    if (left <= 0) retryAt = Math.max(retryAt, freeAt(unit, current[0]?.[0] ?? 0))
    granted = Math.min(granted, Math.max(0, left))
  }
  const retryMs = Math.min(longestRetryMs, Math.max(10, retryAt - now))
  if (granted === 0) {
    const hasToYield = mailClass === 'personal'
    return { granted, retryMs, spent: hasToYield ? { ...spent, yieldUntil: now + yieldMs } : undefined }
  }
  const slices = changed(limits, spent, now, (current, unit) => added(current, sliceOf(unit, now), granted))
  const yieldUntil = mailClass === 'personal' ? 0 : spent.yieldUntil
  return { granted, retryMs, spent: { nextAt: startAt + granted * space, yieldUntil, slices } }
}

/**
 * Leave that was not used.
 * @param of.at no later than it was granted: what is put back into an older slice counts no shorter for it
 */
export function putBack(
  limits: RateLimits,
  spent: Spent,
  { now, at, n }: { now: number; at: number; n: number },
): Spent {
  const slices = changed(limits, spent, now, (current, unit) =>
    current.map(([slice, m]) => [slice, slice === sliceOf(unit, at) ? Math.max(0, m - n) : m]),
  )
  return { ...spent, slices }
}

/**
 * Seconds until the last of `n` messages of digests may go, where nobody else sends meanwhile; 0 where all may go now.
 */
export function secondsFor(limits: RateLimits, spent: Spent, { now, n }: { now: number; n: number }): number {
  /** A day that is used up opens again as it was used; what is left for it then goes at the pace of its hours. */
  const waitMs = (n: number, [unit, ...shorter]: readonly ('d' | 'h')[]): number => {
    if (unit === undefined) return limits.s === undefined ? 0 : (n - 1) * spaceMs(limits.s)
    const limit = limits[unit]
    if (limit === undefined) return waitMs(n, shorter)
    const share = allowed(limit, 'digests')
    const turns = Math.floor((n - 1) / share)
    const last = n - turns * share
    const current = currentSlices(spent, unit, now)
    let left = share - sumOf(current)
    let openAt = now
    for (const [slice, m] of current) {
      if (left >= last) break
      left += m
      openAt = freeAt(unit, slice)
    }
    return turns * freeAt(unit, 0) + Math.max(openAt - now, waitMs(last, shorter))
  }
  return n > 0 ? Math.ceil(waitMs(n, ['d', 'h']) / 1_000) : 0
}

/** The slices of each limit that still count. */
function changed(
  limits: RateLimits,
  spent: Spent,
  now: number,
  change: (current: Slices, unit: 'h' | 'd') => Slices,
): Spent['slices'] {
  return Object.fromEntries(
    windows
      .filter((unit) => limits[unit] !== undefined)
      .map((unit) => [unit, change(currentSlices(spent, unit, now), unit)]),
  )
}

function added(current: Slices, slice: number, n: number): Slices {
  const before = current.find(([one]) => one === slice)
  return before ? current.map(([one, m]) => [one, one === slice ? m + n : m]) : [...current, [slice, n]]
}
