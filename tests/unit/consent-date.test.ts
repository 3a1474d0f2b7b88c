import { expect, test } from 'vitest'
import { readConsentDate } from '../../src/domain/subscribers/consent-date.ts'

const read = (text: string) => readConsentDate(text, new Date('2026-03-14T12:00:00Z'))

test.each([
  ['2025-01-15', '2025-01-15T00:00:00.000Z'],
  ['2025-01-15 10:00', '2025-01-15T10:00:00.000Z'],
  ['2025-01-15T10:00:30', '2025-01-15T10:00:30.000Z'],
  ['2025-01-15T10:00:00.123Z', '2025-01-15T10:00:00.123Z'],
  ['2025-01-15T10:00:00.123456+02:00', '2025-01-15T08:00:00.123Z'],
  ['2025-01-15 10:00:00 UTC', '2025-01-15T10:00:00.000Z'],
  ['15/01/2025', '2025-01-15T00:00:00.000Z'],
  ['5.3.2025', '2025-03-05T00:00:00.000Z'],
  ['15-01-2025 10:00', '2025-01-15T10:00:00.000Z'],
  ['١٥/٠١/٢٠٢٥', '2025-01-15T00:00:00.000Z'],
  ['29/02/2024', '2024-02-29T00:00:00.000Z'],
  ['2026-03-14', '2026-03-14T00:00:00.000Z'],
])('a date of consent %s is %s', (text, at) => {
  expect(read(text)).toMatchObject({ at: new Date(at) })
})

test.each([
  ['yesterday', 'date_unreadable'],
  ['15/01/25', 'date_unreadable'],
  ['15/01-2025', 'date_unreadable'],
  ['2025-1-5', 'date_unreadable'],
  ['01/15/2025', 'date_month_first'],
  ['31/02/2024', 'date_impossible'],
  ['2023-02-29', 'date_impossible'],
  ['2024-13-45', 'date_impossible'],
  ['2024-01-01T25:00', 'date_impossible'],
  ['2099-01-01', 'date_future'],
  ['2026-03-15', 'date_future'],
  ['1989-12-31', 'date_before_1990'],
])('a date of consent %s is refused: %s', (text, fault) => {
  expect(read(text)).toEqual({ fault })
})

test('only what could be month first is a guess', () => {
  const guesses = ['03/04/2025', '13/04/2025', '04/04/2025', '2025-04-03'].map((text) => read(text))
  expect(guesses).toMatchObject([
    { isGuess: true },
    { isGuess: false },
    { isGuess: false },
    { isGuess: false },
  ])
})
