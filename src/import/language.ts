const sampleLength = 1_500
/** Enough to find a sample in, whatever styles and pictures come first. */
const readLength = 60_000

const isArabicScript = (language: string): boolean => /^(?:ar|fa|ur)\b/.test(language)

/** What tells the language of one item, the most certain first. */
export interface LanguageHints {
  /** Said for the whole import. */
  fixed: string | undefined
  /** What the item says of itself: BCP 47, or a slug of Polylang. */
  own: string | undefined
  /** The address of its page: `/ar/…` is Arabic. */
  link: string | undefined
  /** What the feed or export says of all it holds. */
  site: string | undefined
  /** Its title and HTML. */
  text: string
}

/**
 * One of the publication's languages; undefined where the item is in another one. What a site says of itself counts for
 * what is written in that script: a French export holds Arabic posts, too.
 */
export function chooseLanguage(hints: LanguageHints, languages: string[]): string | undefined {
  const { fixed, own, link, site, text } = hints
  if (fixed !== undefined) return fixed
  if (own) return ownLanguage(own, languages)
  const [, prefix = ''] =
    /^\/([a-z]{2,3}(?:-[a-z]{2,4})?)(?:\/|$)/i.exec(URL.parse(link ?? '')?.pathname ?? '') ?? []
  const byLink = prefix === '' ? undefined : ownLanguage(prefix, languages)
  if (byLink !== undefined) return byLink
  const script = scriptOf(text)
  const isOfScript = (language: string) =>
    script === undefined || isArabicScript(language.toLowerCase()) === (script === 'Arabic')
  if (site && isOfScript(site)) return ownLanguage(site, languages)
  return script === undefined ? languages[0] : languages.find(isOfScript)
}

/** The publication's language of a tag: `ar-DZ` and `ar_DZ` are `ar` where it publishes in Arabic. */
function ownLanguage(tag: string, languages: string[]): string | undefined {
  const wanted = tag.trim().replaceAll('_', '-').toLowerCase()
  const base = (language: string) => language.toLowerCase().split('-')[0]
  return (
    languages.find((language) => language.toLowerCase() === wanted) ??
    languages.find((language) => base(language) === base(wanted))
  )
}

/** The script of most letters that people read: styles, scripts, markup, shortcodes and addresses do not count. */
function scriptOf(html: string): 'Arabic' | 'Latin' | undefined {
  const sample = html
    .slice(0, readLength)
    .replace(/<!--.*?(?:-->|$)|<(style|script)\b.*?(?:<\/\1\s*>|$)/gis, ' ')
    .replace(/<[^<>]*>?|\[[^[\]]{0,300}\]|(?:https?|data):\S+|&\w+;/g, ' ')
    .trim()
    .slice(0, sampleLength)
  const count = (words: RegExp) => sample.match(words)?.join('').length ?? 0
  const [arabic, latin] = [count(/\p{Script=Arabic}+/gu), count(/\p{Script=Latin}+/gu)]
  if (arabic + latin === 0) return undefined
  return arabic > latin ? 'Arabic' : 'Latin'
}
