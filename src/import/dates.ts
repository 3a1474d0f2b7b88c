import { firstInstantOf } from '../domain/calendar.ts'
import { asciiDigits } from '../domain/text.ts'

const months = [
  'january jan janvier janv يناير جانفي كانون_الثاني',
  'february feb février févr fév فبراير فيفري شباط',
  'march mar mars مارس آذار',
  'april apr avril avr أبريل إبريل أفريل نيسان',
  'may mai مايو ماي أيار',
  'june jun juin يونيو يونيه جوان حزيران',
  'july jul juillet juil يوليو يوليه جويلية يوليوز تموز',
  'august aug août أغسطس أوت غشت آب',
  'september sep sept septembre سبتمبر شتنبر أيلول',
  'october oct octobre أكتوبر تشرين_الأول',
  'november nov novembre نوفمبر نونبر تشرين_الثاني',
  'december dec décembre déc ديسمبر دجنبر كانون_الأول',
]
const weekdays =
  'monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun ' +
  'lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim ' +
  'الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد'
const connectives = 'le à at on the de of er st nd rd th يوم في على الساعة سنة'

/** Hours east of UTC, of the abbreviations that feeds are written with; others are UTC (RFC 5322 §4.3). */
const zones: Record<string, number> = Object.fromEntries(
  (
    'wet 0, west 1, bst 1, cet 1, mez 1, cest 2, mesz 2, eet 2, eest 3, msk 3, trt 3, wat 1, cat 2, sast 2, eat 3, ' +
    'gst 4, pkt 5, ist 5.5, sgt 8, hkt 8, awst 8, jst 9, kst 9, acst 9.5, aest 10, aedt 11, nzst 12, nzdt 13, ' +
    'brt -3, art -3, ndt -2.5, nst -3.5, adt -3, ast -4, edt -4, est -5, cdt -5, cst -6, mdt -6, mst -7, pdt -7, ' +
    'pst -8, akdt -8, akst -9, hst -10'
  )
    .split(', ')
    .map((zone) => zone.split(' '))
    .map(([name = '', hours]) => [name, Number(hours)]),
)

/** Without case, accents, hamza, marks of direction and abbreviation; digits as ASCII has them. */
const fold = (text: string): string =>
  asciiDigits(text.normalize('NFKD'))
    .replace(/[\p{M}\p{Cf}ـ]|(?<=\p{L})\./gu, '')
    .replaceAll('−', '-')
    .toLowerCase()

const monthByName = new Map(
  months.flatMap((names, index) =>
    fold(names)
      .split(' ')
      .map((name) => [name.replace('_', ' '), index] as const),
  ),
)
const passedOver = new Set(fold(`${weekdays} ${connectives}`).split(' '))
const longestFirst = [...monthByName.keys()].sort((a, b) => b.length - a.length)
const monthName = new RegExp(`(?<!\\p{L})(?:${longestFirst.join('|')})(?!\\p{L})`, 'gu')
const clock =
  /(?<!\d)(\d{1,2})(?:\s?[:h]\s?(\d\d)(?::(\d\d?)(?:[.,]\d+)?)?(?!\d)|\s?h(?!\p{L}))(?:\s?(am|pm|ص|م|صباحا|مساء)(?!\p{L}))?/u
const zoneBehind =
  /^\s*(?:(?:z|utc?|gmt)?\s?([+-])(\d{1,2}):?(\d\d)?(?!\d)|([a-z]+\/[a-z_/]+)|([a-z]{1,5})(?!\p{L}))/u

/** Year, month (from 0) and day. */
type Day = [number, number, number]

interface Time {
  /** Milliseconds since midnight. */
  wall: number
  /** Milliseconds east of UTC, or the name of a zone. */
  zone: number | string | undefined
  /** What stands around it. */
  left: string
}

/**
 * The instant that `text` says, in any form that feeds and exports of any age write dates in, French and Arabic
 * ones too; else undefined. A day and a month that may be taken for one another are not guessed, and the zeros of
 * programs (year 0, 1970-01-01T00:00:00Z) are no dates.
 * @param zone where a time without one was written
 */
export function readDate(text: string, zone: string): Date | undefined {
  const folded = fold(text.slice(0, 200))
    .replace(/\([^()]*\)|\[[^[\]]*\]/g, ' ')
    .replace(/[\s,\u060C]+/g, ' ')
    .trim()
  const epoch = /^\d{10}(?:\d{3})?$/.test(folded) ? Number(folded.padEnd(13, '0')) : undefined
  const instant = epoch ?? instantOf(folded, zone)
  if (instant === undefined || instant === 0) return undefined
  const date = new Date(instant)
  return date.getUTCFullYear() >= 1900 && date.getUTCFullYear() < 2200 ? date : undefined
}

function instantOf(text: string, zone: string): number | undefined {
  const { day: inDigits, rest } = dayInDigits(text) ?? { rest: text }
  const time = timeOf(rest)
  const day = time && (inDigits ? time.left.trim() === '' && inDigits : dayInWords(time.left))
  if (!time || !day) return undefined
  const midnight = Date.UTC(...day)
  // Years before 100 are taken for those of the last century, the 30th of February for a day in March.
  const [year, month, date] = day
  if (year < 1900 || new Date(midnight).getUTCMonth() !== month || date < 1) return undefined
  const wall = midnight + time.wall
  if (typeof time.zone === 'number') return wall - time.zone
  try {
    return firstInstantOf(wall, time.zone ?? zone)
  } catch {
    return undefined
  }
}

function dayInDigits(text: string): { day: Day; rest: string } | undefined {
  const [ordered, year, , month = '1', date = '1'] =
    /^(\d{4})(?:([-/.]?)((?<=\D)\d{1,2}|\d\d)\2((?<=\D)\d{1,2}|\d\d)(?!\d)|(?:-\d\d)?$)/.exec(text) ?? []
  if (ordered !== undefined) {
    const [, shortMonth = month] = /^\d{4}-(\d\d)$/.exec(text) ?? []
    return { day: [Number(year), Number(shortMonth) - 1, Number(date)], rest: text.slice(ordered.length) }
  }
  const [turned, one = '', separator, two = '', last] =
    /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)/.exec(text) ?? []
  if (turned === undefined) return undefined
  const rest = text.slice(turned.length)
  // With full stops between, the day is always first.
  if (separator === '.' || Number(one) > 12 || one === two)
    return { day: [Number(last), Number(two) - 1, Number(one)], rest }
  return Number(two) > 12 ? { day: [Number(last), Number(one) - 1, Number(two)], rest } : undefined
}

function timeOf(text: string): Time | undefined {
  // The basic format of ISO 8601.
  const spaced = text
    .replace(/^[t ]?(\d\d)(\d\d)(\d\d)?(?=[.,z+-]|$)/, ' $1:$2:$3')
    .replace(/:(?=$|[.,z+-])/, '')
  const found = clock.exec(spaced)
  const isZoneAlone = /^(?:z|[+-]\d)/.test(text)
  if (!found || isZoneAlone) {
    const { zone, length } = isZoneAlone ? zoneOf(text) : { zone: undefined, length: 0 }
    return { wall: 0, zone, left: text.slice(length) }
  }
  const [whole, hours = '', minutes = '0', seconds = '0', half] = found
  const isAfternoon = half !== undefined && ['pm', 'م', 'مساء'].includes(half)
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (isAfternoon ? 12 : 0)
  const wall = ((hour * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000
  if (wall > 86_400_000 || Number(minutes) > 59 || Number(seconds) > 60) return undefined
  const behind = spaced.slice(found.index + whole.length)
  const { zone, length } = zoneOf(behind)
  const before = spaced.slice(0, found.index).replace(/t$/, ' ')
  return { wall, zone, left: `${before} ${behind.slice(length)}` }
}

function zoneOf(text: string): { zone: Time['zone']; length: number } {
  const found = zoneBehind.exec(text)
  const [whole = '', sign, hours, minutes = '0', place, name = ''] = found ?? []
  const length = whole.length
  if (!found || passedOver.has(name) || monthByName.has(name)) return { zone: undefined, length: 0 }
  if (hours === undefined) return { zone: place ?? (zones[name] ?? 0) * 3_600_000, length }
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000
  return { zone: sign === '-' ? -offset : offset, length }
}

function dayInWords(text: string): Day | undefined {
  const named = text.match(monthName) ?? []
  // In French `mar.` is Tuesday.
  const unlikeTuesday = named.filter((name) => name !== 'mar')
  const found = new Set(
    (unlikeTuesday.length > 0 ? unlikeTuesday : named).map((name) => monthByName.get(name)),
  )
  const [month] = found
  const words = text
    .replace(monthName, ' ')
    .split(/[\s/-]+/)
    .filter((word) => word !== '')
  const numbers = words.flatMap((word) => /^(\d{1,4})(?:er|st|nd|rd|th)?$/.exec(word)?.[1] ?? [])
  const isStrange = words.some((word) => !/^\d/.test(word) && !passedOver.has(word))
  const [first = '', second = ''] = numbers
  if (month === undefined || found.size > 1 || isStrange || numbers.length !== 2) return undefined
  const [date, year] = first.length > 2 ? [second, first] : [first, second]
  return [yearOf(year), month, Number(date)]
}

/** RFC 5322 §4.3. */
function yearOf(digits: string): number {
  const year = Number(digits)
  if (digits.length > 3) return year
  return digits.length === 3 || year >= 50 ? 1900 + year : 2000 + year
}
