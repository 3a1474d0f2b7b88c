import { expect, test } from 'vitest'
import { createDomainBreaker } from '../../src/services/delivery/domain-breaker.ts'

const minutes = 60_000

test('three refusals in a row let a domain rest, and after it one is enough', () => {
  let now = 0
  const breaker = createDomainBreaker(() => now)
  for (let n = 0; n < 2; n++) breaker.refuse('strict.example')
  expect(breaker.isResting('strict.example')).toBe(false)
  breaker.refuse('strict.example')
  expect(breaker.isResting('strict.example')).toBe(true)
  expect(breaker.isResting('reader.example')).toBe(false)
  now += 15 * minutes
  expect(breaker.isResting('strict.example')).toBe(false)
  breaker.refuse('strict.example')
  expect(breaker.isResting('strict.example')).toBe(true)
})

test('a mail that is taken in between starts the count again', () => {
  const breaker = createDomainBreaker(() => 0)
  for (let n = 0; n < 10; n++) {
    breaker.refuse('strict.example')
    breaker.refuse('strict.example')
    breaker.accept('strict.example')
  }
  expect(breaker.isResting('strict.example')).toBe(false)
})
