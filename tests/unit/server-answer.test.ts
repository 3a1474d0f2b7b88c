import { expect, test } from 'vitest'
import { storableAnswer } from '../../src/mail/smtp/server-answer.ts'

test.each([
  ['550 5.1.1 <Ayse@Haber.example>: unknown', '550 5.1.1 <[address]>: unknown'],
  ['550 İİİ <ayse@haber.example> yok, ayse@haber.example', '550 İİİ <[address]> yok, [address]'],
])('an answer is kept without the address it repeats, whatever letters stand before it: %s', (said, kept) => {
  expect(storableAnswer(said, 'ayse@haber.example')).toBe(kept)
})
