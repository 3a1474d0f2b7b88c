export type DateFault =
  'date_unreadable' | 'date_month_first' | 'date_impossible' | 'date_future' | 'date_before_1990'

/** `isGuess`: day and month could be told apart by their order alone. */
export type ReadDate = { at: Date; isGuess: boolean } | { fault: DateFault }

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|UTC|[+-]\d\d:?\d\d)?)?$/i
const dayFirst = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:,? +(\d{1,2}):(\d\d)(?::(\d\d))?)?$/

/**
 * When somebody agreed, as files say it: ISO 8601 with or without time and zone, or day first, as French and Arabic
 * write it. Without a zone it is UTC: the day stays the day that the file says.
 */
export function readConsentDate(text: string, now: Date): ReadDate {
  const plain = text
    .replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .replace(/\u200f|\u200e/g, '')
  const parts = readIso(plain) ?? readDayFirst(plain)
  if (!parts) return { fault: 'date_unreadable' }
  const { year, month, day, hour, minute, second, ms, offset } = parts
  if (month > 12 && day <= 12) return { fault: 'date_month_first' }
  const wall = Date.UTC(year, month - 1, day, hour, minute, second, ms)
  const read = new Date(wall)
  const isReal = read.getUTCMonth() === month - 1 && read.getUTCDate() === day
  if (!isReal || hour > 23 || minute > 59 || second > 59) return { fault: 'date_impossible' }
  const at = new Date(wall - (offset ?? 0) * 60_000)
  if (at > now) return { fault: 'date_future' }
  if (year < 1990) return { fault: 'date_before_1990' }
  return { at, isGuess: parts.isDayFirst && day <= 12 && day !== month }
}

interface DateParts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  ms: number
  /** Minutes east of UTC. */
  offset: number | undefined
  isDayFirst: boolean
}

function readIso(text: string): DateParts | undefined {
  const found = iso.exec(text)
  if (!found) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = [1, 2, 3, 4, 5, 6].map((n) =>
    Number(found[n] ?? 0),
  )
  const ms = Number((found[7] ?? '').padEnd(3, '0').slice(0, 3))
  return { year, month, day, hour, minute, second, ms, offset: offsetOf(found[8]), isDayFirst: false }
}

function readDayFirst(text: string): DateParts | undefined {
  const found = dayFirst.exec(text)
  if (!found) return undefined
  const [day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0] = [1, 3, 4, 5, 6, 7].map((n) =>
    Number(found[n] ?? 0),
  )
  return { year, month, day, hour, minute, second, ms: 0, offset: undefined, isDayFirst: true }
}

function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? []
  return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
