import { expect, test } from 'vitest'
import { plainTextOf } from '../../src/domain/articles/article-html.ts'
import { renderMarkdown } from '../../src/services/articles/safe-html.ts'

test('what an editor writes becomes a story: paragraphs, headings, links, lists, a table', async () => {
  const html = await renderMarkdown(
    '# Le port\n\nDeux **bacs** :\n*le soir*\n\n- un\n- deux\n\nhttps://rivage.example/a, ecrire@rivage.example\n\n| a | b |\n|---|---|\n| 1 | 2 |',
  )
  expect(html).toContain('<h2>Le port</h2>')
  expect(html).toContain('<p>Deux <strong>bacs</strong> :<br />\n<em>le soir</em></p>')
  expect(html).toContain('<li>un</li>')
  expect(html).toContain('<a href="https://rivage.example/a">https://rivage.example/a</a>')
  expect(html).toContain('<a href="mailto:ecrire@rivage.example">')
  expect(html).toContain('<td>2</td>')
})

test('a mail without HTML shows its words: no asterisk, an address behind its words, once', async () => {
  const html = await renderMarkdown(
    'Chers **lecteurs**,\nle journal *déménage* : [le **plan**](https://rivage.example/plan?a=1&b=2).\n\n- 22 h\n- minuit\n\n## À lire\n\n> une citation\n\nhttps://rivage.example/a, ecrire@rivage.example ![Le bac](https://img.example/b.jpg)\n\n| a | b |\n|---|---|\n| 1 | 2 |',
  )
  expect(plainTextOf(html)).toBe(
    [
      'Chers lecteurs,\nle journal déménage : le plan (https://rivage.example/plan?a=1&b=2).',
      '- 22 h\n- minuit',
      'À lire',
      'une citation',
      'https://rivage.example/a, ecrire@rivage.example Le bac',
      'a b\n1 2',
    ].join('\n\n'),
  )
})

test('two words that a full stop joins are no address, in Arabic as in French', async () => {
  expect(await renderMarkdown('le port.La mer. **البحر**')).toBe(
    '<p>le port.La mer. <strong>البحر</strong></p>',
  )
})

test('tags are words, and no address runs a script', async () => {
  const html = await renderMarkdown(
    '<script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](data:image/png;base64,AAAA) [c](vbscript:x "t")',
  )
  expect(html).not.toMatch(/<(?:script|img|a)\b/)
  expect(html).toContain('&lt;script&gt;')
})

test('nested without end, or a hundred thousand brackets: an answer, and the process goes on', async () => {
  const hostile = ['> ', '- ', '[', '![', '**a ', '`a', '&#', '| a ', '<a ', '1. a\n'].map((piece) =>
    piece.repeat(Math.ceil(25_000 / piece.length)),
  )
  const beats: number[] = []
  const timer = setInterval(() => beats.push(1), 1)
  const answers = await Promise.all(hostile.map((text) => renderMarkdown(text)))
  clearInterval(timer)
  expect(answers.every((html) => html.length > 0)).toBe(true)
  // It is read in a thread: the loop turns meanwhile.
  expect(beats.length).toBeGreaterThan(10)
})
