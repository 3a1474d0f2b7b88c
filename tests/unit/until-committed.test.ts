import { expect, test } from 'vitest'
import { untilCommitted } from '../../src/services/delivery/until-committed.ts'

test('forty conversations that wait for the same database say so once, and each is told in the end', async () => {
  let lines = 0
  const log = { warn: () => (lines += 1) }
  const tell = (n: number) => {
    let failures = 0
    const statement = () => (failures++ < 3 ? Promise.reject(new Error('away')) : Promise.resolve(n))
    return untilCommitted(statement, log)
  }
  const told = await Promise.all(Array.from({ length: 40 }, (_, n) => tell(n)))
  expect(told).toEqual(Array.from({ length: 40 }, (_, n) => n))
  expect(lines).toBe(1)
})
