const mostWords = 8

/** Patterns for `like`, one for each word of a text, the longest first: the best for an index. */
export const titleWords = (text: string): string[] =>
  text
    .split(/\s+/)
    .filter(Boolean)
    .sort((a, b) => b.length - a.length)
    .slice(0, mostWords)
    .map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`)
