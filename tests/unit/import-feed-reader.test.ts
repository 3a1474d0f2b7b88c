import { expect, test } from 'vitest'
import { isProtected } from '../../src/import/feed/password-protected.ts'
import { nameOf, withoutSharedNames } from '../../src/import/feed/feed-identity.ts'
import { readFeed, toArticle } from '../../src/import/feed/feed.ts'

const url = 'https://voisin.example/feeds/rss.xml'

async function read(xml: string | Buffer, charset?: string) {
  const found = await readFeed({ url, body: Buffer.from(xml), charset })
  const articles = found?.feed.items.map((item) => {
    const { input, origin, notes } = toArticle(item, found.feed, {
      url,
      language: 'fr',
      sections: new Map(),
      zone: 'Europe/Paris',
      readAt: new Date(0),
      postNumber: undefined,
    })
    return { ...input, baseUrl: origin.baseUrl, notes, line: item.line }
  })
  return { ...found, articles: articles ?? [] }
}

const namespaces =
  'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" ' +
  'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:atom="http://www.w3.org/2005/Atom"'
const date = '<pubDate>Tue, 05 Mar 2024 09:00:00 +0000</pubDate>'
const rss = (items: string, link = 'https://voisin.example/') =>
  `<rss version="2.0" ${namespaces}><channel><title>Voisin</title><link>${link}</link>${items}</channel></rss>`
const anItem = (fields: string) => rss(`<item><title>T</title><link>/t</link>${date}${fields}</item>`)
const atom = (entries: string, head = '') =>
  `<feed xmlns="http://www.w3.org/2005/Atom"><title>V</title><link href="https://voisin.example/"/>${head}${entries}</feed>`
const anEntry = (fields: string, head = '', attributes = '') =>
  atom(
    `<entry${attributes}><id>urn:1</id><link href="e"/><published>2024-03-05T09:00:00Z</published>${fields}</entry>`,
    head,
  )

test.each<[string, string, object]>([
  ['text and a comment beside a CDATA section', anItem('<description><![CDATA[<i>Un</i>]]> deux<!-- x --> &amp; trois</description>'), { html: '<i>Un</i> deux &amp; trois' }],
  ['markup that is not escaped', anItem('<description>Un <b title="a&amp;b">deux</b><br/> trois</description>'), { html: 'Un <b title="a&amp;b">deux</b><br /> trois' }],
  ['the marks of a section as text', anItem('<description>&lt;![CDATA[Texte]]&gt;</description>'), { html: 'Texte' }],
  ['controls meant in Windows-1252', anItem('<description>L&#146;été &#x85; fin</description>'), { html: 'L’été … fin' }],
  ['content longer than the summary', anItem('<description>Bref</description><content:encoded>&lt;p&gt;Long&lt;/p&gt;</content:encoded>'), { html: '<p>Long</p>', summary: 'Bref' }],
  ['a summary that was cut from the content', anItem('<description>Le port &amp;#8230; &lt;a href="/t"&gt;Lire la suite&lt;/a&gt;</description><content:encoded>&lt;p&gt;Le port rouvre.&lt;/p&gt;</content:encoded>'), { html: '<p>Le port rouvre.</p>', summary: '' }],
  ['the title of an episode that has no other', anItem('<itunes:title>Épisode 3</itunes:title>').replace('<title>T</title>', ''), { title: 'Épisode 3' }],
  ['a title before that of the episode', anItem('<itunes:title>Épisode 3</itunes:title>'), { title: 'T' }],
  ['what a video has for a text', anItem('<media:group><media:description>Un &lt; deux\n\nTrois</media:description></media:group>'), { html: '<p>Un &lt; deux</p>\n<p>Trois</p>' }],
  ['a summary and a title by Dublin Core', rss(`<item><dc:title>DC</dc:title>${date}<dc:description>Texte</dc:description></item>`), { title: 'DC', html: 'Texte' }],
  ['an address with a name', anItem('<author>lina@v.example (Lina Sahel)</author>'), { authors: ['Lina Sahel'] }],
  ['a name alone', anItem('<author>Lina Sahel</author>'), { authors: ['Lina Sahel'] }],
  ['a name with an address', anItem('<author>Lina Sahel &lt;lina@v.example&gt;</author>'), { authors: ['Lina Sahel'] }],
  ['a name and an address joined by no-break spaces', anItem('<dc:creator>Lina&#160;Sahel&#160;&lt;lina@v.example&gt;</dc:creator>'), { authors: ['Lina Sahel'] }],
  ['an address alone', anItem('<author>lina@v.example</author>'), { authors: [] }],
  ['several by Dublin Core before the publisher', anItem('<itunes:author>Radio</itunes:author><dc:creator>Lina</dc:creator><dc:creator>Omar</dc:creator>'), { authors: ['Lina', 'Omar'] }],
  ['iTunes', anItem('<itunes:author>Lina</itunes:author>'), { authors: ['Lina'] }],
  ['Atom in RSS', anItem('<atom:author><atom:name>Lina</atom:name><atom:uri>x</atom:uri></atom:author>'), { authors: ['Lina'] }],
  ['the author of the feed', anEntry('<title>x</title>', '<author><name>La rédaction</name></author>'), { authors: ['La rédaction'] }],
  ['no contributor', anEntry('<author><name>Lina</name></author><contributor><name>Relecteur</name></contributor>', '<author><name>R</name></author>'), { authors: ['Lina'] }],
  ['plain text of Atom', anEntry('<title>La balise &lt;video&gt;</title><content type="text">5 &lt; 6 &amp;amp; &lt;b&gt;gras&lt;/b&gt;</content>'), { title: 'La balise <video>', html: '5 &lt; 6 &amp;amp; &lt;b>gras&lt;/b>' }],
  ['HTML of Atom', anEntry('<title type="html">R&amp;amp;D &lt;i&gt;x&lt;/i&gt;</title><content type="text/html">&lt;p&gt;x&lt;/p&gt;</content>'), { title: 'R&D x', html: '<p>x</p>' }],
  ['XHTML of Atom', anEntry('<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Un <em>deux</em></div></title><content type="xhtml"><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>a<h:br/>b &amp; c</h:p></h:div></content>'), { title: 'Un deux', html: '<div><p>a<br />b &amp; c</p></div>' }],
  ['markup of Atom without a type', anEntry('<title>Un <b>deux</b></title><summary>Trois <em>quatre</em></summary>'), { title: 'Un deux', html: 'Trois <em>quatre</em>' }],
  ['Atom 0.3', '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>V</title><entry><title mode="escaped" type="text/html">R&amp;amp;D</title><link rel="alternate" type="text/html" href="http://v.example/1"/><id>tag:1</id><issued>2024-03-05T10:00:00+01:00</issued><modified>2024-03-06T10:00:00Z</modified><content mode="base64" type="text/html">PHA+eDwvcD4=</content></entry></feed>', { title: 'R&D', html: '<p>x</p>', canonicalUrl: 'http://v.example/1', publishedAt: '2024-03-05T09:00:00.000Z' }],
  ['Atom with a prefix', '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:id>urn:1</a:id><a:title>T</a:title><a:link href="https://voisin.example/1"/><a:updated>2024-03-05T09:00:00Z</a:updated></a:entry></a:feed>', { title: 'T', guid: 'urn:1' }],
  ['RSS 1.0 with a prefix', '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:s="http://purl.org/rss/1.0/" xmlns:d="http://purl.org/dc/elements/1.1/" xmlns:c="http://purl.org/rss/1.0/modules/content/"><s:channel><s:title>V</s:title></s:channel><s:item r:about="u"><s:title>T</s:title><d:date>2024-03</d:date><c:encoded>Long</c:encoded></s:item></r:RDF>', { title: 'T', html: 'Long', publishedAt: '2024-02-29T23:00:00.000Z' }],
  ['RSS 0.91 with its document type', '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><item><title>L&eacute;a &agrave; Paris</title></item></channel></rss>', { title: 'Léa à Paris', state: 'draft' }],
  ['relations in capitals and as an IRI', anEntry('<link rel="http://www.iana.org/assignments/relation/Alternate" href="/iri"/>').replace('<link href="e"/>', ''), { canonicalUrl: 'https://voisin.example/iri' }],
  ['the label of a category', anEntry('<category term="c12" label="Mer &amp; ports"/><category term="Fêtes"/>'), { tags: ['mer-ports', 'fetes'] }],
  ['a date that is misspelt', rss('<item><title>T</title><pubdate>Tue, 05 Mar 2024 09:00:00 +0000</pubdate></item>'), { publishedAt: '2024-03-05T09:00:00.000Z' }],
  ['xml:base, nested', `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://base.example/a/"><entry xml:base="b/"><id>1</id><link href="e3"/><content type="html" xml:base="c/">x</content></entry></feed>`, { canonicalUrl: 'https://base.example/a/b/e3', baseUrl: 'https://base.example/a/b/c/' }],
  ['xml:base in XHTML', anEntry('<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml" xml:base="https://base.example/x/"><img src="i.jpg"/></div></content>'), { html: '<div><img src="https://base.example/x/i.jpg" /></div>' }],
  ['a relative link of the channel', rss(`<item><title>T</title><link>b</link></item>`, '/a/'), { canonicalUrl: 'https://voisin.example/a/b' }],
  ['a page before its JSON', anEntry('<link rel="alternate" type="text/html" href="/page"/>').replace('<link href="e"/>', '<link type="application/json" href="/e.json"/>'), { canonicalUrl: 'https://voisin.example/page' }],
  ['a guid that is a permalink', rss(`<item><title>T</title><guid>https://voisin.example/p/1</guid></item>`), { canonicalUrl: 'https://voisin.example/p/1' }],
  ['a guid that is none', rss(`<item><title>T</title><guid isPermaLink="false">https://voisin.example/p/1</guid></item>`), { canonicalUrl: undefined }],
  ['a good date before a bad one', anItem('<dc:date>demain</dc:date>'), { publishedAt: '2024-03-05T09:00:00.000Z', notes: [] }],
  ['a good date behind a bad one', rss('<item><title>T</title><pubDate>demain</pubDate><dcterms:issued>2024-03-05T09:00:00Z</dcterms:issued></item>'), { publishedAt: '2024-03-05T09:00:00.000Z' }],
  ['Atom’s date in RSS', rss('<item><title>T</title><atom:published>2024-03-05T09:00:00Z</atom:published></item>'), { publishedAt: '2024-03-05T09:00:00.000Z' }],
  ['no time zone', rss('<item><title>T</title><pubDate>2024-07-05 10:00:00</pubDate></item>'), { publishedAt: '2024-07-05T08:00:00.000Z' }],
  ['a date that may be two', rss('<item><title>T</title><pubDate>05/03/2024</pubDate></item>'), { publishedAt: undefined, state: 'draft', notes: [expect.stringContaining('"05/03/2024"')] }],
  ['no date', rss('<item><title>T</title></item>'), { state: 'draft', notes: [expect.stringContaining('no date')] }],
  ['a title of something in it', anItem('<s:variant xmlns:s="urn:shop"><title>Pointure 42</title><id>v1</id><link>/v1</link><pubDate>Wed, 06 Mar 2024 09:00:00 +0000</pubDate></s:variant>'), { title: 'T', canonicalUrl: 'https://voisin.example/t', guid: undefined, publishedAt: '2024-03-05T09:00:00.000Z' }],
  ['the title that a writer has', anItem('<author><name>Lina</name><title>Grand reporter</title><link>/lina</link></author>'), { title: 'T', canonicalUrl: 'https://voisin.example/t', authors: ['Lina'] }],
  ['an item without an end', rss(`<item><title>T</title>${date}<item><title>U</title>`), { title: 'T' }],
  ['a title without an end', rss(`<item><title>T<link>/t</link>${date}</item>`), { title: 'T', canonicalUrl: 'https://voisin.example/t' }],
])('%s', async (_name, xml, expected) => {
  expect((await read(xml)).articles[0]).toMatchObject(expected)
}) // prettier-ignore

test.each<[string, object | undefined, number]>([
  ['<enclosure url="https://v.example/a.mp3" length="123"/>', { url: 'https://v.example/a.mp3', type: 'audio/mpeg', length: 123 }, 0],
  ['<enclosure url="b.mp3" length="1,234" type="audio/mpeg"/>', { url: 'https://voisin.example/b.mp3', type: 'audio/mpeg', length: 1_234 }, 0],
  ['<enclosure url="https://v.example/d.mp3" length="" type="AUDIO/MPEG"/>', { url: 'https://v.example/d.mp3', type: 'audio/mpeg', length: 0 }, 0],
  ['<enclosure url="https://v.example/é f.mp3" type="audio/mp3; charset=binary"/>', { url: 'https://v.example/%C3%A9%20f.mp3', type: 'audio/mp3', length: 0 }, 0],
  ['<enclosure url="https://v.example/x.m4a?a=b" type="application/octet-stream" length="-1"/>', { url: 'https://v.example/x.m4a?a=b', type: 'audio/mp4', length: 0 }, 0],
  ['<media:content url="https://v.example/g.mp3" type="audio/mpeg" fileSize="5"/>', { url: 'https://v.example/g.mp3', type: 'audio/mpeg', length: 5 }, 0],
  ['<media:content url="https://v.example/v" type="application/x-shockwave-flash"/>', undefined, 0],
  ['<enclosure url="https://v.example/a.zip" type="application/zip"/>', undefined, 1],
  ['<enclosure url="ftp://v.example/a.mp3" type="audio/mpeg"/>', undefined, 1],
  ['<enclosure url="https://v.example/a.zip"/><enclosure url="https://v.example/a.ogg"/>', { url: 'https://v.example/a.ogg', type: 'audio/ogg', length: 0 }, 1],
])('%s refuses no item', async (xml, enclosure, notes) => {
  const [article] = (await read(anItem(xml))).articles
  expect(article).toMatchObject({ title: 'T', enclosure })
  expect(article?.notes).toHaveLength(notes)
}) // prettier-ignore

test('pictures are relative to their entry', async () => {
  const xml = anEntry(
    '<m:thumbnail xmlns:m="http://search.yahoo.com/mrss/" url="p.jpg"/>',
    '',
    ' xml:base="https://base.example/d/"',
  )
  expect((await read(xml)).articles[0]).toMatchObject({ picture: { url: 'https://base.example/d/p.jpg' } })
  expect((await read(anItem('<itunes:image href="/p.jpg"/>'))).articles[0]).toMatchObject({
    picture: { url: 'https://voisin.example/p.jpg' },
  })
})

// What stands behind à is, by accident, the rest of a character of UTF-8.
const latinFeed = rss('<item><title>Voil\xe0\xa0\xbb : l\x92\xe9t\xe9 \xe0 S\xe9tif</title></item>')
const latin = (declaration: string) => Buffer.from(declaration + latinFeed, 'latin1')
const utf8Feed = rss('<item><title>L’été à Sétif</title></item>')
const utf8 = (declaration: string) => Buffer.from(declaration + utf8Feed)
const declared = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>`

test.each<[string, Buffer, string | undefined, [string, number]]>([
  ['UTF-8', utf8(''), undefined, ['L’été à Sétif', 0]],
  ['UTF-8 that is declared ISO-8859-1', utf8(declared('ISO-8859-1')), undefined, ['L’été à Sétif', 0]],
  ['UTF-8 that the server calls Latin-1', utf8(declared('utf-8')), 'iso-8859-1', ['L’été à Sétif', 0]],
  ['UTF-8 that is declared UTF-16', utf8(declared('utf-16')), undefined, ['L’été à Sétif', 0]],
  ['Windows-1252 undeclared', latin(''), undefined, ['Voilà\u00A0» : l’été à Sétif', 5]],
  ['Windows-1252 declared UTF-8', latin(declared('utf-8')), undefined, ['Voilà\u00A0» : l’été à Sétif', 5]],
  ['Windows-1252 declared ISO-8859-1', latin(declared('ISO-8859-1')), undefined, ['Voilà\u00A0» : l’été à Sétif', 0]],
  ['an encoding that the server says', Buffer.from(rss('<item><title>\xc7\xe1\xd3\xe6\xde</title></item>'), 'latin1'), 'windows-1256', ['السوق', 0]],
  ['a server before the declaration', Buffer.from(declared('iso-8859-1') + rss('<item><title>\xc7\xe1\xd3\xe6\xde</title></item>'), 'latin1'), 'windows-1256', ['السوق', 0]],
  ['a declaration where the server says UTF-8, and it is none', Buffer.from(declared('windows-1256') + rss('<item><title>\xc7\xe1\xd3\xe6\xde</title></item>'), 'latin1'), 'utf-8', ['السوق', 0]],
  ['UTF-16 without a mark', Buffer.from(rss('<item><title>السوق</title></item>'), 'utf16le'), undefined, ['السوق', 0]],
  ['UTF-8 with one byte of Windows-1252, declared ISO-8859-1', Buffer.concat([utf8(declared('iso-8859-1')).subarray(0, -16), Buffer.from('<item><title>L\x92</title></item></channel></rss>', 'latin1')]), undefined, ['L’été à Sétif', 1]],
  ['UTF-8 with one byte of Windows-1252', Buffer.concat([utf8('').subarray(0, -16), Buffer.from('<item><title>L\x92</title></item></channel></rss>', 'latin1')]), undefined, ['L’été à Sétif', 1]],
])('%s', async (_name, bytes, charset, [title, invalid]) => {
  const { articles, repairs } = await read(bytes, charset)
  expect(articles[0]).toMatchObject({ title })
  expect(repairs?.bytes).toBe(invalid)
}) // prettier-ignore

test('a feed that ends in the middle, and one whose items cannot be told apart', async () => {
  const cut = await read(
    rss(`<item><title>Un</title>${date}</item>\n<item><title>Deux</title><link>http`).replace(
      '</channel></rss>',
      '',
    ),
  )
  expect(cut).toMatchObject({ isComplete: false, marks: 2, pending: { title: 'Deux', line: 2 } })
  expect(cut.articles).toHaveLength(1)
  const swallowed = await read(
    rss(`<item><title>Un</title>${date}<!-- </item><item><title>Deux</title></item>`),
  )
  expect(swallowed).toMatchObject({ isComplete: false, marks: 2 })
})

test('a JSON Feed by an older version, whose home is no URL, with what is no item', async () => {
  const item = { id: '1', url: 'https://voisin.example/1', title: 'Un', image: '/un.jpg' }
  const feed = {
    version: 'http://jsonfeed.org/version/1',
    home_page_url: 'voisin.example',
    items: [null, item],
  }
  expect((await read(JSON.stringify(feed))).articles).toMatchObject([
    { title: '' },
    {
      title: 'Un',
      canonicalUrl: 'https://voisin.example/1',
      picture: { url: 'https://voisin.example/un.jpg' },
    },
  ])
})

test('an item that leads to the front page is another one than yesterday’s, which led there, too', async () => {
  const named = async (title: string, link: string) => {
    const { feed } = await read(rss(`<item><title>${title}</title><link>${link}</link>${date}</item>`))
    return feed && withoutSharedNames(feed).map(nameOf)
  }
  expect(await named('La mer est calme', '/')).toEqual([''])
  expect(await named('La mer se lève', 'http://www.voisin.example')).toEqual([''])
  expect(await named('Le marché', '/marche')).toEqual(['/marche'])
})

test('what is no feed', async () => {
  expect((await read('<html><body><p>404</p></body></html>')).feed).toBeUndefined()
})

test.each([
  ['Protected: Le port', 'x', '', true],
  ['Protégé&nbsp;: Le port', 'x', '', true],
  ['محمي: الميناء', 'x', '', true],
  ['Geschützt: Der Hafen', 'x', '', true],
  ['密码保护：港', 'x', '', true],
  ['Le port', 'Il n&rsquo;y pas d&rsquo;extrait, car cet article est protégé.', '', true],
  ['Le port', 'لا يوجد مختصر لأن هذه التدوينة محمية بكلمة مرور.', '', true],
  ['Le port', 'x', '<form><input name="post_password"></form>', true],
  ['Protégé par la digue : le port', 'x', '', false],
  ['Protégé : le port', 'x', '<p>Tout le texte</p>', false],
])('who sees "%s: %s"', async (title, summary, html, isHidden) => {
  const field = (name: string, text: string) => `<${name}><![CDATA[${text}]]></${name}>`
  const item = `<item>${field('title', title)}<guid isPermaLink="false">https://v.example/?p=7</guid>${field('description', summary)}${html && field('content:encoded', html)}</item>`
  const { feed } = await read(rss(item))
  expect(feed?.items.map((one) => isProtected(one, feed))).toEqual([isHidden])
})
