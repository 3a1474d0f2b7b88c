import { expect, test } from 'vitest'
import { listSlow } from '../checks/regexps.ts'

const of = (...patterns: RegExp[]) => listSlow(patterns.map((pattern) => ({ place: 'src/x.ts:1', pattern })))

test.each([
  ['a run before an end that is not there', /\s+$/],
  ['an opening that is never closed', /<p\b[^>]*>/g],
  ['the same by two parts of it', /^\S+@\S+\s*\((.+)\)$/],
  ['a repetition that is repeated', /^(?:a+)+$/],
  ['what a reference repeats', /<(pre|code)>.*?<\/\1>/gs],
])('a regular expression that goes back over %s is refused by its place', (_name, pattern) => {
  expect(of(pattern)).toEqual([expect.stringContaining(`src/x.ts:1: ${pattern}`)])
})

test('one that reads its text once is not', () => {
  expect(
    of(/(?<!\s)\s+$/, /<p\b[^<>]*>/g, /^[a-z]+(?:-[a-z]+)*$/, /[^\s@]+/g, /exceeded\w{0,20} limit/),
  ).toEqual([])
})
