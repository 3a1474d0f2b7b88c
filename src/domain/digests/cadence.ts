import { dateIn, dateOf, firstInstantOf } from '../calendar.ts'
import type { Schedule } from '../newsletter.ts'
import { lookBackHours, type Digest } from './digest.ts'
import { dayMs, hourMs } from '../time.ts'

/** One scheduled digest: the calendar day it belongs to, where the newsletter lives, and the instant it is due. */
export interface Occurrence {
  /** YYYY-MM-DD in the schedule's zone; with newsletter and cadence it names the digest. */
  localDate: string
  /** It names the digest too where a day has several. */
  localTime: string | null
  at: Date
}

const weekdayOf = (midnight: number): number => new Date(midnight).getUTCDay() || 7

/** Monday of its week: as many days from any other as their weeks are apart. */
const mondayOf = (midnight: number): number => midnight - (weekdayOf(midnight) - 1) * dayMs

function hasDay(schedule: Schedule, localDate: string): boolean {
  const midnight = Date.parse(`${localDate}T00:00:00Z`)
  if (schedule.skip.includes(localDate)) return false
  if (schedule.cadence === 'daily') return schedule.weekdays.includes(weekdayOf(midnight))
  if (schedule.weekday !== weekdayOf(midnight)) return false
  const { every, anchor, ofMonth } = schedule
  const date = new Date(midnight)
  if (ofMonth === 'last') return new Date(midnight + 7 * dayMs).getUTCMonth() !== date.getUTCMonth()
  if (ofMonth !== null) return Math.ceil(date.getUTCDate() / 7) === ofMonth
  const weeks = (mondayOf(midnight) - mondayOf(Date.parse(`${anchor ?? localDate}T00:00:00Z`))) / (7 * dayMs)
  return weeks % every === 0
}

/** When the digests of a calendar day are due: none where the schedule or the zone leaves it out (Samoa had no 30 December 2011). */
export function occurrencesOn(schedule: Schedule, localDate: string): Occurrence[] {
  if (!hasDay(schedule, localDate)) return []
  const midnight = Date.parse(`${localDate}T00:00:00Z`)
  if (dateIn(schedule.zone, new Date(firstInstantOf(midnight, schedule.zone))) !== localDate) return []
  const times = schedule.cadence === 'daily' ? schedule.times : [schedule.time]
  return times.map((time) => ({
    localDate,
    localTime: times.length > 1 ? time : null,
    at: new Date(firstInstantOf(Date.parse(`${localDate}T${time}:00Z`), schedule.zone)),
  }))
}

/** Days looked through, from the nearest on. */
function* occurrencesFrom(schedule: Schedule, start: Date, days: number): Generator<Occurrence> {
  const first = Date.parse(`${dateIn(schedule.zone, start)}T00:00:00Z`)
  const step = Math.sign(days)
  // From the day before: a time in a gap at the end of a day falls on the next one.
  for (let n = -1; n <= Math.abs(days); n += 1) {
    const found = occurrencesOn(schedule, dateOf(first + n * step * dayMs))
    yield* step > 0 ? found : found.reverse()
  }
}

/** The first occurrence strictly after an instant; undefined where there is none for a year. */
export function nextOccurrence(schedule: Schedule, after: Date): Occurrence | undefined {
  for (const found of occurrencesFrom(schedule, after, 365)) if (found.at > after) return found
  return undefined
}

/** The last one strictly before an instant; undefined where there is none within the longest look-back. */
export function lastOccurrence(schedule: Schedule, before: Date): Occurrence | undefined {
  for (const found of occurrencesFrom(schedule, before, -36)) if (found.at < before) return found
  return undefined
}

/** The occurrence that a digest is of, by its schedule as it is now; undefined where that leaves its day out. */
function occurrenceOf(
  { localDate, localTime }: Pick<Digest, 'localDate' | 'localTime'>,
  schedule: Schedule,
): Occurrence | undefined {
  const own = localDate === null ? [] : occurrencesOn(schedule, localDate)
  return own.find((one) => one.localTime === localTime) ?? own[0]
}

/** When the digest after one that starts at `at` is due: one that goes before its time takes the place of its own. */
export function findFollowing(
  digest: Pick<Digest, 'localDate' | 'localTime'>,
  schedule: Schedule,
  at: Date,
): Date | undefined {
  const own = occurrenceOf(digest, schedule)
  return nextOccurrence(schedule, own && own.at > at ? own.at : at)?.at
}

/** 35 days by the clock on the wall, which may have been put back by up to two hours meanwhile. */
const mostLookBackMs = 35 * dayMs + 2 * hourMs

/** Where the look-back of a digest that is due at `at` begins: at the occurrence before its own, within bounds. */
export function lookBackStart(
  digest: Pick<Digest, 'cadence' | 'localDate' | 'localTime'>,
  schedule: Schedule | undefined,
  at: Date,
): Date {
  const due = schedule && occurrenceOf(digest, schedule)
  const last = schedule && lastOccurrence(schedule, due?.at ?? at)
  const least = at.getTime() - lookBackHours[digest.cadence] * hourMs
  const most = at.getTime() - mostLookBackMs
  return new Date(Math.max(most, Math.min(least, last?.at.getTime() ?? (schedule ? most : least))))
}
