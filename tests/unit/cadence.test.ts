import { describe, expect, test } from 'vitest'
import { localDateOf, nextOccurrence, occurrenceOn } from '../../src/domain/digests/cadence.ts'

const daily = (zone: string, time: string) => ({ cadence: 'daily', time, zone }) as const

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
    expect(occurrenceOn(daily(zone, time), localDate)?.at.toISOString()).toBe(at)
  })

  test('a date that a zone left out has no digest, and the next one follows', () => {
    expect(occurrenceOn(daily('Pacific/Apia', '07:00'), '2011-12-30')).toBeUndefined()
    const next = nextOccurrence(daily('Pacific/Apia', '07:00'), new Date('2011-12-29T17:00:00Z'))
    expect(next).toEqual({ localDate: '2011-12-31', at: new Date('2011-12-30T17:00:00Z') })
  })

  test('weekly: the next such weekday, strictly after', () => {
    const friday = { cadence: 'weekly', weekday: 5, time: '18:00', zone: 'Africa/Algiers' } as const
    const first = nextOccurrence(friday, new Date('2026-11-23T00:00:00Z'))
    expect(first).toEqual({ localDate: '2026-11-27', at: new Date('2026-11-27T17:00:00Z') })
    expect(nextOccurrence(friday, first.at).localDate).toBe('2026-12-04')
    expect(nextOccurrence(friday, new Date(first.at.getTime() - 1))).toEqual(first)
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
    const between = [...existing].filter((date) => date > first && date < localDateOf(last, zone))
    const missing = between.filter((date) => !seen.has(date))
    if (missing.length > 0) throw new Error(`${zone} ${time}: no digest on ${missing.join(', ')}`)
  }
}
