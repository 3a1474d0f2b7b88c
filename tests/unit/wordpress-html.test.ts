import { expect, test } from 'vitest'
import { toHtml } from '../../src/import/wordpress/wordpress-html.ts'

const context = {
  permalink: 'https://ancien.example/2012/03/phare/',
  findPictures: (ids: number[]) =>
    ids.map((id) => ({ url: `https://img.example/${id}.jpg`, alt: `n° ${id}`, caption: '' })),
  listOwnPictures: () => [{ url: 'https://img.example/own.jpg', alt: '', caption: 'Le "phare" & nous' }],
  findPattern: (id: number) => (id === 50 ? '<!-- wp:block {"ref":50} /--><p>Encadré</p>' : undefined),
}
const html = (content: string) => toHtml(content, context)

test.each([
  [
    'blank lines are paragraphs, single ones breaks',
    'Un\ndeux\n\ntrois',
    '<p>Un<br>\ndeux</p>\n<p>trois</p>',
  ],
  [
    'blocks are not wrapped',
    '<h2>Titre</h2>\nTexte\n<ul>\n<li>a</li>\n</ul>',
    '<h2>Titre</h2>\n<p>Texte</p>\n<ul>\n<li>a</li>\n</ul>',
  ],
  [
    'a link to a place in the post itself needs no address',
    '<p><a href="https://ancien.example/2012/03/phare/#note">1</a> <a href="https://ancien.example/#x">2</a></p>',
    '<p><a href="#note">1</a> <a href="https://ancien.example/#x">2</a></p>',
  ],
  ['preformatted text stays', '<pre>a\n\nb</pre>', '<pre>a\n\nb</pre>'],
  [
    'a caption is a figure',
    '[caption id="a_1" align="alignleft" width="300"]<a href="/x"><img src="a.jpg" /></a> Le <em>phare</em>[/caption]',
    '<figure class="alignleft"><a href="/x"><img src="a.jpg" /></a><figcaption>Le <em>phare</em></figcaption></figure>',
  ],
  [
    'an old caption in an attribute',
    '[caption caption="Le phare"]<img src="a.jpg">[/caption]',
    '<figure><img src="a.jpg"><figcaption>Le phare</figcaption></figure>',
  ],
  [
    'a gallery by ids',
    '[gallery ids="3,4" columns="2"]',
    '<figure><img src="https://img.example/3.jpg" alt="n° 3"></figure>\n<figure><img src="https://img.example/4.jpg" alt="n° 4"></figure>',
  ],
  [
    'a gallery of the post, quoted',
    '[gallery]',
    '<figure><img src="https://img.example/own.jpg" alt=""><figcaption>Le &quot;phare&quot; &amp; nous</figcaption></figure>',
  ],
  [
    'an embed is a link',
    '[embed width="3"]https://video.example/1[/embed]',
    '<p><a class="embed-link" href="https://video.example/1">https://video.example/1</a></p>',
  ],
  [
    'a URL alone is a link',
    'Avant\n\nhttps://video.example/1\n\nAprès',
    '<p>Avant</p>\n<p><a class="embed-link" href="https://video.example/1">https://video.example/1</a></p>\n<p>Après</p>',
  ],
  [
    'so is one on a line among others',
    'Voir\nhttps://video.example/1\nhttps://video.example/2\nou https://video.example/3',
    '<p>Voir<br>\n<a class="embed-link" href="https://video.example/1">https://video.example/1</a><br>\n<a class="embed-link" href="https://video.example/2">https://video.example/2</a><br>\nou https://video.example/3</p>',
  ],
  [
    'an embed that is a link already stays one',
    '[embed]<a href="https://video.example/1">https://video.example/1</a>[/embed]',
    '<p><a href="https://video.example/1">https://video.example/1</a></p>',
  ],
  [
    'a video by its id, what stands elsewhere by its address, and nothing for neither',
    '[youtube]dQw4w9WgXcQ[/youtube] [vimeo 141358] [tweet https://social.example/1] [soundcloud url="https://son.example/2"] [embed id="7"]',
    `<p>${['https://www.youtube.com/watch?v=dQw4w9WgXcQ', 'https://vimeo.com/141358', 'https://social.example/1', 'https://son.example/2'].map((url) => `<a class="embed-link" href="${url}">${url}</a>`).join(' ')} </p>`,
  ],
  [
    'an old caption that quotes',
    '[caption caption="Le “phare” &amp; la &quot;tour&quot;"]<img src="a.jpg">[/caption]',
    '<figure><img src="a.jpg"><figcaption>Le “phare” &amp; la &quot;tour&quot;</figcaption></figure>',
  ],
  ...['ids=&#8221;3&#8243;', 'ids=&quot;3&quot;', 'ids= »3″', 'ids=”3”'].map(
    (given): [string, string, string] => [
      `a gallery by ${given}`,
      `[gallery ${given}]`,
      '<figure><img src="https://img.example/3.jpg" alt="n° 3"></figure>',
    ],
  ),
  [
    'an unknown shortcode goes, its words stay',
    '[box color="red"]Attention [b]fort[/b][/box] [my_ads /][promo id=3]',
    '<p>Attention fort</p>',
  ],
  [
    'brackets that are text stay',
    'Il dit [sic] que [1] et [la rédaction] […]',
    '<p>Il dit [sic] que [1] et [la rédaction] […]</p>',
  ],
  ['an escaped shortcode is shown', 'Écrire [[gallery]] ici', '<p>Écrire [gallery] ici</p>'],
  [
    'audio',
    '[audio mp3="https://son.example/a.mp3"][/audio]',
    '<audio src="https://son.example/a.mp3" controls></audio>',
  ],
  [
    'block comments go, their HTML stays without new paragraphs',
    '<!-- wp:paragraph {"align":"wide"} -->\n<p>Un\ndeux</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:latest-posts /-->',
    '<p>Un\ndeux</p>',
  ],
  [
    'an embed block',
    '<!-- wp:embed {"url":"https://video.example/1"} -->\n<figure class="wp-block-embed"><div class="w">\nhttps://video.example/1\n</div></figure>\n<!-- /wp:embed -->',
    '<figure class="wp-block-embed"><div class="w"><a class="embed-link" href="https://video.example/1">https://video.example/1</a></div></figure>',
  ],
  [
    'classic text between blocks',
    '<!-- wp:paragraph -->\n<p>A</p>\n<!-- /wp:paragraph -->\n\nB\n\nC',
    '<p>A</p>\n\n<p>B</p>\n<p>C</p>',
  ],
  ['more and page marks go', 'A\n\n<!--more-->\n\nB<!--nextpage-->', '<p>A</p>\n<p>B</p>'],
])('%s', (_name, content, expected) => {
  expect(html(content).replace(/>\s+</g, '><')).toBe(expected.replace(/>\s+</g, '><'))
})

test.each([
  ['openings', '[a x="'.repeat(100_000)],
  ['distinct openings', Array.from({ length: 50_000 }, (_, n) => `[a${n}]`).join('')],
  ['closings', '[a]'.repeat(50_000) + '[/a]'.repeat(50_000)],
  ['tags', '<p '.repeat(200_000)],
  ['comments', '<!-- wp:p {'.repeat(50_000)],
  ['preformatted openings', '<pre>'.repeat(100_000)],
  ['spaces', `a${' '.repeat(500_000)}b`],
  ['brackets', '['.repeat(500_000)],
])('half a megabyte of %s takes no more than a moment', (_name, content) => {
  const started = performance.now()
  html(content)
  expect(performance.now() - started).toBeLessThan(5_000)
})
