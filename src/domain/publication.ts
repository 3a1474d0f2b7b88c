export type AmbiguousPolicy = 'resend_once' | 'hold'

/** Where links to articles lead: to their pages here, or to the newsroom's own. */
export const links = ['here', 'canonical'] as const
export type Links = (typeof links)[number]

/** How much of an article feeds show. */
export const feedTexts = ['full', 'summary'] as const
export type FeedText = (typeof feedTexts)[number]

/** What readers and other sites may do under open articles. */
export const switches = ['off', 'on'] as const
type Switch = (typeof switches)[number]

/** A text for every language, or one per language (BCP 47): a language without one has that of the first. */
export type PerLanguage<Text> = Text | Record<string, Text>

/** Whom to write to about what, such as "Publicité". */
export interface Contact {
  role: string
  email: string
}

/** What the newsroom says of itself, in one language. */
type Texts = typeof noTexts

export const noTexts = {
  name: '',
  description: '',
  /** The byline of an article without authors. */
  deskName: '',
  /** Without one no digest is sent. */
  postalAddress: null as string | null,
  /** Own words at the foot of every mail. */
  footer: null as string | null,
  contacts: [] as Contact[],
  legalLinks: [] as { label: string; url: string }[],
}

export const textFields = Object.keys(noTexts) as (keyof Texts)[]

type TextsPerLanguage = { [Field in keyof Texts]: PerLanguage<Texts[Field]> }

/** A picture of ours, at its absolute address; pixels of that file. */
export interface LookPicture {
  url: string
  width: number
  height: number
}

export const lookPictures = ['logo', 'logoDark', 'icon'] as const

/** The newsroom this installation serves. */
export interface Publication extends TextsPerLanguage {
  /** BCP 47; the first is the default of pages and mail. */
  languages: string[]
  /** IANA zone of its days: view counts, dates on pages. */
  zone: string
  /** Locale for dates and numbers, by language; where absent, the language itself. */
  locales: Record<string, string>
  contactEmail: string | null
  policyUrl: string | null
  policyVersion: string
  ambiguousPolicy: AmbiguousPolicy
  links: Links
  /** Null: in full, where links lead home a summary. */
  feedText: FeedText | null
  /** Readers may respond here. */
  responses: Switch
  /** Other sites may tell that they link here. */
  trackbacks: Switch
  /** `#rrggbb`, as it was chosen; what it is used as is in `accent.ts`. */
  accent: string | null
  logo: LookPicture | null
  /** For dark grounds; where there is none, `logo`. */
  logoDark: LookPicture | null
  /** Square. */
  icon: LookPicture | null
}

/** As readers of one language see it. */
export type PublicationIn = Omit<Publication, keyof Texts> & Texts

export const isPerLanguage = <Text>(text: PerLanguage<Text>): text is Record<string, Text> =>
  typeof text === 'object' && text !== null && !Array.isArray(text)

export const textIn = <Text>(text: PerLanguage<Text>, language: string): Text =>
  isPerLanguage(text)
    ? (text[language] ?? text[language.split('-')[0] ?? ''] ?? (Object.values(text)[0] as Text))
    : text

export const publicationIn = (publication: Publication, language: string): PublicationIn => ({
  ...publication,
  ...(Object.fromEntries(
    textFields.map((field) => [field, textIn<unknown>(publication[field], language)]),
  ) as unknown as Texts),
})

/** Whom readers of a mail may write to: who is named for it, else the newsroom. */
export const mailContactsOf = ({ contacts, contactEmail }: PublicationIn): Contact[] =>
  contacts.length > 0 || contactEmail === null ? contacts : [{ role: '', email: contactEmail }]

/**
 * The texts after a change: one for every language takes the place of all; of one per language, those that are named
 * change, and an empty one goes. The first language always has one.
 */
export const changeTexts = (before: Publication, change: Partial<Publication>): TextsPerLanguage =>
  Object.fromEntries(
    textFields.map((field) => [
      field,
      changeText(field, before, change[field] ?? (field in change ? noTexts[field] : {}), change.languages),
    ]),
  ) as unknown as TextsPerLanguage

function changeText(
  field: keyof Texts,
  before: Publication,
  change: PerLanguage<unknown>,
  [first = 'en'] = before.languages,
): PerLanguage<unknown> {
  const old: PerLanguage<unknown> = before[field]
  if (!isPerLanguage(change)) return change
  if (!isPerLanguage(old) && Object.keys(change).length === 0) return old
  const all = {
    [first]: textIn(old, first),
    ...(isPerLanguage(old) ? old : { [before.languages[0] ?? first]: old }),
    ...change,
  }
  const others = Object.entries(all).filter(([language, text]) => language !== first && !isEmpty(text))
  const own = isEmpty(all[first]) ? noTexts[field] : all[first]
  return others.length === 0 ? own : { [first]: own, ...Object.fromEntries(others) }
}

const isEmpty = (text: unknown): boolean =>
  text == null || ((typeof text === 'string' || Array.isArray(text)) && text.length === 0)
