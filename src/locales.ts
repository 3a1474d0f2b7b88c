import { readFileSync } from 'node:fs'
import { dateFormat, listFormat, pluralRules } from './domain/formats.ts'
import type { Schedule } from './domain/newsletter.ts'
import { findInterfaceLanguage, interfaceLanguages, type InterfaceLanguage } from './domain/language.ts'

type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>
type Messages = { [key: string]: Message | Messages }

/** The spaces that French sets inside its quotes, before these signs and after a number: no line breaks there. */
export const withFrenchSpaces = (text: string): string =>
  text
    .replace(/ (?=[:;!?»%])/g, '\u00a0')
    .replace(/« /g, '«\u00a0')
    .replace(/(?<=\d) (?=\d|jours|heures|minutes)/g, '\u00a0')

/** The files keep plain spaces, for whoever edits them sees no other. */
const typeset = (language: InterfaceLanguage) => (_key: string, value: unknown) =>
  language === 'fr' && typeof value === 'string' ? withFrenchSpaces(value) : value

const messages = Object.fromEntries(
  interfaceLanguages.map((language) => [
    language,
    JSON.parse(
      readFileSync(new URL(`../templates/locales/${language}.json`, import.meta.url), 'utf8'),
      typeset(language),
    ) as Messages,
  ]),
) as Record<InterfaceLanguage, Messages>

/** The interface language nearest to a BCP 47 tag; English for a language we do not speak. */
export const interfaceLanguageOf = (tag: string): InterfaceLanguage => findInterfaceLanguage(tag) ?? 'en'

/**
 * The text under a dotted key, with `{name}` replaced from `values`. A message with plural forms is chosen by
 * `values.count` under the rules of the language (Arabic has six), or its own form for none.
 * @throws Error for a key that does not exist: a missing text is a defect, found by the tests
 */
export function translate(
  language: InterfaceLanguage,
  key: string,
  values: Record<string, string | number> = {},
): string {
  const message = find(messages[language], key)
  const text =
    typeof message === 'string' ? message : choosePlural(language, message, Number(values['count']))
  if (text === undefined) throw new Error(`no text ${key} in ${language}`)
  return text.replace(/([«“]\u00a0?)?\{(\w+)\}/g, (placeholder, quote: string | undefined, name: string) => {
    const value = values[name]
    if (value === undefined) return placeholder
    return quote === undefined ? String(value) : quote + within(quote, String(value))
  })
}

/** Quotes within quotes are of the second level: « “Oui”, dit-il ». */
const within = (quote: string, words: string): string =>
  quote === '“'
    ? words.replace(/“/g, '‘').replace(/”/g, '’')
    : words.replace(/«\s?/g, '“').replace(/\s?»/g, '”')

function find(root: Messages, key: string): Message | undefined {
  let node: Messages[string] | undefined = root
  for (const part of key.split('.')) node = (node as Messages | undefined)?.[part]
  return node
}

function choosePlural(language: string, forms: Message | undefined, count: number): string | undefined {
  if (typeof forms !== 'object') return undefined
  const none = count === 0 ? forms.zero : undefined
  return none ?? forms[pluralRules(language).select(count)] ?? forms.other
}

/** What people call the time of a zone, within a sentence: "heure : Algérie" for `Africa/Algiers`. */
export const zoneName = (zone: string, locale?: string): string =>
  dateFormat(locale, { timeZone: zone, timeZoneName: 'shortGeneric' })
    .formatToParts()
    .find(({ type }) => type === 'timeZoneName')?.value ?? zone

/** The same where it stands alone. */
export function zoneInWords(zone: string, locale?: string): string {
  const name = zoneName(zone, locale)
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1)
}

/** As after "comes out": "every second Friday at 18:00". Dates to skip are told from `today` on, `YYYY-MM-DD`. */
export function scheduleInWords(
  language: InterfaceLanguage,
  schedule: Schedule,
  { today = '', locale = language }: { today?: string; locale?: string } = {},
): string {
  const list = listFormat(language)
  const times = list.format(schedule.cadence === 'daily' ? schedule.times : [schedule.time])
  const words = translate(language, 'schedule.at', { days: daysInWords(language, schedule), times })
  const format = dateFormat(locale, { dateStyle: 'long', timeZone: 'UTC' })
  const skipped = schedule.skip.filter((date) => date >= today).map((date) => format.format(new Date(date)))
  if (skipped.length === 0) return words
  const dates = list.format(skipped)
  return translate(language, 'schedule.except', { schedule: words, dates, count: skipped.length })
}

function daysInWords(language: InterfaceLanguage, schedule: Schedule): string {
  const nameOf = (weekday = 1) => translate(language, `desk.newsletters.weekdays.${weekday}`)
  const say = (key: string, values: Record<string, string | number> = {}) =>
    translate(language, `schedule.${key}`, values)
  if (schedule.cadence === 'weekly') {
    const { weekday, ofMonth, every } = schedule
    return say(ofMonth ? `of_month.${ofMonth}` : `every.${every}`, { day: nameOf(weekday) })
  }
  const { weekdays } = schedule
  const [first = 1, last = 7] = [weekdays[0], weekdays.at(-1)]
  if (weekdays.length === 7) return say('every_day')
  if (weekdays.length > 2 && last - first === weekdays.length - 1)
    return say('from_to', { from: nameOf(first), to: nameOf(last) })
  const days = listFormat(language).format(weekdays.map(nameOf))
  return say('on', { days, count: weekdays.length })
}

/** Every dotted key of a language. */
export function listKeys(language: InterfaceLanguage): string[] {
  const walk = (node: Messages, prefix: string): string[] =>
    Object.entries(node).flatMap(([key, value]) =>
      typeof value === 'string' || isPlural(value)
        ? [prefix + key]
        : walk(value as Messages, `${prefix}${key}.`),
    )
  return walk(messages[language], '')
}

const pluralForms = new Set(['zero', 'one', 'two', 'few', 'many', 'other'])

/** A text that counts, rather than a group of texts of which one is called `other`. */
const isPlural = (node: object): boolean => Object.keys(node).every((key) => pluralForms.has(key))
