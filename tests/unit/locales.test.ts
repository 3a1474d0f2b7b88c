import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { interfaceLanguages } from '../../src/domain/language.ts'
import { listKeys, translate } from '../../src/locales.ts'

const read = (language: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../templates/locales/${language}.json`, import.meta.url), 'utf8'))

type Found = { key: string; text: unknown }[]

const entriesOf = (node: unknown, prefix = ''): Found =>
  typeof node === 'object' && node !== null && !('other' in node && 'one' in node)
    ? Object.entries(node).flatMap(([key, value]) => entriesOf(value, prefix ? `${prefix}.${key}` : key))
    : [{ key: prefix, text: node }]

/** Every text of a language, each of its plural forms by itself. */
const formsOf = (language: string): { key: string; text: string }[] =>
  entriesOf(read(language)).flatMap(({ key, text }) =>
    (typeof text === 'string' ? [text] : Object.values(text as Record<string, string>)).map((form) => ({
      key,
      text: form,
    })),
  )

/** Words of Arabic that the doubling sign tells apart. */
const homographs = new Set(['موقع', 'تبقى', 'غيره', 'بلغ'])

const placeholders = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort()

test('every text exists in all three languages', () => {
  const [first, ...others] = interfaceLanguages.map((language) => listKeys(language).sort())
  for (const keys of others) expect(keys).toEqual(first)
})

test('quotes of a headline within quotes are of the second level', () => {
  const say = (language: 'fr' | 'ar' | 'en', title: string) =>
    translate(language, 'feeds.responses_to', { title }).replace(/\u00a0/g, ' ')
  expect(say('fr', '« Bon, on y va ? » : le récit')).toBe('Réponses à « “Bon, on y va ?” : le récit »')
  expect(say('ar', '«نعم» قال')).toBe('الردود على «“نعم” قال»')
  expect(say('en', 'A “yes”')).toBe('Responses to “A ‘yes’”')
})

test('a text that counts has every plural form of its language', () => {
  for (const language of interfaceLanguages) {
    const rules = new Intl.PluralRules(language)
    // French has one more form from a million on, which a page writes like the one below.
    const forms = [...new Set(Array.from({ length: 1_000 }, (_, count) => rules.select(count)))]
    for (const { key, text } of entriesOf(read(language))) {
      if (typeof text === 'string') {
        expect(text, `${language} ${key}`).not.toContain('{count}')
        continue
      }
      expect(Object.keys(text as object), `${language} ${key}`).toEqual(expect.arrayContaining(forms))
    }
  }
})

test('a text has the same placeholders in every language', () => {
  const [first, ...others] = interfaceLanguages.map(
    (language) => new Map(entriesOf(read(language)).map(({ key, text }) => [key, text])),
  )
  for (const [key, text] of first ?? []) {
    for (const other of others) {
      const translated = other.get(key)
      // Arabic says one and two in words, so only the last form must show the number.
      const last = (value: unknown) =>
        typeof value === 'string' ? value : (value as { other: string } | undefined)?.other
      expect(placeholders(last(translated) ?? ''), key).toEqual(placeholders(last(text) ?? ''))
    }
  }
})

test('no line of French begins with a sign that belongs to the word before it, or ends with an opening quote', () => {
  for (const key of listKeys('fr')) {
    for (const count of [1, 2]) expect(translate('fr', key, { count }), key).not.toMatch(/ [:;!?»%]|« /)
  }
})

test('every text that a template asks for exists', () => {
  const known = new Set(listKeys('en'))
  const root = new URL('../../templates/', import.meta.url)
  const files = ['pages', 'partials', 'mail']
    .flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((name) => name.endsWith('.liquid'))
  for (const file of files) {
    const source = readFileSync(new URL(file, root), 'utf8')
    for (const [, key = ''] of source.matchAll(/'([\w-]+(?:\.[\w-]+)+)' \| t\b/g)) {
      expect(known.has(key), `${file}: ${key}`).toBe(true)
    }
  }
})

/** Words that say what another word already says, and the familiar form of address. */
const synonyms = {
  fr: /courriel|électronique|\bfils?\b|(?<!e-)\bmails?\b|\bréactions?\b|bloquée?s?\b|étiquette|\badmin\b/i,
  ar: /تفعيل|تعليق|اشتركت(?!م)|تفضيلاتك(?!م)|اشتراكك(?!م)|الجريدة|محجوب من|محظور|مكتب التحرير|قارئات|ميتة|المدير/,
  en: /\b(?:an?|each|every|this|that|the) mail\b(?! server)|(?<!e-)\bmails\b|\bactivation|barred|(?<!e-)\bmail me/i,
}

/** What print does not have. */
const slips = {
  fr: /['"]| {2}|«(?! )|(?<! )»|(?<=[^ \d])[!?;](?!\S)/,
  // Adverbs and objects without their tanwin, or with it after the alif; a shadda upon an alif; Latin signs after Arabic.
  ar: /['"]| {2}|« | »|٪|اً|\u0627\u0651|[\u0621-\u0652] ?[,;?]|(?<![\u0621-\u0652])(?:و|ف)?(?:أولا|أيضا|جدا|أبدا|تماما|تلقائيا|يدويا|مؤقتا|فورا|حاليا|نهائيا|واحدا|فارغا|كاملا|بدلا|شيئا|شخصا|حرفا|مقالا|عنوانا|يوما|رابطا|سببا|وقتا|عمودا|ملخصا|سابقا|قليلا|ناقصا|صغيرا)(?![\u0621-\u0652])/,
  en: /['"]| {2}/,
}

const rules = [
  ['one word for one thing', synonyms],
  ['as print has it', slips],
] as const

test.each(
  rules.flatMap(([name, of]) => Object.entries(of).map(([language, rule]) => ({ name, language, rule }))),
)('$name in $language', ({ language, rule }) => {
  expect(formsOf(language).filter(({ text }) => rule.test(text))).toEqual([])
})

/** French contracts (à + le, de + le) and Arabic verbs agree; a name can do neither. */
test.each(['fr', 'ar'])(
  'a name in a sentence of %s stands in quotation marks or behind a colon',
  (language) => {
    const isBare = (text: string) =>
      [...text.matchAll(/\{(?:name|newsletter|publication|digest|article|title|source)\}/g)].some(
        ({ index, 0: name }) => {
          const before = text.slice(0, index).trimEnd()
          return before === ''
            ? !/^ ?(?:[:\n]|$)/.test(text.slice(index + name.length))
            : !/[«:]$/.test(before)
        },
      )
    expect(formsOf(language).filter(({ text }) => isBare(text))).toEqual([])
  },
)

test('a word of Arabic is spelt in one way', () => {
  const words = formsOf('ar').flatMap(({ text }) => text.match(/[\u0621-\u0652]+/g) ?? [])
  const doubled = new Map(
    words.filter((word) => word.includes('\u0651')).map((word) => [word.replaceAll('\u0651', ''), word]),
  )
  const twice = [...new Set(words)].filter((word) => doubled.has(word) && !homographs.has(word))
  expect(twice.map((word) => `${word}, elsewhere ${doubled.get(word)}`)).toEqual([])
})

test('no identifier of a time zone stands in a text, but where one is asked for', () => {
  for (const language of interfaceLanguages)
    for (const { key, text } of formsOf(language))
      if (!/\bzone$/.test(key))
        expect(text, `${language} ${key}`).not.toMatch(/\b(?:Africa|America|Asia|Europe)\//)
})

test.each(interfaceLanguages)(
  'every kind of mail that the database takes has a name on a person’s page in %s',
  (language) => {
    const schema = readFileSync(new URL('../../docs/schema.sql', import.meta.url), 'utf8')
    const kinds = [...(/outbox_kind_check CHECK .*/.exec(schema)?.[0] ?? '').matchAll(/'([a-z-]+)'::text/g)]
    expect(kinds.length).toBeGreaterThan(8)
    for (const [, kind] of kinds)
      expect(translate(language, `desk.subscribers.mail_kinds.${kind}`)).not.toBe('')
  },
)
