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

const placeholders = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort()

test('every text exists in all three languages', () => {
  const [first, ...others] = interfaceLanguages.map((language) => listKeys(language).sort())
  for (const keys of others) expect(keys).toEqual(first)
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
  fr: /courriel|électronique|\bfils?\b|(?<!e-)\bmails?\b|\bréactions?\b/i,
  ar: /تفعيل|تعليق|اشتركت(?!م)|تفضيلاتك(?!م)|اشتراكك(?!م)/,
}

test.each(Object.entries(synonyms))('one word for one thing in %s', (language, synonym) => {
  for (const { key, text } of entriesOf(read(language))) {
    for (const form of typeof text === 'string' ? [text] : Object.values(text as object)) {
      expect(form, `${language} ${key}`).not.toMatch(synonym)
    }
  }
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
