import { expect, onTestFinished, test, vi } from 'vitest'
import { lasting } from '../../src/mail/lasting.ts'

test('what failed once is tried again, after a while, once for all who ask, and then kept', async () => {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  onTestFinished(() => void vi.restoreAllMocks())
  const make = vi.fn<() => Promise<string>>()
  make.mockRejectedValueOnce(new Error('ended early')).mockResolvedValue('made')
  const templates = lasting(make, 5_000)
  expect(templates.hasFailed()).toBe(false)
  await expect(templates.get()).rejects.toThrow('ended early')
  expect(templates.hasFailed()).toBe(true)
  now = 4_999
  await expect(templates.get()).rejects.toThrow('ended early')
  expect(make).toHaveBeenCalledTimes(1)
  now = 5_000
  const again = [templates.get(), templates.get()]
  expect(templates.hasFailed()).toBe(true)
  expect(await Promise.all(again)).toEqual(['made', 'made'])
  expect(templates.hasFailed()).toBe(false)
  now = 99_999
  expect(await templates.get()).toBe('made')
  expect(make).toHaveBeenCalledTimes(2)
})
