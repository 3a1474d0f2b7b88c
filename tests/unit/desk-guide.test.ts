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
