export type DateFault =
  'date_unreadable' | 'date_month_first' | 'date_impossible' | 'date_future' | 'date_before_1990'

/** `isGuess`: day and month could be told apart by their order alone. */
export type ReadDate = { at: Date; isGuess: boolean } | { fault: DateFault }

/** ISO 8601, and day first. */
const forms = [
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:[T ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d{1,9}))?)? ?(?<zone>Z|UTC|[+-]\d\d:?\d\d)?)?$/i,
  /^(?<day>\d{1,2})(?<mark>[/.-])(?<month>\d{1,2})\k<mark>(?<year>\d{4})(?:,? +(?<hour>\d{1,2}):(?<minute>\d\d)(?::(?<second>\d\d))?)?$/,
]

const units = ['year', 'month', 'day', 'hour', 'minute', 'second']

/**
 * When somebody agreed, as files say it: ISO 8601 with or without time and zone, or day first, as French and Arabic
 * write it. Without a zone it is UTC: the day stays the day that the file says.
 */
export function readConsentDate(text: string, now: Date): ReadDate {
  const plain = text
    .replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .replace(/\u200f|\u200e/g, '')
  const parts = forms.map((form) => form.exec(plain)?.groups).find((found) => found !== undefined)
  if (!parts) return { fault: 'date_unreadable' }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = units.map((unit) =>
    Number(parts[unit] ?? 0),
  )
  if (month > 12 && day <= 12) return { fault: 'date_month_first' }
  const ms = Number((parts['fraction'] ?? '').padEnd(3, '0').slice(0, 3))
  const wall = Date.UTC(year, month - 1, day, hour, minute, second, ms)
  const read = new Date(wall)
  const isReal = read.getUTCMonth() === month - 1 && read.getUTCDate() === day
  if (!isReal || hour > 23 || minute > 59 || second > 59) return { fault: 'date_impossible' }
  const at = new Date(wall - minutesEast(parts['zone'] ?? '') * 60_000)
  if (at > now) return { fault: 'date_future' }
  if (year < 1990) return { fault: 'date_before_1990' }
  const isDayFirst = parts['mark'] !== undefined
  return { at, isGuess: isDayFirst && day <= 12 && day !== month }
}

function minutesEast(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? []
  return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
