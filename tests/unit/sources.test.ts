import { expect, test } from 'vitest'
import { needsPerson } from '../../src/domain/sources/withdrawal-brake.ts'
import {
  compareFaces,
  pauseBefore,
  restMsAfter,
  ringsOf,
  sentenceOf,
  sourceFailures,
  stateOf,
  type SourceCondition,
} from '../../src/domain/sources/source.ts'
import { interfaceLanguages } from '../../src/domain/language.ts'
import { listKeys } from '../../src/locales.ts'

const now = new Date('2026-11-28T08:00:00Z')
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const calm: SourceCondition = {
  kind: 'wordpress',
  pausedAt: undefined,
  caughtUpAt: ago(600),
  failures: 0,
  failure: undefined,
  question: undefined,
  ttlMinutes: undefined,
  foundAt: ago(60),
}
const plain = { isUnfinished: false, isMissing: false }

test.each([
  ['nothing is gone', { wanted: 0, lastHour: 10, lastDay: 10, here: 400 }, false],
  ['one of few', { wanted: 1, lastHour: 0, lastDay: 0, here: 20 }, false],
  ['a second of few in a day', { wanted: 1, lastHour: 0, lastDay: 1, here: 19 }, true],
  ['two of few at once', { wanted: 2, lastHour: 0, lastDay: 0, here: 99 }, true],
  ['all that there is', { wanted: 2, lastHour: 0, lastDay: 0, here: 2 }, true],
  ['the only one', { wanted: 1, lastHour: 0, lastDay: 0, here: 1 }, false],
  ['two of a hundred', { wanted: 2, lastHour: 0, lastDay: 0, here: 100 }, false],
  ['three of a hundred', { wanted: 3, lastHour: 0, lastDay: 0, here: 100 }, true],
  ['a third of a hundred in a day', { wanted: 1, lastHour: 0, lastDay: 2, here: 98 }, true],
  ['ten in an hour of a thousand', { wanted: 10, lastHour: 0, lastDay: 0, here: 1_000 }, false],
  ['eleven in an hour of a thousand', { wanted: 11, lastHour: 0, lastDay: 0, here: 1_000 }, true],
  ['an eleventh in an hour of many', { wanted: 1, lastHour: 10, lastDay: 10, here: 10_000 }, true],
  ['twenty in a day of a thousand', { wanted: 10, lastHour: 0, lastDay: 10, here: 990 }, false],
  ['2 % in a day', { wanted: 8, lastHour: 0, lastDay: 0, here: 400 }, false],
  ['more than 2 % in a day', { wanted: 1, lastHour: 0, lastDay: 8, here: 400 }, true],
])('the brake: %s', (_name, withdrawals, expected) => {
  expect(needsPerson(withdrawals)).toBe(expected)
})

test.each([
  [{}, 'following'],
  [{ caughtUpAt: undefined }, 'catching-up'],
  [{ failures: 2, failure: 'closed' }, 'retrying'],
  [{ failures: 3, failure: 'closed' }, 'closed'],
  [{ failures: 30, failure: 'unreachable' }, 'retrying'],
  [{ failures: 3, failure: 'closed', question: 'many' }, 'needs-person'],
  [{ pausedAt: now, question: 'many' }, 'paused'],
] satisfies [Partial<SourceCondition>, string][])('%j is %s', (change, state) => {
  expect(stateOf({ ...calm, ...change })).toBe(state)
})

test('every state says in three languages what to do', () => {
  const conditions = [
    { caughtUpAt: undefined },
    { pausedAt: now },
    ...(['many', 'changed', 'moved'] as const).map((question) => ({ question })),
    ...(['wordpress', 'feed'] as const).flatMap((kind) => [
      { kind },
      { kind, failures: 3, failure: 'closed' as const },
    ]),
    ...sourceFailures.map((failure) => ({ failures: 1, failure })),
  ]
  for (const language of interfaceLanguages) {
    const keys = listKeys(language)
    for (const change of conditions)
      expect(keys).toContain(`desk.sources.says.${sentenceOf({ ...calm, ...change })}`)
  }
})

test('when a source is looked at again', () => {
  const minutes = (change: Partial<SourceCondition>, outlook = {}) =>
    pauseBefore({ ...calm, ...change }, { ...plain, ...outlook }, now) / 60
  expect(minutes({})).toBe(5)
  expect(minutes({ foundAt: ago(25 * 60) })).toBe(15)
  expect(minutes({ kind: 'feed' })).toBe(15)
  expect(minutes({ kind: 'feed', ttlMinutes: 60 })).toBe(60)
  expect(minutes({ kind: 'feed', ttlMinutes: 9_999 })).toBe(360)
  expect(minutes({}, { isUnfinished: true })).toBe(0)
  expect(minutes({}, { isMissing: true })).toBeLessThan(2)
  expect(minutes({ question: 'many' }, { isMissing: true })).toBe(5)
  expect([1, 2, 5, 9].map((failures) => minutes({ failures }))).toEqual([1, 2, 16, 60])
  expect(minutes({ failures: 1 }, { retryAfter: 7_200 })).toBe(120)
  expect(minutes({ failures: 1 }, { retryAfter: 1e9 })).toBe(24 * 60)
})

test('a site rests as long as it worked; ten thousand posts of one that is not slow come in ten minutes', () => {
  expect([0, 200, 1_500, 60_000].map(restMsAfter)).toEqual([0, 200, 1_500, 2_000])
  expect((10_000 / 10) * (200 + restMsAfter(200))).toBeLessThan(600_000)
})

test('whether a site rings is what was observed last', () => {
  expect(ringsOf({ foundByRingAt: undefined, foundByClockAt: undefined })).toBeUndefined()
  expect(ringsOf({ foundByRingAt: ago(5), foundByClockAt: ago(9) })).toBe(true)
  expect(ringsOf({ foundByRingAt: ago(9), foundByClockAt: ago(5) })).toBe(false)
})

test('another home is another site; https, www. and a slash are not', () => {
  const known = { home: 'http://www.news.example', face: 'a' }
  expect(compareFaces(known, { home: 'https://news.example/', face: 'a' })).toBeUndefined()
  expect(compareFaces(known, { home: 'https://news.example/', face: 'b' })).toBe('changed')
  expect(compareFaces(known, { home: 'https://other.example/', face: 'a' })).toBe('moved')
})
