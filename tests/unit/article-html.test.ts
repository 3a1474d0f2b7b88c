import { expect, test } from 'vitest'
import { sanitizeArticleHtml, textOf } from '../../src/domain/articles/article-html.ts'
import { cutAtSentence, isMadeFrom, shortTextOf, summaryOf } from '../../src/domain/articles/summary.ts'
import { xssBodies } from '../support/xss.ts'

const base = 'https://rivage.example/2026/phare'
const clean = (html: string) => sanitizeArticleHtml(html, base)

test.each([
  [
    'a story stays as it is',
    '<p>Le <em>phare</em> de <a href="https://a.example/">Port-Clair</a>.</p>',
    '<p>Le <em>phare</em> de <a href="https://a.example/">Port-Clair</a>.</p>',
  ],
  ['direction and language stay', '<p dir="rtl" lang="ar">ميناء</p>', '<p dir="rtl" lang="ar">ميناء</p>'],
  [
    'relative URLs become absolute',
    '<a href="../plan?a=1&b=2">x</a><img src="/i.jpg">',
    '<a href="https://rivage.example/plan?a=1&amp;b=2">x</a><img alt="" src="https://rivage.example/i.jpg" loading="lazy" />',
  ],
  [
    'a link within the story and its target stay, under names that no page around it has',
    '<a id="ref" href="#main">1</a> <a name="top"></a> <p id="main">x <a href=" #story-ref">↑</a></p>',
    '<a id="story-ref" href="#story-main">1</a> <a id="story-top"></a> <p id="story-main">x <a href="#story-ref">↑</a></p>',
  ],
  ['what is no id goes', '<p id="">x</p><p id="a b">y</p><a href="#">z</a>', '<p>x</p><p>y</p><a>z</a>'],
  ['scripts go with their text', '<script>alert(1)</script><style>p{}</style>x', 'x'],
  [
    'forms go, their text stays',
    '<form action="/x"><input value="v"><button>Envoyer</button></form>',
    'Envoyer',
  ],
  ['base and meta go', '<base href="https://evil.example/"><meta http-equiv="refresh" content="0">x', 'x'],
  ['event handlers and styles go', '<p onclick="x()" style="position:fixed">x</p>', '<p>x</p>'],
  [
    'javascript: goes in every spelling',
    '<a href="java\tscript:alert(1)">x</a><a href=" &#106;avascript:x">y</a>',
    '<a>x</a><a>y</a>',
  ],
  ['data: goes', '<img src="data:text/html,x"><a href="data:text/html,x">x</a>', '<a>x</a>'],
  ['a tracking pixel goes', '<img src="https://t.example/p.gif" width="1" height="1">x', 'x'],
  ['a heading of the page becomes one of the story', '<h1>Titre</h1>', '<h2>Titre</h2>'],
  [
    'a frame from anywhere becomes a link',
    '<iframe src="https://any.example/x" title="Carte"></iframe>',
    '<a class="embed-link" href="https://any.example/x">Carte</a>',
  ],
  [
    'an embedded object becomes a link',
    '<object data="/film.swf"></object>',
    '<a class="embed-link" href="https://rivage.example/film.swf">https://rivage.example/film.swf</a>',
  ],
  [
    'svg and math go',
    '<svg onload=x()><a xlink:href="javascript:x()">t</a></svg><math><mi>y</mi></math>',
    '<a>t</a>y',
  ],
  ['control characters and lone surrogates go', 'a\u0000\u0008\uFFFEb\uD800c', 'abc'],
  [
    'a video waits to be started',
    '<video autoplay onplay=x() src="/v.mp4"></video>',
    '<video src="https://rivage.example/v.mp4" controls preload="none"></video>',
  ],
])('%s', (_name, html, expected) => {
  expect(clean(html)).toBe(expected)
})

test('read elsewhere, a link within the story leads to its page', () => {
  const page = 'https://rivage.example/articles/phare'
  expect(sanitizeArticleHtml(clean('<a href="#الهامش">1</a>'), page, page)).toBe(
    `<a href="${page}#story-الهامش">1</a>`,
  )
})

test('a player keeps its frame, in a sandbox, with a link beside it', () => {
  const html = clean(
    '<iframe width="560" src="https://www.youtube.com/embed/x" allow="camera" srcdoc="<script>"></iframe>',
  )
  expect(html).toMatch(
    /^<iframe src="https:\/\/www\.youtube\.com\/embed\/x" [^>]*sandbox="[^"]*"><\/iframe><a class="embed-link" href="https:\/\/www\.youtube\.com\/embed\/x">/,
  )
  expect(html).not.toMatch(/srcdoc|camera/)
})

test('ten thousand hostile bodies hold nothing that acts, sanitised on write and again on render', () => {
  for (const body of xssBodies(10_000)) {
    const written = clean(body)
    for (const html of [written, sanitizeArticleHtml(written)]) {
      const bare = html.replace(/="[^"]*"/g, '=""')
      expect(bare).not.toMatch(/<(?:script|form|base|meta|object|embed|svg|style|link)\b/i)
      expect(bare).not.toMatch(/<[^>]+\s(?:on\w+|style|srcdoc|formaction|xlink:href)\s*=/i)
      expect(html).not.toMatch(/<[^>"]* (?:href|src|cite|poster)="(?!https?:|mailto:|tel:|#story-)/i)
      expect(html).not.toMatch(/<[^>"]* id="(?!story-)/i)
      expect(bare).not.toMatch(/<[^>]+\sname\s*=/i)
    }
  }
})

test('what was sanitised stays as it is, byte for byte, when it is sanitised again', () => {
  const story = clean(
    '<h1 id="t">T</h1><p>a <a href="/x">b</a> <a href="#t">c</a></p><figure class="alignleft x"><img src="/i.jpg"></figure><iframe src="https://www.youtube.com/embed/x"></iframe><iframe src="https://any.example/"></iframe>',
  )
  expect(sanitizeArticleHtml(story)).toBe(story)
})

test('the summary is the beginning of the text, in whole words', () => {
  expect(
    summaryOf('<figure><img src="x"><figcaption>Photo</figcaption></figure><p>Le phare &amp; la mer.</p>'),
  ).toBe('Le phare & la mer.')
  const long = summaryOf(`<p>${'Le phare brille, '.repeat(60)}</p>`)
  expect(long.length).toBeLessThanOrEqual(280)
  expect(long).toMatch(/(?:phare|brille|Le)…$/)
  expect(summaryOf(`<p>${'ا'.repeat(600)}</p>`)).toHaveLength(280)
  expect(textOf('<p>a</p><p>b &lt;c&gt;</p>')).toBe('a b <c>')
  // What holds « » ! ? to their words in French.
  expect(textOf('<p>«\u00A0Le \n\tphare\u00A0»\u202F!</p>')).toBe('«\u00A0Le phare\u00A0»\u202F!')
})

test('a story that is not shown whole ends with a sentence, and its paragraphs do not run together', () => {
  const phare = 'Le phare de M. Haddad brille sur le port, et les pêcheurs le voient de loin. '
  expect(summaryOf(`<p>${phare.repeat(9)}</p>`)).toBe(phare.repeat(3).trim())
  expect(summaryOf(`<p>Notre reportage</p><p>${phare}</p><p>Ailleurs, la nuit tombe.</p>`)).toBe(phare.trim())
  expect(summaryOf(`<p>Alger, mardi.</p><p>${phare}</p>`)).toBe(`Alger, mardi. ${phare.trim()}`)
  expect(cutAtSentence('هل يعود الترام؟ نعم، قبل الصيف بقليل، يقول الوالي.', 40)).toBe('هل يعود الترام؟')
  expect(cutAtSentence(phare, 40)).toBe('Le phare de M. Haddad brille sur le…')
  expect(cutAtSentence('二年間の工事を経て、二号線は駅と埠頭を結びます。次の駅。', 26)).toMatch(/結びます。$/)
  // Made by a version that cut wherever 280 characters ended, and what a person wrote.
  const stump = `${phare.repeat(3)}Le phare de M. Haddad brille sur le port, et…`
  expect(shortTextOf({ deck: '', summary: stump })).toBe(phare.repeat(3).trim())
  expect(shortTextOf({ deck: '', summary: stump.replace('…', ' [...]') })).toBe(phare.repeat(3).trim())
  expect(shortTextOf({ deck: stump, summary: 'x' })).toBe(stump)
  expect(shortTextOf({ deck: '', summary: 'Et soudain…' })).toBe('Et soudain…')
  expect(isMadeFrom(`<p>${phare.repeat(9)}</p>`, stump)).toBe(true)
  expect(isMadeFrom(`<p>${phare.repeat(9)}</p>`, 'Un phare.')).toBe(false)
})

const fill = (unit: string) => unit.repeat(Math.ceil(1_000_000 / unit.length)).slice(0, 1_000_000)

test('HTML that leaves too much open is refused by the count of the parser itself; a long story that closes is not', () => {
  for (const html of [
    ...['<i>x ', '<i></b>', '<li><p>', '<B\n>', '<i a="</i>">'].map(fill),
    '<i>'.repeat(1_001),
  ]) {
    expect(() => clean(html)).toThrow(/leaves more than 1000 elements open/)
  }
  expect(clean('<p>x<br></p>'.repeat(20_000))).toHaveLength('<p>x<br /></p>'.length * 20_000)
  expect(clean('<i>'.repeat(1_000) + 'x')).toContain('x')
})

// Each of these takes minutes, or hours, where the time grows with the square of the length.
test.each([
  ['stray closing tags below open ones', '<i>'.repeat(999) + fill('</b>')],
  ['pictures without an address', fill('aaaaaaaaaaaaaaaaaaa<img>')],
  ['marks that begin and never end', fill('<')],
  ['tags that begin and never end', fill('<p ')],
  ['comments that never end', fill('<!--')],
  ['escaped elements that never end', fill('&lt;pre&gt;')],
  ['attributes', `<i ${fill('a1 b2 c3 ')}>`],
])('a megabyte of %s is read to its end, and so is what it came to', (_name, html) => {
  const safe = clean(html)
  expect(summaryOf(safe).length).toBeLessThanOrEqual(280)
  expect(summaryOf(html).length).toBeLessThanOrEqual(280)
  expect(textOf(html)).not.toContain('<p>')
})

test('a response has no picture, no player and no frame; its links lend nobody weight', () => {
  const response = (html: string) => sanitizeArticleHtml(html, base, '', 'response')
  const written =
    '<p>Oui <img src="https://t.example/p.gif"><b>non</b> <a href="/x" rel="me">y</a></p>' +
    '<video src="https://v.example/x.mp4">film</video><figure><figcaption>z</figcaption></figure>' +
    '<iframe src="https://www.youtube.com/embed/x"></iframe><object data="/f"></object>'
  const rel = 'rel="ugc nofollow"'
  const safe =
    `<p>Oui <b>non</b> <a href="https://rivage.example/x" ${rel}>y</a></p>filmz` +
    `<a class="embed-link" href="https://www.youtube.com/embed/x" ${rel}>https://www.youtube.com/embed/x</a>` +
    `<a class="embed-link" href="https://rivage.example/f" ${rel}>https://rivage.example/f</a>`
  expect(response(written)).toBe(safe)
  expect(response(safe)).toBe(safe)
})
