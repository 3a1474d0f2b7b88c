const sampleLength = 1_500

const isArabic = (language: string): boolean => /^(?:ar|fa|ur)\b/.test(language)

/**
 * The publication's language that a text is written in, told by its script: the first one in Arabic script where
 * most letters are Arabic, else the first other one.
 */
export function languageOf(text: string, languages: string[]): string {
  const sample = text.slice(0, sampleLength).replace(/<[^>]*>|https?:\S+/g, ' ')
  const arabic = sample.match(/\p{Script=Arabic}/gu)?.length ?? 0
  const latin = sample.match(/\p{Script=Latin}/gu)?.length ?? 0
  const wanted = arabic > latin
  return languages.find((language) => isArabic(language) === wanted) ?? languages[0] ?? 'fr'
}
