import { findInterfaceLanguage, languageName } from '../domain/language.ts'
import type { Schedule } from '../domain/newsletter.ts'
import { interfaceLanguageOf, listKeys, scheduleInWords, translate } from '../locales.ts'

const texts = new Set(listKeys('en'))

/** What the words of a field's values stand below; of every other, those of a subscription and of a box. */
const below: Record<string, string[]> = {
  state: ['desk.newsletters.states.', 'desk.articles.states.'],
  approval: ['desk.newsletters.approvals.'],
  repeats: ['desk.newsletters.repeat_rules.'],
  template: ['desk.newsletters.templates.'],
  cadences: ['desk.digests.cadences.'],
  role: ['desk.roles.'],
  links: ['desk.settings.links_'],
  feedText: ['desk.settings.feed_text_'],
  responses: ['desk.settings.switch_'],
  trackbacks: ['desk.settings.switch_'],
  ambiguousPolicy: ['desk.settings.'],
}
const everywhere = ['desk.subscribers.states.', 'desk.audit.values.']

/** What an entry of the log tells besides who, when and on what, as people of this language say it: what was and what is. */
export function tellChanges(detail: object, tongue: string) {
  const language = interfaceLanguageOf(tongue)
  return Object.entries(detail).map(([field, value]) => {
    const name = ['desk.audit.fields.', 'desk.imports.counts.']
      .map((one) => one + field)
      .find((one) => texts.has(one))
    const say = (word: string, property?: string): string => {
      if (property === 'weekday') return translate(language, `desk.newsletters.weekdays.${word}`)
      if (field.startsWith('language') && findInterfaceLanguage(word) === word) return languageName(word)
      const key = [...(below[field] ?? []), ...everywhere]
        .map((one) => one + word)
        .find((one) => texts.has(one))
      return key === undefined ? word : translate(language, key)
    }
    const tell = (side: string): string => {
      const said = readList(side)
      return field === 'schedules' && Array.isArray(said)
        ? said.map((one: Schedule) => scheduleInWords(language, one)).join(' · ')
        : flatten(said, say, translate(language, 'site.comma'))
    }
    return {
      field: name === undefined ? field : translate(language, name),
      isNamed: name !== undefined,
      sides: String(value ?? '–')
        .split(' → ')
        .map((side) => tell(side) || '–'),
    }
  })
}

/** Lists are logged as JSON; a text is itself. */
function readList(side: string): unknown {
  if (!/^[[{]/.test(side)) return side
  try {
    return JSON.parse(side)
  } catch {
    return side
  }
}

function flatten(
  value: unknown,
  say: (word: string, property?: string) => string,
  comma: string,
  property?: string,
): string {
  if (Array.isArray(value)) return value.map((one) => flatten(one, say, comma)).join(comma)
  if (typeof value !== 'object' || value === null) return say(String(value), property)
  return Object.entries(value)
    .map(([key, one]) => flatten(one, say, comma, key))
    .join(' · ')
}
