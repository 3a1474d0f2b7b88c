import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { sanitizeArticleHtml } from '../../src/domain/articles/article-html.ts'
import { articlePaper, type Story } from '../../src/services/editions/paper.ts'
import { askForPaper, template, type SetPaper } from '../../src/services/editions/paper-cache.ts'
import { aPublication } from '../support/mail.ts'
import { overprinted, pdfFacts, pdfText } from '../support/pdf.ts'

const photograph = readFileSync(new URL('../../templates/assets/sample/oud.jpg', import.meta.url))

/** One article as its PDF, with that picture wherever it has one. */
async function set(
  html: string,
  change: Partial<Story> = {},
  options: { language?: string; picture?: Buffer } = {},
) {
  const { language = 'fr', picture = photograph } = options
  const story: Story = {
    ...{
      title: 'Le phare se rallume',
      lead: '',
      byline: 'Lina Marsa',
      url: 'https://news.example.org/articles/phare',
    },
    ...{ shortUrl: 'https://news.example.org/s/phare', publishedAt: new Date('2026-11-23T06:00:00Z') },
    ...{ correction: undefined, correctedAt: undefined, picture: undefined, section: undefined },
    html: sanitizeArticleHtml(html, 'https://news.example.org/'),
    ...change,
  }
  const place = { language, publicUrl: 'https://news.example.org' }
  const { paper, pictures } = articlePaper(story, aPublication(), place)
  const made = pictures.map(({ url, ...rest }) => ({
    ...rest,
    bytes: /absent/.test(url) ? undefined : picture,
  }))
  return bytesOf(await askForPaper({ template, paper, pictures: made }))
}

function bytesOf(set: SetPaper): Buffer {
  if ('fault' in set) throw new Error(set.fault)
  return Buffer.from(set.bytes)
}

test('whatever a story says stays words: nothing of it is read as commands, nothing outside is read', async () => {
  const hostile = '#import "x" $a$ ] [ \\ @ref &lt;label&gt; #read("/etc/passwd") *b* _i_ // c'
  const bytes = await set(
    `<p>${hostile}</p><pre>#while true {}\n  ]</pre><p><a href="https://e.example/?a=$b#c">#lien</a> <a href="#note">note</a></p>`,
    {
      title: '#set text(red) $ ] @x <y> \\',
      lead: '#pagebreak() [',
      correction: '#x ]',
    },
  )
  const text = pdfText(bytes).replace(/\s+/g, ' ')
  for (const words of [
    '#import "x" $a$ ] [ \\ @ref <label> #read("/etc/passwd") *b* _i_ // c',
    '#set text(red) $ ] @x <y> \\',
    '#while true {}',
    '#pagebreak() [',
    '#x ]',
  ])
    expect(text).toContain(words)
  expect(pdfFacts(bytes)).toMatchObject({ pages: 1, isAccessible: true })
  expect(pdfFacts(bytes).links).toEqual(
    expect.arrayContaining([
      'https://e.example/?a=$b#c',
      'https://news.example.org/articles/phare#story-note',
    ]),
  )

  for (const reading of [
    '#read("/etc/passwd")',
    '#read("../../package.json")',
    '#read("../locales/fr.json")',
  ])
    expect(await askForPaper({ template: reading, paper: {}, pictures: [] })).toEqual({
      fault: expect.stringContaining('fil') as string,
    })
})

test('Arabic reads from the right, with Latin words and numbers in their place; the same content is the same bytes', async () => {
  // Poppler takes the direction that most of a page has.
  const more = '<p>عاد الضوء إلى المنارة بعد سنة من الظلام، والبحّارة فرحون.</p>'.repeat(5)
  const html = `${more}<p>وقّع البنك اتفاقا مع NASA في 12/03/2026 على 45 مترا.</p><h2>عنوان</h2><p dir="ltr">Un paragraphe français.</p>`
  const one = await set(html, { title: 'الجزيرة تعود إلى البحر' }, { language: 'ar' })
  const other = await set(html, { title: 'الجزيرة تعود إلى البحر' }, { language: 'ar' })
  expect(one.equals(other)).toBe(true)
  // Poppler sets its own spaces where the direction turns.
  const text = pdfText(one).replace(/\s+/g, '')
  for (const words of [
    'الجزيرة تعود إلى البحر',
    'اتفاقا مع NASA في 12/03/2026 على 45 مترا',
    'Un paragraphe français.',
  ])
    expect(text).toContain(words.replaceAll(' ', ''))
  expect(pdfFacts(one)).toMatchObject({
    ...{
      title: 'الجزيرة تعود إلى البحر',
      pages: 1,
      isTagged: true,
      isAccessible: true,
      areFontsEmbedded: true,
    },
    size: '595.276 x 841.89 pts (A4)',
    fonts: ['Amiri-Bold', 'Amiri-Regular'],
  })
})

test('ten pictures of any kind are less than a megabyte; forty, a broken one and none make a PDF too', async () => {
  const pictures = (n: number) =>
    Array.from(
      { length: n },
      (_, index) =>
        `<p>Un ${index}.</p><figure><img src="/p${index}.jpg" alt="A"><figcaption>Légende ${index}</figcaption></figure>`,
    ).join('')
  const noisy = await sharp({
    create: {
      width: 900,
      height: 600,
      channels: 3,
      background: 'grey',
      noise: { type: 'gaussian', mean: 128, sigma: 25 },
    },
  })
    .blur(1)
    .jpeg()
    .toBuffer()
  const ten = await set(pictures(10), {}, { picture: noisy })
  expect(ten.length).toBeLessThan(1_000_000)
  expect(pdfText(ten)).toContain('Légende 9')
  expect(pdfFacts(await set(pictures(40))).pages).toBeGreaterThan(4)
  const avif = await sharp(photograph).resize(300).avif().toBuffer()
  expect((await set(pictures(1), {}, { picture: avif })).length).toBeGreaterThan(20_000)
  const broken = await set(
    '<p>Avant.</p><img src="/absent.jpg"><p>Après.</p>',
    { picture: { url: 'https://news.example.org/x', alt: '' } },
    { picture: Buffer.from('GIF89a') },
  )
  expect(pdfText(broken)).toMatch(/Avant\.\s+Après\./)
}, 30_000)

test('in two columns of a short paper nothing is printed over anything, wherever they part', async () => {
  const aStory = (n: number, language: string) => {
    const html = `<p>${'Les quais accueillent de nouveau les pêcheurs. '.repeat(1 + (n % 4))}</p><h2>La suite</h2><p>Texte.</p><blockquote><p>Un soulagement.</p></blockquote>`
    const words = { title: 'Un titre '.repeat(1 + (n % 5)), lead: '', byline: 'Lina Marsa', html }
    const address = { url: 'https://news.example.org/a', shortUrl: 'https://news.example.org/s/a' }
    const without = { correction: undefined, correctedAt: undefined, picture: undefined, section: undefined }
    const story = { ...words, ...address, ...without, publishedAt: new Date('2026-11-23T06:00:00Z') }
    return articlePaper(story, aPublication(), { language, publicUrl: 'https://news.example.org' }).paper
  }
  for (const language of ['fr', 'ar'])
    for (const count of [1, 2, 3, 4, 5, 6])
      for (const first of [1, 2]) {
        const stories = Array.from({ length: count }, (_, n) => aStory(first + 3 * (n + 1), language).lead)
        const paper = { ...aStory(first, language), sections: [{ title: '', url: null, stories }] }
        const bytes = bytesOf(await askForPaper({ template, paper, pictures: [] }))
        expect([count, first, overprinted(bytes)]).toEqual([count, first, []])
      }
}, 60_000)

test('sixty thousand words, a thousand lists in lists, a table whose cells do not fit: all of it is set', async () => {
  const words = await set(`<p>${'mot '.repeat(60_000)}fin</p>`)
  expect(pdfText(words)).toContain('fin')
  const nested = await set(
    `${'<ul><li>a'.repeat(490)}${'</li></ul>'.repeat(490)}${'<blockquote>b'.repeat(900)}`,
  )
  expect(pdfFacts(nested).pages).toBeGreaterThan(1)
  const table = await set(
    '<table><caption>Légende</caption><tr><th>A</th><th colspan="2">B</th></tr><tr><td rowspan="9">un<ul><li>deux</li></ul></td><td>trois</td></tr><tr><td colspan="40">quatre</td><td>cinq</td></tr><tr></tr></table>',
  )
  for (const cell of ['un', 'deux', 'trois', 'quatre', 'Légende']) expect(pdfText(table)).toContain(cell)
  const signs = await set('<p>Un 🦄 et 漢字.</p>')
  expect(pdfFacts(signs)).toMatchObject({ isTagged: true, isAccessible: false })
}, 60_000)

test('what never ends, or takes all memory, is ended, and a fault for who asked', async () => {
  const never = '#for a in range(100000) { for b in range(100000) { let c = calc.sin(a * b) } }'
  const takesAll = '#let all = range(10000000).map(n => range(1000).map(m => str(m + n)))\n#all.len()'
  const ended = { fault: expect.stringContaining('SIGKILL') as string }
  const ask = (template: string, timeoutMs: number) =>
    askForPaper({ template, paper: {}, pictures: [] }, timeoutMs)
  // The second within its time, were it not for its memory.
  expect(await Promise.all([ask(never, 1_500), ask(takesAll, 300_000)])).toEqual([ended, ended])
}, 20_000)
