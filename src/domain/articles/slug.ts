const maxLength = 80

const ligatures: Record<string, string> = { œ: 'oe', æ: 'ae', ß: 'ss', ø: 'o', đ: 'd', ł: 'l' }

/**
 * Words of letters and digits joined by hyphens, lower case. Latin letters lose their accents; Arabic and every
 * other script keep their letters (without vowel signs and tatweel). Empty where the text has no letter or digit.
 * Two articles of one slug are told apart in services/articles/slugs.ts.
 */
export function slugOf(text: string): string {
  const slug = text
    .normalize('NFD')
    .replace(/(\p{Script=Latin})\p{M}+/gu, '$1')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[œæßøđł]/g, (letter) => ligatures[letter] ?? letter)
    .replace(/(\p{Script=Arabic})\p{M}+/gu, '$1')
    .replace(/\u0640/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
  if (slug.length <= maxLength) return slug
  const cut = slug.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '')
  return cut.includes('-') && slug.charAt(maxLength) !== '-' ? cut.slice(0, cut.lastIndexOf('-')) : cut
}
