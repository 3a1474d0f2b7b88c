/** Languages the pages and mails of the service itself are written in. Articles may be in any. */
export const interfaceLanguages = ['fr', 'ar', 'en'] as const
export type InterfaceLanguage = (typeof interfaceLanguages)[number]

/** The interface language nearest to a BCP 47 tag, where there is one. */
export function findInterfaceLanguage(tag: string): InterfaceLanguage | undefined {
  const base = tag.split('-')[0]
  return interfaceLanguages.find((known) => known === base)
}

/** A language's name in itself: "français", "العربية". */
export const languageName = (tag: string): string =>
  new Intl.DisplayNames(tag, { type: 'language' }).of(tag) ?? tag

/** Right-to-left scripts that a newsroom may publish in. */
const rightToLeft = new Set(['ar', 'fa', 'he', 'ur'])

export const directionOf = (language: string): 'rtl' | 'ltr' =>
  rightToLeft.has(language.split('-')[0] ?? '') ? 'rtl' : 'ltr'

/** Arabic is written with the digits of the Maghreb unless the publication says otherwise. */
export const localeOf = ({ locales }: { locales: Record<string, string> }, language: string): string =>
  locales[language] ?? (language === 'ar' ? 'ar-DZ' : language)

export const languageTag = /^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/

/** BCP 47 in its canonical letters, `ar-DZ` for `ar-dz`: whether an article is in a language is asked letter by letter. */
export function isLanguageTag(value: string): boolean {
  try {
    return languageTag.test(value) && Intl.getCanonicalLocales(value)[0] === value
  } catch {
    return false
  }
}

/**
 * False for two letters that name no language, such as `xx`: ISO 639 gives out no more of these. Of three letters nobody
 * here knows all.
 */
export function mayBeLanguage(tag: string): boolean {
  const [base = ''] = tag.split('-')
  return (
    base.length > 2 ||
    new Intl.DisplayNames('en', { type: 'language', fallback: 'none' }).of(base) !== undefined
  )
}
