import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const sources = globSync('{src,workers}/**/*.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')
const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `(\w+)` \|/gm)].map(
  ([, code = '']) => code,
)
/** A kind and its code stand beside each other wherever an error is made. */
const kinds =
  'invalid|unauthenticated|forbidden|not_?found|conflict|precondition_?(?:failed|required)|throttled|unavailable'
const made = new Set(
  [...sources.matchAll(new RegExp(`\\b(?:${kinds})(?:\\(|',)\\s*(?:'(\\w+)'|\`(\\w+)\\$\\{)`, 'gi'))].map(
    ([, code, start]) => code ?? `${start ?? ''}…`,
  ),
)

test('docs/errors.md lists every code that an error is made with', () => {
  expect(made.size).toBeGreaterThan(90)
  const known = (code: string) =>
    code.endsWith('…')
      ? documented.some((one) => one.startsWith(code.slice(0, -1)))
      : documented.includes(code)
  expect([...made].filter((code) => !known(code))).toEqual([])
})

test('docs/errors.md lists no code that nothing answers with', () => {
  // What a code was called before is told beside its name of today, and never in its place.
  const inUse = sources.replace(/const formerCodes\b[^}]*\}/, '')
  const beginnings = [...made].filter((code) => code.endsWith('…')).map((code) => code.slice(0, -1))
  const isMade = (code: string) =>
    inUse.includes(`'${code}'`) || beginnings.some((beginning) => code.startsWith(beginning))
  expect(documented.filter((code) => !isMade(code))).toEqual([])
})
