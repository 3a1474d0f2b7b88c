import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith'
import RssParser from 'rss-parser'
import { SaxesParser } from 'saxes'
import { describe, expect, test } from 'vitest'
import { sanitizeArticleHtml } from '../../src/domain/articles/article-html.ts'
import type { Article } from '../../src/domain/articles/article.ts'
import { articleUrl } from '../../src/domain/articles/links.ts'
import { feedFormats, type FeedFormat } from '../../src/domain/feeds/feed.ts'
import { cleanLine } from '../../src/domain/text.ts'
import { createFeedWriter, type FeedChannel } from '../../src/feeds/writer.ts'
import { aChannel, aFeedArticle, aFrame, aSelection } from '../support/feed-articles.ts'

const changedAt = new Date('2026-03-14T10:00:00Z')

/** As whoever hands articles to the writer has done. */
const safe = (article: Article): Article => {
  const url = articleUrl(article, aFrame.publicUrl)
  return { ...article, html: sanitizeArticleHtml(article.html, url, url) }
}

const write = (format: FeedFormat, articles: Article[], channel: FeedChannel = aChannel()): string =>
  createFeedWriter()
    .compose(
      channel,
      articles.map((article) => ({ kind: 'article', article: safe(article) })),
      aFrame,
    )
    .write(format)
    .bytes(changedAt)
    .toString('utf8')

/** @throws where the text is not well-formed XML with every namespace prefix bound */
function parseXml(xml: string): void {
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw error
  })
  parser.write(xml).close()
}

/** Every kind of text that has broken a feed somewhere. */
const hostile = [
  'a ]]> b ]]> c ]]> d',
  'bell\u0007, null\u0000, form feed\u000c, escape\u001b',
  'noncharacters \ufffe \uffff',
  'lone \ud800 surrogates \udc00',
  'Fish & Chips < Chips & Fish > "quotes" \'single\'',
  '<b>bold</b> and <script>alert(1)</script>',
  'literal &amp; and &amp;amp; and &lt;b&gt; and &#8;',
  'emoji 👩‍👩‍👧 🏴‍☠️',
  'bidi \u202e\u2066 عربي \u2069',
  'line\nbreak\r\nand\ttab',
]
const text = fc.oneof(
  fc.constantFrom(...hostile),
  fc.array(fc.constantFrom(...hostile), { minLength: 2, maxLength: 3 }).map((parts) => parts.join(' ')),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map((units) => String.fromCharCode(...units)),
)
const titled = text.map((value) => `titre ${value}`)

const hostileArticle = fc
  .record({ title: titled, summary: text, html: text, name: titled, alt: text, guid: titled })
  .map(({ title, summary, html, name, alt, guid }) =>
    aFeedArticle({
      guid,
      title,
      summary,
      html,
      picture: {
        url: `https://rivage.example/p.jpg?a=1&b=${encodeURIComponent(name.toWellFormed())}`,
        alt,
        credit: name,
        type: name,
      },
      enclosure: {
        url: 'https://rivage.example/son.mp3?a=1&b=2',
        type: 'audio/mpeg',
        length: 12_345,
        title: name,
      },
      sections: [aSelection('section', 's', { fr: name })],
      authors: [aSelection('author', 'a', { und: name })],
      areResponsesOpen: true,
    }),
  )

describe('D2 hostile text in every field', () => {
  test('well-formed, every item there, and the text comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(hostileArticle, { minLength: 1, maxLength: 4 }), titled, (articles, name) => {
        const channel = aChannel({ title: cleanLine(name), description: cleanLine(name) })
        const titles = articles.map(({ title }) => cleanLine(title))

        const rss = write('rss.xml', articles, channel)
        parseXml(rss)
        const items = [...rss.matchAll(/<title>([^<]*)<\/title>/g)].map(([, raw = '']) => unescape(raw))
        // The channel's title stands in its image too.
        expect(items).toEqual([cleanLine(name), cleanLine(name), ...titles])

        const atom = write('atom.xml', articles, channel)
        parseXml(atom)
        expect(
          [...atom.matchAll(/<title>([^<]*)<\/title>/g)].slice(1).map(([, raw = '']) => unescape(raw)),
        ).toEqual(titles)

        const json = JSON.parse(write('feed.json', articles, channel)) as { items: { title: string }[] }
        expect(json.items.map(({ title }) => title)).toEqual(titles)
      }),
      { numRuns: 60 },
    )
  })

  const unescape = (raw: string): string =>
    raw.replace(
      /&(lt|gt|quot|#9|#10|#13|amp|#x26|#x3C|#x3E);/g,
      (_all, name: string) => references[name] ?? '',
    )
  const references: Record<string, string> = {
    lt: '<',
    gt: '>',
    quot: '"',
    amp: '&',
    '#x26': '&',
    '#x3C': '<',
    '#x3E': '>',
    '#9': '\t',
    '#10': '\n',
    '#13': '\r',
  }
})

test('D3 one bad article is left out and named; every other stays', () => {
  const bad = aFeedArticle({ title: 'Sans image', picture: { url: 'nowhere', alt: '' } })
  const articles = [aFeedArticle(), bad, aFeedArticle()]
  const composed = createFeedWriter().compose(
    aChannel(),
    articles.map((article) => ({ kind: 'article', article })),
    aFrame,
  )
  expect(composed.items).toBe(2)
  expect(composed.leftOut).toEqual([
    {
      guid: bad.guid,
      title: 'Sans image',
      code: 'picture_url',
      reason: 'the URL of its picture is not an absolute http or https URL',
    },
  ])
})

test('D4 every URL is absolute; no script, no tracking pixel', () => {
  const html =
    '<p><a href="/a">a</a><a href="?b">b</a><img src="../c.jpg"><img src="//cdn.example/d.jpg">' +
    '<img src="https://track.example/p.gif" width="1" height="1"><script>x()</script></p>' +
    '<iframe src="https://www.youtube.com/embed/x"></iframe>'
  for (const format of feedFormats) {
    const written = write(format, [aFeedArticle({ html })])
    expect(written).not.toMatch(/track\.example|x\(\)/)
    const body = (
      JSON.parse(write('feed.json', [aFeedArticle({ html })])) as { items: [{ content_html: string }] }
    ).items[0]
    for (const [, url] of body.content_html.matchAll(/(?:href|src)="([^"]*)"/g))
      expect(url).toMatch(/^https?:\/\//)
    expect(body.content_html).not.toContain('<iframe')
    expect(body.content_html).toContain('<a class="embed-link" href="https://www.youtube.com/embed/x">')
  }
})

test('I7 one dc:creator with all names joined, and the desk where there is none', () => {
  const two = aFeedArticle({
    authors: [aSelection('author', 'a', { und: 'Ann Lee' }), aSelection('author', 'b', { und: 'Bob Ray' })],
  })
  const rss = write('rss.xml', [two, aFeedArticle({ authors: [] })])
  expect([...rss.matchAll(/<dc:creator>(.*?)<\/dc:creator>/g)].map(([, name]) => name)).toEqual([
    'Ann Lee et Bob Ray',
    'La rédaction',
  ])
  expect(rss).not.toContain('<author>')
})

test('I4 the same id in RSS, Atom and JSON', () => {
  const article = aFeedArticle({ guid: 'https://old.example/?p=12&x=1' })
  const rss = parseRssFeed(write('rss.xml', [article]))
  const atom = parseAtomFeed(write('atom.xml', [article]))
  const json = parseJsonFeed(write('feed.json', [article]))
  expect([rss.items?.[0]?.guid?.value, atom.entries?.[0]?.id, json.items?.[0]?.id]).toEqual(
    Array(3).fill('https://old.example/?p=12&x=1'),
  )
})

test.each([
  ['https://rivage.example/?p=7', true],
  ['urn:uuid:6f9619ff-8b86-4011-b42d-00cf4fc964ff', true],
  ['tag:rivage.example,2026:7', true],
  ['https://rivage.example/مقال', true],
  ['post:12345', true],
  ['12345', false],
  ['post 12345', false],
  ['rel1', false],
  ['https://rivage.example/a b', false],
  ['https://rivage.example/50%', false],
  ['http://', false],
  ['N/A', false],
])('I4 an id of Atom is an IRI: %s', (guid, isKept) => {
  const ids = () => parseAtomFeed(write('atom.xml', [aFeedArticle({ guid })])).entries?.map(({ id }) => id)
  const [id] = ids() ?? []
  if (isKept) expect(id).toBe(guid)
  else expect(id).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(ids()).toEqual([id])
  expect(write('rss.xml', [aFeedArticle({ guid })])).toContain(`>${guid}</guid>`)
})

test('D1 entries that changed at once are apart, and none moves when an older one leaves', () => {
  const at = new Date('2026-03-14T08:00:00Z')
  const articles = [1, 2, 3].map((id) =>
    aFeedArticle({ id, guid: `urn:x:${id}`, publishedAt: at, updatedAt: at }),
  )
  const updates = (shown: typeof articles) =>
    parseAtomFeed(write('atom.xml', shown)).entries?.map(({ updated }) => String(updated)) ?? []
  expect(new Set(updates(articles)).size).toBe(3)
  expect(updates(articles.slice(0, 2))).toEqual(updates(articles).slice(0, 2))
})

test('D1 an empty text has no empty content', () => {
  expect(write('atom.xml', [aFeedArticle({ html: '' })])).not.toContain('<content')
})

test('what XML cannot hold stands in no feed and no list of feeds, whoever has written it', () => {
  const pasted = 'Le\u000bRivage\u0001 & \ud83dfils\ufffe'
  const channel = { ...aChannel(), title: pasted, description: pasted, copyright: pasted }
  const article = aFeedArticle({ title: pasted, deck: pasted })
  for (const format of ['rss.xml', 'atom.xml'] as const) parseXml(write(format, [article], channel))
  const opml = createFeedWriter().opml(pasted, [
    { title: pasted, feeds: [{ title: pasted, rss: 'https://rivage.example/feeds/rss.xml', pageUrl: '' }] },
  ])
  parseXml(opml)
  expect(opml).toContain('LeRivage &amp; fils')
})

test('letters of windows-1252 that came as controls are letters again, in titles and texts', () => {
  const article = aFeedArticle({
    title: 'L\u0092eau\u0085',
    html: '<p>c&#156;ur &#146;\u0093x\u0094\u0081</p>',
  })
  for (const format of feedFormats) {
    const written = write(format, [article])
    expect(written).toContain('L’eau…')
    expect(written).toContain('cœur ’“x”')
    expect(written).not.toMatch(/[\u0080-\u009F]/)
  }
})

test('the body alone decides its hash, of which the ETag is made: its date does not, and stands where readers look', () => {
  const writer = createFeedWriter()
  const source = { kind: 'article', article: aFeedArticle() } as const
  for (const format of feedFormats) {
    const [one, other] = [
      writer.compose(aChannel(), [source], aFrame),
      writer.compose(aChannel(), [source], aFrame),
    ]
    expect(one.write(format).contentSha256).toEqual(other.write(format).contentSha256)
  }
  const rss = write('rss.xml', [
    aFeedArticle({ title: '<lastBuildDate>Thu, 01 Jan 1970 00:00:00 GMT</lastBuildDate>' }),
  ])
  expect(rss).toContain('<lastBuildDate>Sat, 14 Mar 2026 10:00:00 GMT</lastBuildDate>')
  expect(write('atom.xml', [aFeedArticle()])).toContain('<updated>2026-03-14T10:00:00.000Z</updated>')
})

describe('golden files', () => {
  const article = aFeedArticle({
    id: 7,
    guid: 'https://rivage.example/?p=7',
    slug: 'رياح',
    title: 'Vents & marées : « l’avis » <jaune>',
    summary: 'La mer monte & descend.',
    html: '<p>La mer <strong>monte</strong> &amp; descend.</p><p><a href="/plan">Le plan</a></p>',
    publishedAt: new Date('2026-03-14T08:00:00Z'),
    updatedAt: new Date('2026-03-14T09:30:00Z'),
    picture: {
      url: 'https://rivage.example/m/vent.jpg?w=1&h=2',
      alt: 'Des vagues',
      credit: 'Sami Rif',
      type: 'image/jpeg',
      length: 48_213,
      width: 1200,
      height: 800,
    },
    enclosure: {
      url: 'https://rivage.example/m/avis.pdf',
      type: 'application/pdf',
      length: 90_000,
      title: 'L’avis',
    },
    areResponsesOpen: true,
    responsesCount: 3,
    tags: [aSelection('tag', 'mer', { und: 'mer' })],
  })
  const arabic = aFeedArticle({
    id: 8,
    guid: 'urn:uuid:6f9619ff-8b86-4011-b42d-00cf4fc964ff',
    slug: 'المنارة',
    language: 'ar',
    title: 'المنارة تضيء من جديد',
    summary: 'أضاءت المنارة مساء أمس.',
    html: '<p>أضاءت المنارة مساء أمس.</p>',
    publishedAt: new Date('2026-03-13T08:00:00Z'),
    updatedAt: new Date('2026-03-13T08:00:00Z'),
    authors: [],
  })

  test.each(feedFormats)('%s is as it was reviewed', (format) => {
    const file = new URL(`../fixtures/feeds/${format}`, import.meta.url)
    const written = write(format, [article, arabic])
    if (process.env['UPDATE_GOLDEN']) writeFileSync(file, written)
    expect(written).toBe(readFileSync(file, 'utf8'))
  })

  test('the bytes are those of this version: who changes them raises it, or no feed that is stored changes', () => {
    const file = new URL('../fixtures/feeds/versions.json', import.meta.url)
    const known = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
    const { version } = createFeedWriter()
    const hash = createHash('sha256')
    for (const format of feedFormats) hash.update(write(format, [article, arabic]))
    const sha256 = hash.digest('hex')
    // An update adds the hash of a new version; it corrects none.
    if (process.env['UPDATE_GOLDEN'] && !known[version]) {
      known[version] = sha256
      writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`)
    }
    expect({ version, sha256 }).toEqual({ version, sha256: known[version] })
  })

  test('D1 xmllint finds nothing', () => {
    for (const format of ['rss.xml', 'atom.xml'] as const) {
      const xml = write(format, [article, arabic])
      expect(() => execFileSync('xmllint', ['--noout', '-'], { input: xml, stdio: 'pipe' })).not.toThrow()
    }
  })
})

test('D5 titles are equal in rss-parser and feedsmith', async () => {
  const titles = [
    'Vents & marées <jaune>',
    'Que veut dire &amp; ?',
    '« Oui » — 50 % d’Arabes & Kabyles',
    'R&D',
  ]
  const rss = write(
    'rss.xml',
    titles.map((title) => aFeedArticle({ title })),
  )
  expect((await new RssParser().parseString(rss)).items.map(({ title }) => title)).toEqual(titles)
  const atom = write(
    'atom.xml',
    titles.map((title) => aFeedArticle({ title })),
  )
  expect((await new RssParser().parseString(atom)).items.map(({ title }) => title)).toEqual(titles)
  expect(parseRssFeed(rss).items?.map(({ title }) => title)).toEqual(titles)
  expect(parseAtomFeed(atom).entries?.map(({ title }) => title?.value)).toEqual(titles)
})
