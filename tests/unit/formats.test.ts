import { expect, test, vi } from 'vitest'
import { dateFormat, numberFormat } from '../../src/domain/formats.ts'

test('a page of a thousand dates makes one format, and another locale, style or kind has its own', () => {
  const made = vi.spyOn(Intl, 'DateTimeFormat')
  const day = (locale: string, dateStyle: 'long' | 'short' = 'long') =>
    dateFormat(locale, { dateStyle, timeZone: 'Asia/Kathmandu' }).format(0)
  const shown = new Set(Array.from({ length: 1_000 }, () => day('fr')))
  expect([...shown, day('en'), day('fr', 'short')]).toEqual([
    '1er janvier 1970',
    'January 1, 1970',
    '01/01/1970',
  ])
  expect(numberFormat('en', { style: 'percent' }).format(0.5)).toBe('50%')
  expect(made).toHaveBeenCalledTimes(3)
  made.mockRestore()
})
