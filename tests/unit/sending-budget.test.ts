import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../src/config.ts'
import {
  formatRate,
  nothingSpent,
  putBack,
  readRate,
  secondsFor,
  spend,
  type MailClass,
  type RateLimits,
  type Spent,
} from '../../src/domain/delivery/sending-budget.ts'

const hour = 3_600_000
const day = 24 * hour
const start = Date.UTC(2026, 10, 28, 6)

/** A worker's view of a budget: it asks as the machine does, and notes when each message went. */
function aBudget(limits: RateLimits) {
  let spent: Spent = nothingSpent
  const sent: { at: number; mailClass: MailClass }[] = []
  const ask = (now: number, mailClass: MailClass, wanted: number) => {
    const grant = spend(limits, spent, { now, mailClass, wanted })
    // As it is kept between two workers.
    spent = JSON.parse(JSON.stringify(grant.spent ?? spent)) as Spent
    for (let n = 0; n < grant.granted; n++) sent.push({ at: now, mailClass })
    return grant
  }
  const most = (windowMs: number) => {
    let from = 0
    return sent.reduce((max, { at }, to) => {
      while ((sent[from]?.at ?? 0) <= at - windowMs) from++
      return Math.max(max, to - from + 1)
    }, 0)
  }
  return {
    ask,
    sent,
    most,
    spent: () => spent,
    giveBack(now: number, at: number, n: number) {
      spent = putBack(limits, spent, { now, at, n })
    },
  }
}

test.each([
  ['14/s', { s: 14 }],
  ['200/h', { h: 200 }],
  ['50000/d', { d: 50_000 }],
  ['14/s 200/h  50000/d', { s: 14, h: 200, d: 50_000 }],
  ['30', { s: 30 }],
])('SMTP_RATE %s', (text, limits) => {
  expect(readConfig({ SMTP_RATE: text }).smtpRate).toEqual(limits)
  expect(readRate(formatRate(limits))).toEqual(limits)
})

test.each(['0', '-1', '1.5/s', '14/m', '14 /s', '14/s,200/h', '14/s 20', 'x', '1e3', '14/S'])(
  'SMTP_RATE "%s" is a fault that names it',
  (text) => {
    expect(() => readConfig({ SMTP_RATE: text })).toThrow(ConfigError)
    expect(() => readConfig({ SMTP_RATE: text })).toThrow(/SMTP_RATE: must be .*200\/h/)
  },
)

test('no second, hour or day ever has more than its limit, whoever asks whenever for how much', () => {
  const limit = (most: number) => fc.option(fc.integer({ min: 1, max: most }), { nil: undefined })
  const limits = fc
    .record({ s: limit(50), h: limit(300), d: limit(2_000) })
    .filter(({ s, h, d }) => s !== undefined || h !== undefined || d !== undefined)
  const asks = fc.array(
    fc.record({
      // From a rush to a pause of a day and more.
      afterMs: fc.oneof(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ max: 60_000, min: 0 }),
        fc.integer({ min: 0, max: 2 * day }),
      ),
      times: fc.integer({ min: 1, max: 60 }),
      mailClass: fc.constantFrom('digests' as const, 'personal' as const),
      wanted: fc.integer({ min: 1, max: 400 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  fc.assert(
    fc.property(limits, asks, ({ s, h, d }, sequence) => {
      const set = { ...(s && { s }), ...(h && { h }), ...(d && { d }) }
      const budget = aBudget(set)
      let now = start
      for (const { afterMs, times, mailClass, wanted } of sequence) {
        now += afterMs
        for (let n = 0; n < times; n++) now += budget.ask(now, mailClass, wanted).granted > 0 ? 3 : 10
      }
      if (s) expect(budget.most(1_000)).toBeLessThanOrEqual(s)
      if (h) expect(budget.most(hour)).toBeLessThanOrEqual(h)
      if (d) expect(budget.most(day)).toBeLessThanOrEqual(d)
    }),
    { numRuns: 200 },
  )
})

test('an hour is used to the full, but for a twentieth that digests leave to people', () => {
  const budget = aBudget({ h: 200 })
  for (let now = start; now < start + 2 * hour; now += 1_000) budget.ask(now, 'digests', 40)
  expect(budget.most(hour)).toBe(190)
  // Twice within two hours and what it takes to forget a slice.
  expect(budget.sent).toHaveLength(190 + 190)
  expect(budget.ask(start + 2 * hour, 'personal', 40).granted).toBe(10)
  expect(budget.ask(start + 2 * hour, 'personal', 1)).toMatchObject({ granted: 0, retryMs: 1_000 })
})

test('at a thousand a second, batches of a worker that asks every 20 milliseconds use the second up', () => {
  const budget = aBudget({ s: 1_000 })
  for (let now = start; now < start + 10_000; now += 20) budget.ask(now, 'digests', 40)
  expect(budget.most(1_000)).toBeLessThanOrEqual(1_000)
  expect(budget.sent.length).toBeGreaterThan(9_300)
})

test('a person who waits is next: digests keep away until then', () => {
  const budget = aBudget({ s: 1 })
  expect(budget.ask(start, 'digests', 1).granted).toBe(1)
  expect(budget.ask(start + 500, 'personal', 1).granted).toBe(0)
  expect(budget.ask(start + 1_060, 'digests', 1).granted).toBe(0)
  expect(budget.ask(start + 1_070, 'personal', 1).granted).toBe(1)
  expect(budget.ask(start + 2_200, 'digests', 1).granted).toBe(1)
})

test('what was not used can be used, and counts no shorter than if it had been', () => {
  const budget = aBudget({ h: 20 })
  expect(budget.ask(start, 'personal', 30).granted).toBe(20)
  budget.giveBack(start, start, 5)
  expect(budget.ask(start + 1_000, 'personal', 30).granted).toBe(5)
  // Into a slice that had nothing.
  budget.giveBack(start + 120_000, start + 120_000, 5)
  expect(budget.ask(start + 121_000, 'personal', 30).granted).toBe(0)
})

test('a clock that was set back does not hold the mail for as long', () => {
  const budget = aBudget({ s: 5 })
  budget.ask(start, 'digests', 1)
  expect(budget.ask(start - hour, 'digests', 1).granted).toBe(1)
  expect(budget.ask(start - hour, 'digests', 1).granted).toBe(0)
})

test.each([
  [{ s: 14 }, 14_000],
  [{ h: 200 }, 150],
  [{ h: 200 }, 1_000],
  [{ s: 1, h: 600, d: 3_000 }, 5_000],
  [{ d: 500 }, 1_200],
])('%o: how long %i messages take is told before', (limits, n) => {
  const budget = aBudget(limits)
  for (let now = start - hour; now < start; now += 60_000) budget.ask(now, 'personal', 2)
  const seconds = secondsFor(limits, budget.spent(), { now: start, n })
  const before = budget.sent.length
  let now = start
  while (budget.sent.length < before + n) {
    const { granted, retryMs } = budget.ask(now, 'digests', Math.min(100, before + n - budget.sent.length))
    if (granted === 0) now += Math.max(20, retryMs)
  }
  const took = (now - start) / 1_000
  expect(seconds).toBeGreaterThan(took * 0.9 - 5)
  expect(seconds).toBeLessThan(took * 1.1 + 130)
})
