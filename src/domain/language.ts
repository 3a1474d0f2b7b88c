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
