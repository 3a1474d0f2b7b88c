import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** A title, and below it, or below one line between, a text. */
const titleAndSentence = /<h1.*<\/h1>\n(?:.*\n){0,2}? *<p[^>]*>\{\{ 'desk\.[\w.]+' \| t[^}]*\}\}/

test('every page of the desk says under its title, in a sentence, what it is for', () => {
  const silent = globSync('templates/pages/desk/*.liquid').filter(
    (file) => !titleAndSentence.test(readFileSync(file, 'utf8')),
  )
  // What is wrong, in the words of every error; a welcome and one button.
  expect(silent.sort()).toEqual([
    'templates/pages/desk/error.liquid',
    'templates/pages/desk/sign-in-confirm.liquid',
  ])
})

test('what the guide for editors prints bold stands on the desk, in French and in English', () => {
  const textsOf = (node: unknown): string[] =>
    typeof node === 'string' ? [node] : Object.values(node as object).flatMap(textsOf)
  const [french = '', english = ''] = readFileSync('docs/desk.md', 'utf8').split('## English')
  for (const [language, guide] of Object.entries({ fr: french, en: english })) {
    const texts = new Set(textsOf(JSON.parse(readFileSync(`templates/locales/${language}.json`, 'utf8'))))
    const labels = [
      ...guide
        .replaceAll('\n', ' ')
        .replaceAll(/`[^`]*`/g, '')
        .matchAll(/\*\*([^*`]+)\*\*/g),
    ].map(([, label = '']) => label)
    expect(labels.length).toBeGreaterThan(40)
    expect(labels.filter((label) => !texts.has(label))).toEqual([])
  }
})
