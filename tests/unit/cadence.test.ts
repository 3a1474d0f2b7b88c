import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { dateIn } from '../../src/domain/calendar.ts'
import { lookBackStart, nextOccurrence, occurrencesOn } from '../../src/domain/digests/cadence.ts'
import type { Schedule } from '../../src/domain/newsletter.ts'
import { scheduleInWords } from '../../src/locales.ts'

const everyDay = [1, 2, 3, 4, 5, 6, 7]
const daily = (zone: string, time: string): Schedule => {
  return { cadence: 'daily', weekdays: everyDay, times: [time], zone, skip: [] }
}
const weekly = (change: Partial<Extract<Schedule, { cadence: 'weekly' }>> = {}) => ({
  cadence: 'weekly' as const,
  weekday: 5,
  time: '18:00',
  every: 1,
  anchor: null,
  ofMonth: null,
  zone: 'Africa/Algiers',
  skip: [],
  ...change,
})
/** The dates of the first digests strictly after an instant. */
function datesOf(schedule: Schedule, after: string, count: number): string[] {
  const dates: string[] = []
  let next = nextOccurrence(schedule, new Date(after))
  for (; next && dates.length < count; next = nextOccurrence(schedule, next.at)) dates.push(next.localDate)
  return dates
}

describe('P10 one digest per local date', () => {
  test.each([
    ['an ordinary day', 'Africa/Algiers', '07:00', '2026-11-23', '2026-11-23T06:00:00.000Z'],
    [
      'Berlin: 02:30 does not exist, so 03:00',
      'Europe/Berlin',
      '02:30',
      '2026-03-29',
      '2026-03-29T01:00:00.000Z',
    ],
    ['Berlin: 02:30 twice, so the first', 'Europe/Berlin', '02:30', '2026-10-25', '2026-10-25T00:30:00.000Z'],
    [
      'New York: 01:30 twice, so the first',
      'America/New_York',
      '01:30',
      '2026-11-01',
      '2026-11-01T05:30:00.000Z',
    ],
    [
      'Santiago: no midnight, so 01:00',
      'America/Santiago',
      '00:00',
      '2026-09-06',
      '2026-09-06T04:00:00.000Z',
    ],
    [
      'Santiago: the day after is a day of its own',
      'America/Santiago',
      '00:00',
      '2026-09-07',
      '2026-09-07T03:00:00.000Z',
    ],
    [
      'Lord Howe: half an hour is missing',
      'Australia/Lord_Howe',
      '02:15',
      '2026-10-04',
      '2026-10-03T15:30:00.000Z',
    ],
    [
      'Lord Howe: half an hour comes twice',
      'Australia/Lord_Howe',
      '01:45',
      '2026-04-05',
      '2026-04-04T14:45:00.000Z',
    ],
    [
      'Nuuk: the last hour is missing, so midnight',
      'America/Nuuk',
      '23:30',
      '2024-03-30',
      '2024-03-31T01:00:00.000Z',
    ],
    [
      'Apia: the day before the one left out',
      'Pacific/Apia',
      '07:00',
      '2011-12-29',
      '2011-12-29T17:00:00.000Z',
    ],
    ['Apia: the day after it', 'Pacific/Apia', '07:00', '2011-12-31', '2011-12-30T17:00:00.000Z'],
  ])('%s', (...[, zone, time, localDate, at]) => {
    expect(occurrencesOn(daily(zone, time), localDate).map((one) => one.at.toISOString())).toEqual([at])
  })

  test('a date that a zone left out has no digest, and the next one follows', () => {
    expect(occurrencesOn(daily('Pacific/Apia', '07:00'), '2011-12-30')).toEqual([])
    const next = nextOccurrence(daily('Pacific/Apia', '07:00'), new Date('2011-12-29T17:00:00Z'))
    expect(next).toEqual({
      localDate: '2011-12-31',
      localTime: null,
      at: new Date('2011-12-30T17:00:00Z'),
    })
  })

  test('weekly: the next such weekday, strictly after', () => {
    const first = nextOccurrence(weekly(), new Date('2026-11-23T00:00:00Z'))
    const at = new Date('2026-11-27T17:00:00Z')
    expect(first).toEqual({ localDate: '2026-11-27', localTime: null, at })
    expect(nextOccurrence(weekly(), at)?.localDate).toBe('2026-12-04')
    expect(nextOccurrence(weekly(), new Date(at.getTime() - 1))).toEqual(first)
  })

  test('every second week, the last and the second Friday of a month, and dates to skip', () => {
    const monday = '2026-11-23T00:00:00Z'
    const second = weekly({ every: 2, anchor: '2026-12-02' })
    expect(datesOf(second, monday, 3)).toEqual(['2026-12-04', '2026-12-18', '2027-01-01'])
    const last = weekly({ ofMonth: 'last' })
    expect(datesOf(last, monday, 3)).toEqual(['2026-11-27', '2026-12-25', '2027-01-29'])
    expect(datesOf(weekly({ ofMonth: 2 }), monday, 2)).toEqual(['2026-12-11', '2027-01-08'])
    const skipping = weekly({ skip: ['2026-11-27', '2026-12-11'] })
    expect(datesOf(skipping, monday, 2)).toEqual(['2026-12-04', '2026-12-18'])
  })

  test('the look-back reaches to the digest before, a skipped one passed over, within bounds', () => {
    const days = (schedule: Schedule, localDate: string) => {
      const [own] = occurrencesOn(schedule, localDate)
      const at = own?.at ?? new Date(0)
      const digest = { cadence: schedule.cadence, localDate, localTime: null }
      return (at.getTime() - lookBackStart(digest, schedule, at).getTime()) / day
    }
    const workdays: Schedule = { ...daily('Africa/Algiers', '07:00'), weekdays: [1, 2, 3, 4, 5] } as Schedule
    expect(days(workdays, '2026-12-01')).toBe(2)
    expect(days(workdays, '2026-11-30')).toBe(3)
    expect(days(weekly(), '2026-12-04')).toBe(8)
    expect(days(weekly({ skip: ['2026-11-27'] }), '2026-12-04')).toBe(14)
    expect(days(weekly({ ofMonth: 'last' }), '2026-12-25')).toBe(28)
    // From the 31st of July to the 25th of September, were the last Friday of August skipped.
    const long = days(weekly({ ofMonth: 'last', skip: ['2026-08-28'] }), '2026-09-25')
    expect(long).toBeGreaterThanOrEqual(35)
    expect(long).toBeLessThan(35.1)
  })

  test('a schedule in words', () => {
    const twice = { ...daily('Africa/Algiers', '07:00'), times: ['07:00', '18:00'] } as Schedule
    expect(scheduleInWords('fr', twice)).toBe('tous les jours à 07:00 et 18:00')
    expect(scheduleInWords('en', { ...twice, weekdays: [1, 2, 3, 4, 5] } as Schedule)).toBe(
      'Monday to Friday at 07:00 and 18:00',
    )
    expect(scheduleInWords('fr', weekly({ every: 2 }))).toBe('un vendredi sur deux à 18:00')
    expect(scheduleInWords('ar', weekly({ ofMonth: 'last' }))).toBe(
      'يوم الجمعة الأخير من كل شهر، الساعة 18:00',
    )
    const skipping = weekly({ skip: ['2026-01-02', '2026-12-25'] })
    expect(scheduleInWords('fr', skipping, { today: '2026-11-28' })).toBe(
      'chaque vendredi à 18:00, sauf le 25 décembre 2026',
    )
  })

  const zones = ['Africa/Algiers', 'Europe/Paris', 'America/St_Johns', 'Asia/Beirut', 'Africa/Casablanca']
  const dates = fc.integer({ min: 0, max: 800 }).map((n) => dateAt(Date.UTC(2026, 0) + n * day))
  const times = fc.integer({ min: 0, max: 95 }).map((n) => new Date(n * quarter).toISOString().slice(11, 16))
  const skip = fc.uniqueArray(dates, { maxLength: 40 })
  const schedules = fc.oneof(
    fc.record({
      cadence: fc.constant('daily' as const),
      weekdays: fc.subarray(everyDay, { minLength: 1 }),
      times: fc.uniqueArray(times, { minLength: 1, maxLength: 6 }).map((all) => all.sort()),
      zone: fc.constantFrom(...zones),
      skip,
    }),
    fc
      .record({ weekday: fc.integer({ min: 1, max: 7 }), time: times, anchor: dates, skip })
      .chain((base) =>
        fc.oneof(
          fc.integer({ min: 1, max: 5 }).map((every) => weekly({ ...base, every })),
          fc.constantFrom(1, 2, 3, 4, 'last' as const).map((ofMonth) => {
            return weekly({ ...base, ofMonth: ofMonth as 1 })
          }),
        ),
      )
      .chain((one) => fc.constantFrom(...zones).map((zone) => ({ ...one, zone }))),
  )

  test('any schedule gives the days that a calendar counts, each time once, in order', () => {
    fc.assert(
      fc.property(schedules, dates, (schedule: Schedule, start) => {
        const end = Date.parse(start) + 120 * day
        const counted = countByDays(schedule, Date.parse(start), end)
        const walked: string[] = []
        let next = nextOccurrence(schedule, new Date(instantOf(`${start}T00:00`, schedule.zone) - 1))
        while (next && Date.parse(next.localDate) < end) {
          walked.push(next.at.toISOString())
          next = nextOccurrence(schedule, next.at)
        }
        expect(walked).toEqual(counted)
      }),
      { numRuns: 60 },
    )
  })

  test('every IANA zone, 2010 to 2030, around every change of its clocks', { timeout: 180_000 }, () => {
    const zones = Intl.supportedValuesOf('timeZone')
    // Zones whose clocks showed the same at every change of these years are one clock with several names.
    const clocks = new Map<string, { zone: string; changes: number[] }>()
    for (const zone of zones) {
      const changes = listChanges(zone)
      clocks.set(JSON.stringify([Date.UTC(2010, 0), ...changes].map((at) => [at, wallOf(at, zone)])), {
        zone,
        changes,
      })
    }
    expect(zones.length).toBeGreaterThan(400)
    expect(clocks.size).toBeGreaterThan(100)
    for (const { zone, changes } of clocks.values()) for (const change of changes) checkAround(zone, change)
  })
})

const dateAt = (at: number) => new Date(at).toISOString().slice(0, 10)

/** The first instant whose clock shows that wall time or later, by looking at each quarter of an hour. */
function instantOf(wall: string, zone: string): number {
  const target = Date.parse(`${wall}Z`)
  let at = target - 15 * 3_600_000
  while (wallOf(at, zone) < target) at += quarter
  return at
}

/** Day by day, with a calendar of its own: it lists the weekdays of a month and the weeks since the anchor. */
function countByDays(schedule: Schedule, from: number, to: number): string[] {
  const found = new Set<number>()
  const nameOf = (at: number) => new Date(at).toUTCString().slice(0, 3)
  const names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
  for (let at = from; at < to; at += day) {
    const date = dateAt(at)
    const weekday = names.indexOf(nameOf(at)) + 1
    if (schedule.skip.includes(date)) continue
    if (schedule.cadence === 'daily') {
      if (!schedule.weekdays.includes(weekday)) continue
      for (const time of schedule.times) found.add(instantOf(`${date}T${time}`, schedule.zone))
      continue
    }
    if (weekday !== schedule.weekday) continue
    const ofMonth: string[] = []
    for (let n = 1; n <= 31; n += 1) {
      const one = `${date.slice(0, 8)}${String(n).padStart(2, '0')}`
      if (
        dateAt(Date.parse(date.slice(0, 7)) + (n - 1) * day) === one &&
        nameOf(Date.parse(one)) === nameOf(at)
      )
        ofMonth.push(one)
    }
    const wanted = schedule.ofMonth === 'last' ? ofMonth.at(-1) : ofMonth[(schedule.ofMonth ?? 1) - 1]
    if (schedule.ofMonth !== null && wanted !== date) continue
    if (schedule.ofMonth === null && schedule.every > 1) {
      let sunday = Date.parse(schedule.anchor ?? date)
      while (nameOf(sunday) !== 'Sun') sunday += day
      let own = at
      while (nameOf(own) !== 'Sun') own += day
      if (Math.abs(own - sunday) % (schedule.every * 7 * day) !== 0) continue
    }
    found.add(instantOf(`${date}T${schedule.time}`, schedule.zone))
  }
  return [...found].sort((a, b) => a - b).map((at) => new Date(at).toISOString())
}

const minute = 60_000
const quarter = 15 * minute
const day = 86_400_000

/** Another reading of the same clocks than the code's: the offset by its name. */
const offsets = new Map<string, Intl.DateTimeFormat>()
function wallOf(instant: number, zone: string): number {
  const format =
    offsets.get(zone) ?? new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
  offsets.set(zone, format)
  const [, sign, hours, minutes, seconds] =
    /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(instant)) ?? []
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0)
  return instant + (sign === '-' ? -offset : offset) * 1_000
}

function listChanges(zone: string): number[] {
  const changes: number[] = []
  const end = Date.UTC(2030, 0)
  const step = 14 * day
  for (let from = Date.UTC(2010, 0); from < end; from += step) {
    const offset = wallOf(from, zone) - from
    if (wallOf(from + step, zone) - (from + step) === offset) continue
    let [low, high] = [from / minute, (from + step) / minute]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (wallOf(middle * minute, zone) - middle * minute === offset) low = middle
      else high = middle
    }
    changes.push(high * minute)
  }
  return changes
}

/** Walks the digests of the days around a change and compares them with a scan of the clock, quarter by quarter. */
function checkAround(zone: string, change: number) {
  // Newfoundland once changed at 00:01, so the change itself is scanned too.
  const instants = [change]
  const start = Math.floor(change / quarter) * quarter
  for (let n = -2 * 96; n < 2 * 96; n += 1) instants.push(start + n * quarter)
  const walls = instants.sort((a, b) => a - b).map((at) => [at, wallOf(at, zone)] as const)
  const wallBefore = wallOf(start - quarter, zone) + quarter
  const timeOf = (wall: number) => new Date(wall).toISOString().slice(11, 16)
  // Just before, inside and after what the clocks jumped over or showed twice, and the edges of the day.
  const times = [-quarter, 0, quarter, 2 * quarter].map((delta) => timeOf(wallBefore + delta))
  const jumped = wallOf(start + quarter, zone)
  for (const time of new Set([...times, timeOf(jumped), timeOf(jumped + quarter), '00:00', '23:45'])) {
    const rule = daily(zone, time)
    const existing = new Set(walls.map(([, wall]) => new Date(wall).toISOString().slice(0, 10)))
    let last = new Date(change - 1.4 * day)
    const seen = new Set<string>()
    while (last.getTime() < change + 0.4 * day) {
      const next = nextOccurrence(rule, last)
      if (!next) throw new Error(`${zone} ${time}: nothing after ${last.toISOString()}`)
      const target = Date.parse(`${next.localDate}T${time}:00Z`)
      const expected = walls.find(([, wall]) => wall >= target)?.[0]
      if (next.at.getTime() !== expected || seen.has(next.localDate) || !existing.has(next.localDate)) {
        throw new Error(
          `${zone} ${time} on ${next.localDate}: ${next.at.toISOString()}, clock scan ${expected ?? 'none'}`,
        )
      }
      seen.add(next.localDate)
      last = next.at
    }
    // No day between the first and the last was left out.
    const [first = ''] = seen
    const between = [...existing].filter((date) => date > first && date < dateIn(zone, last))
    const missing = between.filter((date) => !seen.has(date))
    if (missing.length > 0) throw new Error(`${zone} ${time}: no digest on ${missing.join(', ')}`)
  }
}
