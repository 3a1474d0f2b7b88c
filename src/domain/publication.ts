export type AmbiguousPolicy = 'resend_once' | 'hold'

/** Where links to articles lead: to their pages here, or to the newsroom's own. */
export const links = ['here', 'canonical'] as const
export type Links = (typeof links)[number]

/** How much of an article feeds show. */
export const feedTexts = ['full', 'summary'] as const
export type FeedText = (typeof feedTexts)[number]

/** The newsroom this installation serves. */
export interface Publication {
  name: string
  description: string
  /** BCP 47; the first is the default of pages and mail. */
  languages: string[]
  /** IANA zone of its days: view counts, dates on pages. */
  zone: string
  /** Locale for dates and numbers, by language; where absent, the language itself. */
  locales: Record<string, string>
  /** The byline of an article without authors. */
  deskName: string
  /** Without one no digest is sent. */
  postalAddress: string | null
  contactEmail: string | null
  policyUrl: string | null
  policyVersion: string
  ambiguousPolicy: AmbiguousPolicy
  links: Links
  /** Null: in full, where links lead home a summary. */
  feedText: FeedText | null
}

/** Right-to-left scripts that a newsroom may publish in. */
const rightToLeft = new Set(['ar', 'fa', 'he', 'ur'])

export const directionOf = (language: string): 'rtl' | 'ltr' =>
  rightToLeft.has(language.split('-')[0] ?? '') ? 'rtl' : 'ltr'

/** An hour as every page and mail shows it: to 24, where a locale of its own would say ten in the evening. */
export const clock = { timeStyle: 'short', hourCycle: 'h23' } as const

/** Arabic is written with the digits of the Maghreb unless the publication says otherwise. */
export const localeOf = (publication: Pick<Publication, 'locales'>, language: string): string =>
  publication.locales[language] ?? (language === 'ar' ? 'ar-DZ' : language)

export const languageTag = /^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/
export const isLanguageTag = (value: string): boolean => languageTag.test(value)

export function isZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return true
  } catch {
    return false
  }
}

/** The calendar day in a zone at an instant, such as 2026-03-14. */
export const dateIn = (zone: string, at: Date): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(at)

/** Days up to this one, oldest first, each `step` days after the one before. */
export const lastDates = (today: string, n: number, step = 1): string[] =>
  Array.from({ length: n }, (_, index) =>
    new Date(Date.parse(today) - (n - 1 - index) * step * 86_400_000).toISOString().slice(0, 10),
  )
