import { expect, test } from 'vitest'
import { stuffDots } from '../../src/mail/smtp/wire.ts'

const wire = (...segments: string[]) =>
  Buffer.concat(stuffDots(segments.map((segment) => Buffer.from(segment)))).toString()

test('a dot that begins a line is doubled, wherever the message is cut', () => {
  const text = '.\r\n..two\r\nin. the .middle\r\n.\r\n\r\n.last'
  const expected = '..\r\n...two\r\nin. the .middle\r\n..\r\n\r\n..last\r\n'
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      expect(wire(text.slice(0, first), text.slice(first, second), text.slice(second))).toBe(expected)
    }
  }
})

test('a segment that many messages share is stuffed as each of them needs', () => {
  const shared = Buffer.from(`.${'x'.repeat(2_000)}\r\n.y\r\n`)
  const after = (before: string) => Buffer.concat(stuffDots([Buffer.from(before), shared])).toString()
  expect(after('a\r\n').slice(0, 6)).toBe('a\r\n..x')
  expect(after('a').slice(0, 3)).toBe('a.x')
  expect(after('a').slice(-7)).toBe('\r\n..y\r\n')
})

test('the last line is ended, and only where it is not', () => {
  expect(wire('a\r\n')).toBe('a\r\n')
  expect(wire('a')).toBe('a\r\n')
  expect(wire('a\r', '\n')).toBe('a\r\n')
})

test.each(['a\n.\nb', 'a\r.\rb', 'a\r\r\n', 'a\n', 'a\r', `${'x'.repeat(2_000)}\n`])(
  'a bare line end is never sent: %j',
  (text) => {
    expect(() => wire(text)).toThrow('bare CR or LF')
  },
)
