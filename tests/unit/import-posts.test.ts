import { expect, onTestFinished, test } from 'vitest'
import { openAttachments } from '../../src/import/wordpress/attachments.ts'
import { faultOf, leftOutReason } from '../../src/import/wordpress/left-out.ts'
import { toPost } from '../../src/import/wordpress/wxr-post.ts'
import { toParagraphs } from '../../src/import/wordpress/wordpress-html.ts'
import { readWxr, type WxrItem } from '../../src/import/wordpress/wxr.ts'
import { readingOf } from '../../src/import/xml/xml.ts'

const site = 'https://ancien.example'

async function read(items: string, head = `<wp:base_blog_url>${site}</wp:base_blog_url>`) {
  const bytes = [
    Buffer.from(`<rss><channel><wp:wxr_version>1.0</wp:wxr_version>${head}${items}</channel></rss>`),
  ]
  const reader = readWxr(bytes, await readingOf(() => bytes))
  const found: WxrItem[] = []
  const authors = new Map<string, string>()
  for await (const parts of reader.parts) {
    for (const part of parts) {
      if (part.kind === 'item') found.push(part.item)
      else authors.set(part.login, part.name)
    }
  }
  return { reader, items: found, authors }
}

async function post(fields: string, others = '') {
  const { items, authors } = await read(`<item>${fields}</item>${others}`)
  const attachments = openAttachments()
  onTestFinished(() => {
    attachments.close()
  })
  for (const item of items) attachments.add(item)
  const [first] = items
  if (!first) throw new Error('no item')
  const context = {
    idPrefix: 'wp:ancien.example',
    baseUrl: site,
    authors,
    attachments,
    language: 'fr',
    languages: ['fr'],
    zone: 'Europe/Paris',
    siteLanguage: 'fr',
    sections: new Map<string, string>(),
    readAt: new Date(0),
  }
  const { externalId, input, origin, notes, responses, responsesLeftOut } = toPost(first, 'fr', context)
  const html = String((input as { html?: unknown }).html)
  return {
    externalId,
    ...input,
    html,
    slug: origin.slug,
    notes,
    responses,
    responsesLeftOut,
    missing: attachments.countMissing(),
  }
}

const wp = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([name, text]) => `<wp:${name}><![CDATA[${text}]]></wp:${name}>`)
    .join('')
const published = { post_id: '1', post_type: 'post', status: 'publish' }
const dated = { ...published, post_date_gmt: '2024-03-05 09:00:00' }
const meta = (meta_key: string, meta_value: string) =>
  `<wp:postmeta>${wp({ meta_key, meta_value })}</wp:postmeta>`
const picture = (id: string, more: Record<string, string>, rest = '') =>
  `<item>${wp({ post_id: id, post_type: 'attachment', status: 'inherit', ...more })}${rest}</item>`
const content = (html: string) => `<content:encoded><![CDATA[${html}]]></content:encoded>`

test.each<[string, string, object]>([
  ['UTC', wp(dated), { state: 'published', publishedAt: '2024-03-05T09:00:00.000Z', notes: [] }],
  ['local time without its twin', wp({ ...published, post_date: '2024-07-05 10:00:00', post_date_gmt: '0000-00-00 00:00:00' }), { publishedAt: '2024-07-05T08:00:00.000Z' }],
  ['a time without seconds', wp({ ...published, post_date_gmt: '2011-05-10 08:00' }), { publishedAt: '2011-05-10T08:00:00.000Z' }],
  ['the date of RSS', `<pubDate>Wed, 30 Nov 2011 10:00:00 +0000</pubDate>${wp({ ...published, post_date: '2011-00-10 10:00:00' })}`, { publishedAt: '2011-11-30T10:00:00.000Z' }],
  ['1969', wp({ ...published, post_date_gmt: '1969-07-20 20:17:00' }), { publishedAt: '1969-07-20T20:17:00.000Z', state: 'published' }],
  ['zeros of a published post', `<pubDate>Mon, 30 Nov -0001 00:00:00 +0000</pubDate>${wp({ ...published, post_date: '0000-00-00 00:00:00' })}`, { state: 'draft', publishedAt: undefined, notes: [expect.stringContaining('is not understood, so it is a draft')] }],
  ['a scheduled post without a date', wp({ ...published, status: 'future' }), { state: 'draft', notes: [expect.stringContaining('no date')] }],
  ['a draft without a date', wp({ ...published, status: 'draft' }), { state: 'draft', notes: [] }],
  ['a state of an editorial plugin', wp({ ...dated, status: 'in-progress' }), { state: 'draft', notes: [] }],
  ['no state', wp({ post_id: '1', post_type: 'post' }), { state: 'draft', notes: ['it has no state, so it is a draft'] }],
  ['a tag of WXR 1.0', `${wp(dated)}<category domain="tag" nicename="phare">Phare</category><category domain="tag">Phare</category><category>Phare</category>`, { tags: ['phare'] }],
  ['a slug that is cut within a character', wp({ ...dated, post_name: '%d9%85%d8%b1%d8' }), { slug: 'مر' }],
  ['controls of Windows-1252', `<title>L&#146;été</title>${wp(dated)}`, { title: 'L’été' }],
  ['text behind a section', `<title><![CDATA[Grosse]]> nouvelle<!-- x --></title>${wp(dated)}`, { title: 'Grosse nouvelle' }],
  ['markup that is not escaped', `${wp(dated)}<content:encoded><p>Un <b>deux</b></p></content:encoded>`, { html: '<p>Un <b>deux</b></p>' }],
  ['emphasis over a blank line', wp(dated) + content('<strong>Un <em>deux\n\ntrois</em>\n<ul><li>a</li></ul>\nquatre</strong> cinq\n\nsix <b>sept\n\nhuit'), { html: '<p><strong>Un <em>deux</em></strong></p>\n<p><strong><em>trois</em></strong></p>\n<ul>\n<li>a</li>\n</ul>\n<p><strong>quatre</strong> cinq</p>\n<p>six <b>sept</p>\n<p>huit</p>' }],
  ['the picture of a cover', wp(dated) + content('<!-- wp:cover {"url":"/c.jpg"} --><div class="wp-block-cover has-parallax" style="background-image:url(/c.jpg?a=1&amp;b=2)"><p>Mots</p></div><!-- /wp:cover -->'), { html: '<div class="wp-block-cover has-parallax" style="background-image:url(/c.jpg?a=1&amp;b=2)"><img src="/c.jpg?a=1&amp;b=2" alt=""><p>Mots</p></div>' }],
  ['an enclosure without a length', wp(dated) + meta('enclosure', 'https://son.example/a.mp3\n\naudio/mpeg\n'), { enclosure: { url: 'https://son.example/a.mp3', type: 'audio/mpeg', length: 0 } }],
  ['a relative enclosure without a type', wp(dated) + meta('enclosure', '/a.mp3\n12'), { enclosure: { url: 'https://ancien.example/a.mp3', type: 'audio/mpeg', length: 12 } }],
  ['an enclosure that is none', wp(dated) + meta('enclosure', 'https://son.example/a.zip\n12\napplication/zip'), { enclosure: undefined, notes: [expect.stringContaining('"https://son.example/a.zip"')] }],
])('%s', async (_name, fields, expected) => {
  expect(await post(fields)).toMatchObject(expected)
}) // prettier-ignore

test('emphasis that never ends costs no more than what is written', () => {
  const marks = 60_000
  expect(toParagraphs('<b>'.repeat(marks) + '</i>'.repeat(marks))).toHaveLength('<p></p>'.length + 7 * marks)
})

test('pictures: by guid, with their caption as words, and counted where no file has them', async () => {
  const fields = wp(dated) + meta('_thumbnail_id', '12') + content('[gallery ids="12,13,99"]')
  const others =
    picture('12', {}, '<guid>https://ancien.example/guid.jpg</guid>') +
    picture(
      '13',
      { attachment_url: '/13.jpg' },
      '<excerpt:encoded><![CDATA[Photo : <a href="x">Agence</a> &amp; Cie]]></excerpt:encoded>',
    )
  const found = await post(fields, others)
  expect(found).toMatchObject({ picture: { url: 'https://ancien.example/guid.jpg' }, missing: 1 })
  expect(found.html).toContain('<figcaption>Photo : Agence &amp; Cie</figcaption>')
  expect(await post(wp(dated) + meta('_thumbnail_id', '7'))).toMatchObject({ picture: undefined, missing: 1 })
})

test('synced patterns stand where they are used; one that is not in the file is told', async () => {
  const pattern = `<item>${wp({ post_id: '50', post_type: 'wp_block', status: 'publish' })}${content('<!-- wp:paragraph --><p>Clé</p><!-- /wp:paragraph --><!-- wp:block {"ref":50} /-->')}</item>`
  const fields =
    wp(dated) +
    content('<!-- wp:paragraph --><p>Avant</p><!-- /wp:paragraph -->\n<!-- wp:block {"ref":50} /-->')
  const found = await post(fields, pattern)
  expect(found.html).toBe(`<p>Avant</p>${'\n<p>Clé</p>'.repeat(4)}`)
  expect((await post(fields)).notes).toEqual(['the pattern 50 that stands in it is not in the file'])
})

test('a response without a date has that of its post, or is left out; neither is of today', async () => {
  const comment = (id: string) =>
    `<wp:comment>${wp({ comment_id: id, comment_content: 'Bravo', comment_approved: '1', comment_date_gmt: '0000-00-00 00:00:00' })}</wp:comment>`
  const found = await post(wp(dated) + comment('7'))
  expect(found).toMatchObject({
    responses: [{ input: { publishedAt: '2024-03-05T09:00:00.000Z' } }],
    responsesLeftOut: 0,
  })
  expect(found.notes).toEqual([expect.stringContaining('response 7 has no date')])
  expect(await post(wp(published) + comment('7'))).toMatchObject({ responses: [], responsesLeftOut: 1 })
})

test('what is no post, and what cannot be one', async () => {
  const long = 'x'.repeat(4_200_000)
  const { items } = await read(
    [
      '<title>Nue</title><wp:post_id>156</wp:post_id>',
      wp({ ...dated, status: 'inherit' }),
      wp({ ...dated, status: 'trash' }),
      wp(dated) + meta('_elementor_data', long),
      wp(dated) + content(long),
    ]
      .map((fields) => `<item>${fields}</item>`)
      .join(''),
  )
  expect(items.map((item) => faultOf(item)?.slice(0, 20) ?? leftOutReason(item))).toEqual([
    'it has neither a typ',
    'other state',
    'trash',
    undefined,
    'content:encoded: mor',
  ])
})

test('a site by wp:base_site_url alone, names by wp:wp_author, an item without its end', async () => {
  const head = `<wp:base_site_url>${site}</wp:base_site_url><wp:wp_author>${wp({ author_login: 'lina', author_display_name: 'Lina Marsa' })}</wp:wp_author>`
  const { reader, items, authors } = await read(
    `<item>${wp(dated)}<item>${wp({ ...dated, post_id: '2' })}</item>`,
    head,
  )
  expect(reader.site.link).toBe(site)
  expect([...authors]).toEqual([['lina', 'Lina Marsa']])
  expect(items.map(({ fields }) => fields.id)).toEqual(['1', '2'])
})

test('a story about feeds is whole; one that was never closed is a fault', async () => {
  const lesson = '<pre></item>\n<item><title><![CDATA[x]]]]><![CDATA[></title></pre>'
  const fault = async (html: string) =>
    (await read(`<item>${wp(dated)}${content(html)}</item>`)).items.map(faultOf)
  expect(await fault(lesson)).toEqual([undefined])
  expect(await fault('x</content:encoded></item>\n<item><content:encoded><![CDATA[y')).toEqual([
    expect.stringContaining('runs into the next one'),
  ])
})

test('the notes of a block of footnotes stand where it stands', async () => {
  const notes = JSON.stringify([{ id: 'n-1', content: 'Selon la <em>capitainerie</em>.' }])
  const text =
    '<!-- wp:paragraph -->\n<p>Rouvert<sup><a href="#n-1" id="n-1-link">1</a></sup>.</p>\n<!-- /wp:paragraph -->\n'
  const { html } = await post(wp(dated) + content(`${text}<!-- wp:footnotes /-->`) + meta('footnotes', notes))
  expect(html).toContain(
    '</p>\n<ol><li id="n-1">Selon la <em>capitainerie</em>. <a href="#n-1-link">↩︎</a></li></ol>',
  )
  expect((await post(wp(dated) + content(`${text}<!-- wp:footnotes /-->`))).html).toMatch(/<\/p>$/)
})

test('posts without a number, which another program has exported, are not one post', async () => {
  const numbered = async (fields: string, post_id: string) =>
    (await post(wp({ ...dated, post_id }) + fields)).externalId
  const [one, other] = [await numbered('<guid>un</guid>', ''), await numbered('<link>/deux</link>', '0')]
  expect(one).toMatch(/^wp:ancien\.example:[\da-f]{40}$/)
  expect(other).not.toBe(one)
  expect(await numbered('<guid>un</guid>', '')).toBe(one)
  expect(await numbered('<guid>un</guid>', '12')).toBe('wp:ancien.example:12')
})
