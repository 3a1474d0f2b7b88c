import { expect, test } from 'vitest'
import {
  findAddress,
  hashForLimits,
  maskAddress,
  normaliseForLimits,
  parseAddress,
} from '../../src/domain/subscribers/address.ts'
import { testKeyring } from '../support/subscribers.ts'

const long = (n: number) => 'a'.repeat(n)

test.each([
  ['name@example.org', 'name@example.org'],
  [' Name.Surname+news@Example.ORG ', 'Name.Surname+news@example.org'],
  ["o'neil_!#$%&*/=?^`{|}~-@example.org", "o'neil_!#$%&*/=?^`{|}~-@example.org"],
  ['يونس@مثال.إختبار', 'يونس@xn--mgbh0fb.xn--kgbechtv'],
  ['zoe\u0308@bücher.example', 'zoë@xn--bcher-kva.example'],
  [`${long(64)}@example.org`, `${long(64)}@example.org`],
])('%j is an address', (typed, delivered) => {
  expect(parseAddress(typed).text).toBe(delivered)
})

test.each([
  '',
  'name',
  '@example.org',
  'name@',
  'name@localhost',
  'name@[127.0.0.1]',
  'name@127.0.0.1',
  'name@example.c0m',
  'name@-example.org',
  'name@example-.org',
  'name@example..org',
  'name@example.org.',
  '.name@example.org',
  'name.@example.org',
  'na..me@example.org',
  '"name"@example.org',
  'Name <name@example.org>',
  'name@example.org, other@example.org',
  'name@example.org;other@example.org',
  'group:name@example.org;',
  'name(comment)@example.org',
  'name@exam(comment)ple.org',
  'name@example.org\r\nBcc: other@example.org',
  'name\r\n@example.org',
  'name@example.org\n',
  'name\0@example.org',
  'name＠example.org',
  'ｎame@example.org',
  'name@ｅxample.org',
  'name@example。org',
  'nam\u0131e@example.org',
  'name@m\u0131crosoft.org',
  'na\u200bme@example.org',
  'na\u00adme@example.org',
  '\u202ename@example.org',
  'name@exa\u200bmple.org',
  'name@exa%6dple.org',
  'name@other@example.org',
  'na me@example.org',
  'name@exam_ple.org',
  'abuse@example.org',
  'Postmaster@example.org',
  'mailer-daemon@example.org',
  'noreply@example.org',
  `${long(65)}@example.org`,
  `${'é'.repeat(33)}@example.org`,
  `name@${long(64)}.org`,
  `name@${`${long(60)}.`.repeat(5)}org`,
  `${long(100_000)}@example.org`,
])('ABU-4 %j is refused', (typed) => {
  expect(findAddress(typed)).toBeUndefined()
  expect(() => parseAddress(typed)).toThrow(
    expect.objectContaining({ kind: 'invalid', code: 'invalid_address' }),
  )
})

test('spellings that reach one person count as one for limits, and mail still goes to what was typed', () => {
  const spellings = ['reader@gmail.com', 'Re.Ader+x@gmail.com', 'r.e.a.d.e.r@googlemail.com']
  const normal = spellings.map((text) => normaliseForLimits(parseAddress(text)))
  expect(new Set(normal)).toEqual(new Set(['reader@gmail.com']))
  expect(parseAddress('Re.Ader+x@gmail.com').text).toBe('Re.Ader+x@gmail.com')
  expect(normaliseForLimits(parseAddress('a.b@example.org'))).toBe('a.b@example.org')
  expect(normaliseForLimits(parseAddress('nadia-shops@yahoo.fr'))).toBe('nadia@yahoo.fr')
  expect(normaliseForLimits(parseAddress('a-b@example.org'))).toBe('a-b@example.org')
  expect(normaliseForLimits(parseAddress('a@s1.catch.example.co.uk'))).toBe('a@example.co.uk')
  expect(normaliseForLimits(parseAddress('a@mine.github.io'))).toBe('a@mine.github.io')
  const hmacsOf = (text: string) => hashForLimits(testKeyring, parseAddress(text)).map(({ hmac }) => hmac)
  expect(hmacsOf('reader@gmail.com')).toHaveLength(1)
  // What was refused before an organisation was one stays refused.
  expect(hmacsOf('a+x@etu.univ.example')).toEqual([
    ...hmacsOf('a@univ.example'),
    testKeyring.mac('address-limit', 'a@etu.univ.example', testKeyring.keyIds[0] ?? ''),
  ])
})

test('a masked address keeps its first letter and its domain', () => {
  expect(maskAddress('amina@example.org')).toBe('a•••@example.org')
})
