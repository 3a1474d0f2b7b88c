import type { ScheduledCadenceRule } from '../newsletter.ts'

/** One scheduled digest: the calendar day it belongs to, where the newsletter lives, and the instant it is due. */
export interface Occurrence {
  /** YYYY-MM-DD in the rule's zone; with newsletter and cadence it names the digest. */
  localDate: string
  at: Date
}

const second = 1_000
const day = 86_400_000

/** Offsets lie between −12 and +14 hours: whatever the zone, a wall time is within this of the same time in UTC. */
const reach = 26 * 3_600_000

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const digits = {
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  } as const
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    ...digits,
  })
  formats.set(zone, format)
  return format
}

/** The wall clock of a zone at an instant, as the milliseconds that a clock in UTC would need to show the same. */
function wallAt(instant: number, zone: string): number {
  const [month, dayOfMonth, year, hour, minute, seconds] = formatOf(zone)
    .format(instant)
    .split(/\D+/)
    .map(Number) as [number, number, number, number, number, number]
  return Date.UTC(year, month - 1, dayOfMonth, hour, minute, seconds)
}

const offsetAt = (instant: number, zone: string): number =>
  wallAt(instant, zone) - Math.floor(instant / second) * second

const dateOf = (wall: number): string => new Date(wall).toISOString().slice(0, 10)

/** What the clocks of a zone show, as a form's date and time: `2026-03-29T07:00`. */
export const localTimeOf = (instant: Date, zone: string): string =>
  new Date(wallAt(instant.getTime(), zone)).toISOString().slice(0, 16)

export const localDateOf = (instant: Date, zone: string): string => dateOf(wallAt(instant.getTime(), zone))

/**
 * The first instant at which the clocks of a zone show `wall` or later: the only one on an ordinary day, the
 * first of two where clocks go back, the end of the gap where they go forward over it.
 */
export function firstInstantOf(wall: number, zone: string): number {
  const before = offsetAt(wall - reach, zone)
  const after = offsetAt(wall + reach, zone)
  const exact = [wall - before, wall - after].filter((instant) => wallAt(instant, zone) === wall)
  if (exact.length > 0) return Math.min(...exact)
  return findChange(wall - reach, wall + reach, zone)
}

/** The first instant after `from` with another offset than `from`'s; there is one change up to `to`. */
function findChange(from: number, to: number, zone: string): number {
  const offset = offsetAt(from, zone)
  let low = Math.floor(from / second)
  let high = Math.ceil(to / second)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle * second, zone) === offset) low = middle
    else high = middle
  }
  return high * second
}

/**
 * When a digest of a calendar day is due. Undefined where the rule has none on that day: another weekday, or a day
 * that the zone left out (Samoa had no 30 December 2011).
 */
export function occurrenceOn(rule: ScheduledCadenceRule, localDate: string): Occurrence | undefined {
  const midnight = Date.parse(`${localDate}T00:00:00Z`)
  const weekday = new Date(midnight).getUTCDay() || 7
  if (rule.cadence === 'weekly' && rule.weekday !== weekday) return undefined
  if (dateOf(wallAt(firstInstantOf(midnight, rule.zone), rule.zone)) !== localDate) return undefined
  const at = firstInstantOf(Date.parse(`${localDate}T${rule.time}:00Z`), rule.zone)
  return { localDate, at: new Date(at) }
}

/** The first occurrence strictly after an instant. */
export function nextOccurrence(rule: ScheduledCadenceRule, after: Date): Occurrence {
  // From the day before: a time in a gap at the end of a day falls on the next one.
  const start = Date.parse(`${localDateOf(after, rule.zone)}T00:00:00Z`) - day
  for (let n = 0; n <= 16; n += 1) {
    const found = occurrenceOn(rule, dateOf(start + n * day))
    if (found && found.at > after) return found
  }
  throw new Error(`no ${rule.cadence} occurrence within two weeks`)
}
