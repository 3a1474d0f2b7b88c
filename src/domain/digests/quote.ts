/** Words without case, accents, vowel signs and punctuation. */
const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKD')
    .replace(/[\p{M}\u0640]/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []

const runLength = 3

/** Of `de la ville` any text may be made; of `phare rallumé hier` few. */
const isTelling = (run: readonly string[]): boolean => run.filter((word) => word.length >= 4).length >= 2

/**
 * Whether a text quotes a headline: it holds the whole of it, or three of its words in a row, of which two have four
 * letters or more. Case, accents, Arabic vowel signs and punctuation do not count.
 */
export function isQuotedIn(text: string, headline: string): boolean {
  const words = wordsOf(headline)
  const held = ` ${wordsOf(text).join(' ')} `
  const holds = (run: readonly string[]) => run.length > 0 && held.includes(` ${run.join(' ')} `)
  if (holds(words)) return true
  return words.some((_, at) => {
    const run = words.slice(at, at + runLength)
    return run.length === runLength && isTelling(run) && holds(run)
  })
}
