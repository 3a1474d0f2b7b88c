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
  const { fixed, link, text } = hints
  if (fixed !== undefined) return fixed
  const [own, site] = [hints.own, hints.site].map(tagOf)
  if (own !== undefined) return ownLanguage(own, languages)
  const byLink = ownLanguage(tagOf(languageIn(link)), languages)
  if (byLink !== undefined) return byLink
  const script = scriptOf(text)
  const isOfScript = (language: string) =>
    script === undefined || isArabicScript(language.toLowerCase()) === (script === 'Arabic')
  if (site !== undefined && isOfScript(site)) return ownLanguage(site, languages)
  return script === undefined ? languages[0] : languages.find(isOfScript)
}

/** What is said in words, such as `français`, is not said: `fra` and `fr_FR` are. */
function tagOf(said = ''): string | undefined {
  try {
    const [tag = ''] = Intl.getCanonicalLocales(said.trim().replaceAll('_', '-'))
    return /^[a-z]{2,3}(?:-|$)/.test(tag) ? tag : undefined
  } catch {
    return undefined
  }
}

/** `/ar/…`, or `?lang=ar`: as plugins mark an address. */
function languageIn(link = ''): string | undefined {
  const { pathname = '', searchParams } = URL.parse(link) ?? {}
  return searchParams?.get('lang') ?? /^\/([a-z]{2,3}(?:-[a-z]{2,4})?)(?:\/|$)/i.exec(pathname)?.[1]
}

/** The publication's language of a tag: `ar-DZ` is `ar` where it publishes in Arabic. */
function ownLanguage(tag: string | undefined, languages: string[]): string | undefined {
  const base = (language: string | undefined) => language?.toLowerCase().split('-')[0]
  return (
    languages.find((language) => language === tag) ??
    languages.find((language) => base(language) === base(tag))
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
