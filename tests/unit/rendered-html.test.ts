import { expect, test } from 'vitest'
import { sanitizeArticleHtml } from '../../src/domain/articles/article-html.ts'
import { cleanRendered } from '../../src/import/rendered-html.ts'

const place = { link: 'https://voisin.example/fr/marche/', home: 'https://voisin.example/fr/' }
/** As it is stored. */
const stored = (html: string) =>
  sanitizeArticleHtml(cleanRendered(html, place), place.link).replaceAll(' loading="lazy"', '')
const picture = (name: string, alt = '') => `<img alt="${alt}" src="https://voisin.example/${name}" />`
const data = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='

test.each([
  ['data-src', `<img src="${data}" data-src="/a.jpg"><noscript><img src="/a.jpg"></noscript>`, '/a.jpg'],
  ['data-lazy-src', `<img src="/wp-content/plugins/lazy/1x1.gif" data-lazy-src="/a.jpg">`, '/a.jpg'],
  ['data-original', `<img data-original="/a.jpg">`, '/a.jpg'],
  ['data-srcset alone', `<img src="${data}" data-srcset="/a-300x200.jpg 300w, /a.jpg 900w">`, '/a.jpg'],
  [
    'its twin for readers without JavaScript',
    `<img src="${data}"> <noscript><img src="/a.jpg"></noscript>`,
    '/a.jpg',
  ],
  [
    'the twin of a picture element in a link',
    `<a><picture><source data-srcset="/a.webp"><img src="${data}"></picture></a><noscript><picture><img src="/a.jpg"></picture></noscript>`,
    '/a.jpg',
  ],
  ['none of these, as it is', '<img src="/a.jpg" data-src="true">', '/a.jpg'],
])('a picture that loads late: %s', (_name, html, src) => {
  expect(stored(html).match(/src="[^"]*"/g)).toEqual([`src="https://voisin.example${src}"`])
})

test('the picture of a cover, which is a background', () => {
  const cover =
    '<div class="wp-block-cover" style="background-image:url(&quot;/c.jpg&quot;)"><p>Mots</p></div>'
  expect(stored(cover)).toBe(`<div>${picture('c.jpg')}<p>Mots</p></div>`)
})

test('a player that loads late', () => {
  const url = 'https://www.youtube.com/embed/x'
  const late = `<iframe src="about:blank" data-lazy-src="${url}"></iframe><noscript><iframe src="${url}"></iframe></noscript>`
  expect(stored(late).match(/<iframe src="[^"]*"/g)).toEqual([`<iframe src="${url}"`])
})

test.each([
  [
    'a counter behind a text',
    `<img src="${data}"><p>Un</p><noscript><img src="/pixel.gif"></noscript>`,
    '<p>Un</p>',
  ],
  [
    'a counter behind a picture',
    `<img src="/a.jpg"><noscript><img src="/pixel.gif"></noscript>`,
    picture('a.jpg'),
  ],
  ['a request for JavaScript', '<p>Un</p><noscript>Activez JavaScript</noscript>', '<p>Un</p>'],
])('what else is for readers without JavaScript is dropped: %s', (_name, html, clean) => {
  expect(stored(html)).toBe(clean)
})

test('smileys are text, and what follows them stays', () => {
  expect(stored('<p>Bravo <img class="wp-smiley" src="/s.svg" alt="😀"> à tous <b>!</b></p>')).toBe(
    '<p>Bravo <span>😀</span> à tous <b>!</b></p>',
  )
  expect(stored('<p><img class="x emoji" src="/s.svg" alt="&lt;3">, oui</p>')).toBe(
    '<p><span>&lt;3</span>, oui</p>',
  )
})

test.each([
  '<div class="sharedaddy sd-sharing-enabled"><div class="sd-sharing"><h3>Partager</h3><ul><li><a href="/?share=x">X</a></li></ul></div></div>',
  '<div class="addtoany_share_save_container"><a class="a2a_dd" href="https://www.addtoany.com/share">Share</a></div>',
  '<div id="jp-relatedposts" class="jp-relatedposts"><h3>Similaires</h3><img src="/b.jpg"></div>',
  '<ul class="wp-block-latest-posts__list wp-block-latest-posts"><li><a href="/b">Autre</a></li></ul>',
  '<div class="wp-block-query"><ul><li>Autre <div>encore</div></li></ul></div>',
  "<div class='yarpp yarpp-related-rss'>À lire <ol><li>Autre</li></ol></div>",
  '<div class="saboxplugin-wrap"><img src="/moi.jpg"><p>Samia écrit.</p></div>',
  '<p><a class="more-link" href="/fr/marche/">Lire la suite</a></p>',
  '<iframe class="wp-embedded-content" src="https://autre.example/x/embed/#?secret=a1" data-secret="a1"></iframe>',
  '<a href="https://autre.example/x/embed/#?secret=a1">https://autre.example/x/embed/</a>',
])('around a text, nobody wrote it: %s', (html) => {
  expect(stored(`<p>Un</p>${html}<p>Deux</p><p>Trois</p>`)).toBe('<p>Un</p><p>Deux</p><p>Trois</p>')
})

test('styles and scripts go with their text', () => {
  const styled = '<style>/*! elementor */.a{color:red}</style><script>var x = "<p>non</p>"</script><p>Un</p>'
  expect(cleanRendered(styled, place)).toBe('<p>Un</p>')
})

test('an embedded post stays as its quotation', () => {
  const quotation = '<blockquote><a href="https://autre.example/x">X</a></blockquote>'
  expect(stored(quotation.replace('<blockquote', '<blockquote class="wp-embedded-content"'))).toBe(quotation)
})

const post = '<a rel="nofollow" href="https://voisin.example/fr/marche">Marché</a>'
const site = '<a href="https://voisin.example">Le Voisin</a>'
test.each([
  ['English', `<p>The post ${post} appeared first on ${site}.</p>`],
  [
    'French',
    `<p>L’article ${post} est apparu en premier sur ${site.replace('example', 'example/fr')}.</p>\n`,
  ],
  ['Arabic', `<div><p dir="rtl">ظهرت المقالة ${post} أولاً على ${site}.</p></div>`],
])('the footer of a feed is dropped: %s', (_name, footer) => {
  expect(stored(`<p>Un</p>${footer}`).replace(/\s*(<div><\/div>)?$/, '')).toBe('<p>Un</p>')
})

test.each([
  ['not the last paragraph', `<p>Lisez ${post} sur ${site}</p><p>Fin</p>`],
  ['another post', `<p>Lisez ${post.replace('marche', 'fete')} sur ${site}</p>`],
  ['one link more', `<p>Lisez ${post} sur ${site} et ${site}</p>`],
])('a paragraph like a footer stays: %s', (_name, html) => {
  expect(stored(html)).toContain('Lisez ')
})

test.each([
  [
    'linked to the whole',
    '<a href="/u/a.jpg"><img src="/u/a-150x150.jpg" width="150" height="150"></a>',
    'u/a.jpg',
  ],
  [
    'linked to it by another host',
    '<a href="/u/a-scaled.jpg"><img src="//i0.wp.example/a.jpg?resize=150%2C150"></a>',
    'u/a-scaled.jpg',
  ],
  [
    'the widest of its list',
    '<img src="/a-150x150.jpg" srcset="/a-150x150.jpg 150w, /a-600x600.jpg 600w,/a-300x300.jpg 300w">',
    'a-600x600.jpg',
  ],
  ['linked to another picture', '<a href="/u/b.jpg"><img src="/u/a-150x150.jpg"></a>', 'u/a-150x150.jpg'],
  ['linked to a page', '<a href="/a/"><img src="/a-150x150.jpg"></a>', 'a-150x150.jpg'],
  [
    'large enough',
    '<a href="/a.jpg"><img src="/a-1024x768.jpg" srcset="/a-2048x1536.jpg 2048w"></a>',
    'a-1024x768.jpg',
  ],
])('a thumbnail %s', (_name, html, src) => {
  expect(stored(html)).toContain(picture(src))
})

test('what is no HTML, and what the sanitiser refuses, stays as it is', () => {
  expect(cleanRendered('Un & deux', place)).toBe('Un & deux')
  const open = '<i>'.repeat(1_001)
  expect(cleanRendered(open, place)).toBe(open)
})
