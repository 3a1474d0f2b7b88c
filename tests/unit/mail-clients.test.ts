import { readdirSync, readFileSync } from 'node:fs'
import { caniemail } from 'caniemail'
import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'

const goldens = new URL('../fixtures/mail/', import.meta.url)

/** What our readers open mail with; caniemail.com knows all that we use of these. */
const clients = [
  'apple-mail.*',
  'gmail.*',
  'orange.*',
  'outlook.*',
  'samsung-email.*',
  'sfr.*',
  'yahoo.*',
] as const

/** Used although some client ignores it, and what its reader sees then. */
const degrading = {
  '!important keyword': 'Orange keeps the colours of a light page',
  '<body> element': 'its colours, language and direction stand again on the element inside',
  '<style> element': 'everything that matters is inline: what is lost is dark mode and the narrow layout',
  '@media': 'the light colours; the one column is as wide as the screen all the same',
  'Attribute selector': 'Outlook’s own dark mode instead of ours',
  'Chaining selectors': 'as for <style>',
  'Child combinator': 'as for <style>',
  'Class selector': 'as for <style>',
  'Descendant combinator': 'as for <style>',
  'ID selector': 'as for <style>',
  'Type selector': 'as for <style>',
  'aria-label attribute': 'the words of the link itself are read',
  'border-radius': 'square corners',
  'color-scheme CSS property': 'the client’s own dark mode, or none',
  'color-scheme meta tag': 'the client’s own dark mode, or none',
  cursor: 'the client’s own',
  'display:none': 'no height hides the preview line there',
  'height property': 'pictures keep the size of their attributes',
  'mailto: links': 'the address is there to be read',
  'lang attribute': 'the voice of the reader’s own language',
  'max-height property': 'the preview line is hidden there all the same',
  outline: 'the client’s own',
  overflow: 'as for max-height',
  'role attribute': 'a screen reader names the tables',
  'target attribute': 'the client opens links as it always does',
  'text-decoration': 'links keep the client’s own underline',
  'text-decoration-color': 'the underline has the colour of its text',
  'text-decoration-thickness': 'a thin underline',
  'text-underline-offset': 'the underline touches the letters',
  'word-break': 'a long address may widen its cell',
  'word-spacing': 'words as far apart as the font says',
}

test('TPL-7 what some client does not know is known to us, and degrades', async () => {
  const unsupported = new Set<string>()
  for (const name of readdirSync(goldens).filter((file) => file.endsWith('.eml'))) {
    const { html } = await simpleParser(readFileSync(new URL(name, goldens)), { skipHtmlToText: true })
    if (!html) throw new Error(`${name} has no HTML`)
    const { errors } = caniemail({ clients: [...clients], html }).issues
    for (const { title } of [...errors.values()].flat()) unsupported.add(title)
  }
  // Fewer is better: what is no longer used leaves the list, so that it cannot come back unseen.
  expect([...unsupported].sort()).toEqual(Object.keys(degrading).sort())
})
