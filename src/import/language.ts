const sampleLength = 1_500

const isArabic = (language: string): boolean => /^(?:ar|fa|ur)\b/.test(language)

/**
 * The publication's language that a text is written in, told by its script: the first one in Arabic script where
 * most letters are Arabic, else the first other one.
 */
export function languageOf(text: string, languages: string[]): string {
  const sample = text.slice(0, sampleLength).replace(/<[^>]*>|https?:\S+/g, ' ')
  const count = (words: RegExp) => sample.match(words)?.join('').length ?? 0
  const wanted = count(/\p{Script=Arabic}+/gu) > count(/\p{Script=Latin}+/gu)
  return languages.find((language) => isArabic(language) === wanted) ?? languages[0] ?? 'fr'
}
