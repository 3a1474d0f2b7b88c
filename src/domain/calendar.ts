import { dateFormat } from './formats.ts'
import { dayMs, hourMs } from './time.ts'

export function isZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return true
  } catch {
    return false
  }
}

const second = 1_000

/** Offsets lie between −12 and +14 hours: whatever the zone, a wall time is within this of the same time in UTC. */
const reach = 26 * hourMs

/** The wall clock of a zone at an instant, as the milliseconds that a clock in UTC would need to show the same. */
function wallAt(instant: number, zone: string): number {
  const [month, dayOfMonth, year, hour, minute, seconds] = dateFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
    .format(instant)
    .split(/\D+/)
    .map(Number) as [number, number, number, number, number, number]
  return Date.UTC(year, month - 1, dayOfMonth, hour, minute, seconds)
}

const offsetAt = (instant: number, zone: string): number =>
  wallAt(instant, zone) - Math.floor(instant / second) * second

export const dateOf = (wall: number): string => new Date(wall).toISOString().slice(0, 10)

/** What the clocks of a zone show, as a form's date and time: `2026-03-29T07:00`. */
export const localTimeOf = (instant: Date, zone: string): string =>
  new Date(wallAt(instant.getTime(), zone)).toISOString().slice(0, 16)

/** The calendar day in a zone at an instant, such as 2026-03-14. */
export const dateIn = (zone: string, at: Date): string => dateOf(wallAt(at.getTime(), zone))

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

/** Between one and five: when a newsroom's readers sleep. */
export function isNight(zone: string, at: Date): boolean {
  const hour = Number(dateFormat('en', { hour: 'numeric', hourCycle: 'h23', timeZone: zone }).format(at))
  return hour >= 1 && hour < 5
}

/** Days up to this one, oldest first, each `step` days after the one before. */
export const lastDates = (today: string, n: number, step = 1): string[] =>
  Array.from({ length: n }, (_, index) => dateOf(Date.parse(today) - (n - 1 - index) * step * dayMs))
