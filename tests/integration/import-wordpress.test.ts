import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalPath } from '../../src/domain/articles/old-address.ts'
import { expect, onTestFinished, test } from 'vitest'
import { importWordpress } from '../../src/import/wordpress/import-wordpress.ts'
import { articleInput } from '../../src/services/articles/input.ts'
import { createArticleService } from '../../src/services/articles/articles.ts'
import { createResponseService } from '../../src/services/responses/responses.ts'
import { createSelectionService } from '../../src/services/articles/selections.ts'
import type { Database } from '../../src/store/database.ts'
import { aDatabase } from '../support/database.ts'
import { writeWxr } from '../support/wxr.ts'

const fixture = new URL('../fixtures/import/rivage.wxr.xml', import.meta.url).pathname

function aFile(content: string | Buffer): string {
  const folder = mkdtempSync('/var/tmp/depeche-wxr-')
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'export.xml')
  writeFileSync(file, content)
  return file
}

const partsOf = (database: Database) => ({
  config: { publicUrl: 'https://rivage.example' } as never,
  database,
  doorbell: { ring: () => Promise.resolve(), close: () => Promise.resolve() },
  now: () => new Date('2026-03-14T08:00:00Z'),
})

function anImport(database: Database) {
  const parts = partsOf(database)
  const services = {
    articles: createArticleService(parts),
    responses: createResponseService(parts),
    selections: createSelectionService(parts),
  }
  return (file: string | string[], language?: string) =>
    importWordpress(services, {
      files: [file].flat(),
      actor: { kind: 'cli', role: 'admin' },
      language,
      languages: ['fr', 'ar'],
      zone: 'Europe/Paris',
      onProgress: () => undefined,
    })
}

const idOf = (post: number) => `wp:ancien.rivage.example:${post}`

test('an export with every fault: posts, responses, what is left out, repairs and errors are counted and told', async () => {
  const database = await aDatabase()
  const report = await anImport(database)(fixture)
  expect(report).toMatchObject({
    posts: 15,
    created: 14,
    failed: 1,
    newGuids: 1,
    responses: { created: 2, updated: 0, unchanged: 0 },
    responsesLeftOut: 2,
    items: 22,
    leftOut: { attachment: 1, private: 1, password: 1, page: 1, 'menu item': 1, 'other type': 1, trash: 1 },
    repairs: { ampersands: 2, entities: 1, characters: 2, brackets: 1, sections: 2 },
  })
  expect(report.repairs.tags).toBeGreaterThan(0)
  expect(report.errors).toEqual([
    {
      id: '119 bis',
      title: 'Identifiant impossible',
      line: expect.any(Number) as number,
      message: expect.stringContaining('letters') as string,
    },
  ])
})

test('a post keeps guid, author, date, state, sections, tags, excerpt, picture and old path; its HTML is clean', async () => {
  const database = await aDatabase()
  await anImport(database)(fixture)
  const article = await database.stores.articles.getByExternalId(idOf(101))
  expect(article).toMatchObject({
    title: 'Le phare se rallume',
    guid: 'https://ancien.rivage.example/?p=101',
    slug: 'texte-101',
    language: 'fr',
    state: 'published',
    publishedAt: new Date('2012-03-14T08:00:00Z'),
    firstPublicAt: new Date('2012-03-14T08:00:00Z'),
    summary: 'Le phare de Port-Clair brille.',
    oldPath: '/2012/03/14/texte-101/',
    areResponsesOpen: true,
    responsesCount: 2,
    picture: {
      url: 'https://ancien.rivage.example/wp-content/uploads/phare-grand.jpg',
      alt: 'Le phare, la nuit',
      credit: 'Photo : Idir',
      type: 'image/jpeg',
    },
    sections: [{ slug: 'faits-divers', names: { und: 'Faits divers & mer' } }],
    tags: [{ slug: 'phare', names: { und: 'Phare' } }],
    authors: [{ slug: 'lina-marsa', names: { und: 'Lina Marsa' } }],
  })
  expect(article.html).toBe(
    '<p>Le phare brille.<br />\nDepuis hier.</p>\n' +
      '<p><a href="https://ancien.rivage.example/plan">Le plan</a> et [sic].</p>\n' +
      '<figure class="alignleft"><img alt="Le phare" src="https://ancien.rivage.example/wp-content/uploads/phare.jpg" width="300" loading="lazy" />\n' +
      '<figcaption>Le phare, <em>hier</em></figcaption>\n</figure>\n\n<p>Fin.</p>',
  )
  const responses = await database.stores.responses.listByArticle(article.id)
  expect(responses).toMatchObject([
    {
      externalId: '11',
      author: 'Nour & fils',
      authorUrl: 'https://nour.example/?a=1&b=2',
      html: '<p>Bravo !</p>\n<p>Encore <b>merci</b>.</p>',
      guid: 'https://ancien.rivage.example/?p=101#comment-11',
      kind: 'response',
      publishedAt: new Date('2012-03-15T10:00:00Z'),
    },
    { externalId: '14', kind: 'trackback' },
  ])
})

test('Arabic, malformed, untitled, dated and stateful posts arrive as they were meant', async () => {
  const database = await aDatabase()
  await anImport(database)(fixture)
  const get = (post: number) => database.stores.articles.getByExternalId(idOf(post))
  const arabic = await get(102)
  expect(arabic).toMatchObject({
    language: 'ar',
    slug: 'الميناء',
    areResponsesOpen: false,
    sections: [{ slug: 'ثقافة' }],
    authors: [{ names: { und: 'Idir Aït-Saïd' } }],
  })
  expect(arabic.html).toBe(
    '<p>فتح الميناء أبوابه صباح اليوم أمام الصيادين.</p>\n' +
      '<figure><div><a class="embed-link" href="https://video.example/1">https://video.example/1</a></div></figure>',
  )
  expect(
    (await database.stores.articles.findPublicByOldPath([canonicalPath(arabic.oldPath ?? '')]))?.id,
  ).toBe(arabic.id)
  expect((await get(103)).title).toBe('Pêche & cie :\u00A0la suite – a < b')
  expect((await get(104)).html).toContain('Avant ]]&gt; après.')
  expect(await get(105)).toMatchObject({ state: 'draft', publishedAt: new Date('2013-01-05T09:00:00Z') })
  expect(await get(106)).toMatchObject({ state: 'scheduled', firstPublicAt: undefined })
  expect(await get(107)).toMatchObject({ state: 'draft' })
  expect((await get(114)).title).toBe('Sans titre, mais avec un texte qui commence…')
  expect((await get(115)).guid).toMatch(/^urn:uuid:/)
  expect((await get(116)).slug).toBe('texte-104-2')
  // Summer time in the publication's zone.
  expect((await get(117)).publishedAt).toEqual(new Date('2015-07-01T07:00:00Z'))
  expect((await get(118)).enclosure).toEqual({
    url: 'https://son.example/a.mp3',
    length: 123_456,
    type: 'audio/mpeg',
  })
  expect((await get(120)).html).toContain('[gallery]')
  expect((await get(120)).html).toContain('phare-grand.jpg')
  expect((await get(120)).html).not.toContain('publicite')
  expect((await get(121)).title).toBe('Balise perdue')
  const all = JSON.stringify(await database.stores.articles.list({ limit: 100, after: undefined }))
  expect(all).not.toMatch(/secret-|192\.0\.2\.1|quelquun@/)
})

test('a re-import changes nothing; an edited post updates alone; withdrawn stays withdrawn; a moved site is the same', async () => {
  const database = await aDatabase()
  const run = anImport(database)
  await run(fixture)
  const before = await database.stores.articles.list({ limit: 100, after: undefined })
  expect(await run(fixture)).toMatchObject({
    created: 0,
    updated: 0,
    unchanged: 14,
    responses: { unchanged: 2 },
  })
  expect(await database.stores.articles.list({ limit: 100, after: undefined })).toEqual(before)

  const edited = aFile(
    readFileSync(fixture, 'utf8').replace('Le phare brille.\n', 'Le phare ne brille plus.\n'),
  )
  expect(await run(edited)).toMatchObject({ created: 0, updated: 1, unchanged: 13 })
  expect((await database.stores.articles.getByExternalId(idOf(101))).html).toContain('ne brille plus')

  const moved = aFile(
    readFileSync(fixture, 'utf8')
      .replace(/(<wp:base_(?:site|blog)_url>)[^<]*/g, '$1https://nouveau.rivage.example')
      .replace(/(<link>)https:\/\/ancien/g, '$1https://nouveau'),
  )
  // Two of them share a guid: their numbers tell them apart.
  const known = await titlesById(database)
  expect(await run(moved)).toMatchObject({ created: 0, updated: 14 })
  expect(await titlesById(database)).toEqual(known)
})

const titlesById = async (database: Database) =>
  (await database.stores.articles.list({ limit: 100, after: undefined }))
    .map(({ id, title, guid }) => [id, title, guid])
    .sort()

test('--language says it for every post', async () => {
  const database = await aDatabase()
  await anImport(database)(fixture, 'ar')
  expect((await database.stores.articles.getByExternalId(idOf(101))).language).toBe('ar')
})

test('the feeds hear of an import once', async () => {
  const database = await aDatabase()
  await anImport(database)(fixture)
  expect(await database.stores.feedDocuments.claimChanges()).toEqual([{ subject: '*' }])
  await anImport(database)(fixture)
  expect(await database.stores.feedDocuments.claimChanges()).toEqual([])
})

test.each([
  [
    'an external entity',
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>',
    'doctype_refused',
  ],
  [
    'entities that multiply',
    '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><rss>&b;</rss>',
    'doctype_refused',
  ],
  [
    'parameter entities',
    '<!doctype rss [<!ENTITY % x SYSTEM "http://169.254.169.254/">%x;]><rss/>',
    'doctype_refused',
  ],
  [
    'UTF-16 with entities',
    Buffer.from('\uFEFF<!DOCTYPE rss [<!ENTITY x "y">]><rss/>', 'utf16le'),
    'doctype_refused',
  ],
  ['a document type between faults', '<rss>&<!DOCTYPE rss [<!ENTITY x "y">]>&x;</rss>', 'doctype_refused'],
  [
    'a document type without declarations',
    '<!doctype rss PUBLIC "x" "http://169.254.169.254/"><rss/>',
    'not_wxr',
  ],
  ['elements in elements without end', '<a>'.repeat(3_000), 'xml_too_deep'],
  ['another XML', '<rss version="2.0"><channel><title>x</title></channel></rss>', 'not_wxr'],
  ['no XML', 'PK\u0003\u0004 zip', 'not_wxr'],
  ['nothing', '', 'not_wxr'],
])('%s is refused and leaves nothing behind', async (_name, content, code) => {
  const database = await aDatabase()
  await expect(anImport(database)(aFile(content))).rejects.toMatchObject({ code })
  expect(await database.stores.articles.list({ limit: 10, after: undefined })).toEqual([])
})

const partOf = (items: string, site = 'https://parts.example') =>
  aFile(
    `<rss version="2.0"><channel><link>${site}</link><wp:wxr_version>1.2</wp:wxr_version><wp:base_blog_url>${site}</wp:base_blog_url>${items}</channel></rss>`,
  )
const aPost = (id: number, fields = '') =>
  `<item><title>Texte ${id}</title><wp:post_id>${id}</wp:post_id><wp:post_type>post</wp:post_type><wp:status>publish</wp:status><wp:post_date_gmt>2024-03-05 09:00:00</wp:post_date_gmt>${fields}</item>\n`
const aPicture = (id: number, parent: number) =>
  `<item><wp:post_id>${id}</wp:post_id><wp:post_type>attachment</wp:post_type><wp:post_parent>${parent}</wp:post_parent><wp:attachment_url>https://parts.example/${id}.jpg</wp:attachment_url></item>`
const thumbnail = (id: number) =>
  `<wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>${id}</wp:meta_value></wp:postmeta>`

test('an export in several files is one: pictures and galleries across them, faults with their file', async () => {
  const database = await aDatabase()
  const gallery = '<content:encoded>[gallery]</content:encoded>'
  const posts = partOf(aPost(1, thumbnail(11)) + aPost(2, gallery) + aPost(3, thumbnail(99)))
  const pictures = partOf(aPicture(11, 1) + aPicture(12, 2) + aPost(4, '<wp:post_id>qua tre</wp:post_id>'))
  const run = anImport(database)
  const first = await run([posts, pictures])
  expect(first).toMatchObject({
    items: 6,
    posts: 4,
    created: 3,
    failed: 1,
    leftOut: { attachment: 2 },
    picturesMissing: 1,
  })
  expect(first.errors).toMatchObject([{ file: 'export.xml', line: 1, title: 'Texte 4' }])
  const get = (post: number) => database.stores.articles.getByExternalId(`wp:parts.example:${post}`)
  expect((await get(1)).picture).toMatchObject({ url: 'https://parts.example/11.jpg' })
  expect((await get(2)).html).toContain('https://parts.example/12.jpg')
  expect(await run([posts, pictures])).toMatchObject({ created: 0, updated: 0, unchanged: 3 })

  const other = partOf(aPost(1), 'https://autre.example')
  await expect(run([posts, other])).rejects.toMatchObject({ code: 'different_sites' })
})

test.each([
  [
    'its title is never closed',
    ['<title>', '<title><![CDATA['],
    { created: 1, failed: 3 },
    /ends in the middle.*,4 items begin in the file, but 2/,
  ],
  [
    'its text is never closed',
    ['</item>', '<wp:x><![CDATA[</wp:x></item>'],
    { created: 1, failed: 3 },
    /ends in the middle/,
  ],
  [
    'a quotation mark is missing',
    ['</item>', '<category domain="x></item>'],
    { created: 4, failed: 0 },
    /^$/,
  ],
])('nothing vanishes where %s', async (_name, [mark = '', fault = ''], counts, says) => {
  const broken = aPost(2).replace(mark, fault)
  const report = await anImport(await aDatabase())(partOf(aPost(1) + broken + aPost(3) + aPost(4)))
  expect(report).toMatchObject({ items: 4, ...counts })
  expect(report.errors.map(({ message }) => message).join()).toMatch(says)
})

test('a text that is closed by the next one is refused by name, though a parser takes it; what is behind it comes in', async () => {
  const broken = aPost(2).replace('<title>', '<title><![CDATA[')
  const next = aPost(3).replace('Texte 3', '<![CDATA[Texte 3]]>')
  const report = await anImport(await aDatabase())(partOf(aPost(1) + broken + next + aPost(4)))
  expect(report).toMatchObject({ items: 3, created: 2, failed: 1 })
  expect(report.errors[0]).toMatchObject({
    line: 2,
    message: expect.stringContaining('runs into the next') as string,
  })
})

test('an article that an editor has published stays so when a date that is none comes again', async () => {
  const database = await aDatabase()
  const run = anImport(database)
  const zero = '<wp:post_date_gmt>0000-00-00 00:00:00</wp:post_date_gmt>'
  const first = await run(partOf(aPost(1, zero)))
  expect(first.notes).toMatchObject([
    { id: '1', line: 1, message: expect.stringContaining('is a draft') as string },
  ])
  const externalId = 'wp:parts.example:1'
  const input = {
    title: 'Texte 1',
    html: '',
    language: 'fr',
    state: 'published',
    publishedAt: '2020-01-01T00:00:00Z',
  }
  const articles = createArticleService(partsOf(database))
  await articles.putBatch([{ externalId, input: articleInput.parse(input) }])
  const corrected = partOf(aPost(1, zero).replace('Texte', 'Corrigé'))
  expect(await run(corrected)).toMatchObject({ unchanged: 1, held: 1, failed: 0 })
  await articles.release(externalId, { kind: 'cli', role: 'admin' })
  expect(await run(corrected)).toMatchObject({ updated: 1, failed: 0 })
  expect(await database.stores.articles.getByExternalId(externalId)).toMatchObject({
    title: 'Corrigé 1',
    state: 'published',
    publishedAt: new Date(input.publishedAt),
  })
})

test('a file that ends in the middle: what came before is imported, and it is told', async () => {
  const database = await aDatabase()
  const text = readFileSync(fixture, 'utf8')
  const report = await anImport(database)(aFile(text.slice(0, text.indexOf('<wp:post_id>103'))))
  expect(report).toMatchObject({ created: 2, failed: 1 })
  expect(report.errors[0]?.message).toContain('ends in the middle')
})

test('a line of 60 MB and a million references cost bounded memory, and the next post arrives', async () => {
  const database = await aDatabase()
  const folder = mkdtempSync('/var/tmp/depeche-wxr-')
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'export.xml')
  await writeWxr(file, 1)
  const one = readFileSync(file, 'utf8')
  const item = one.slice(one.indexOf('<item>'), one.lastIndexOf('</item>') + 7)
  const long = item
    .replace('<wp:post_id>1<', '<wp:post_id>2<')
    .replace('?p=1<', '?p=2<')
    .replace(
      /<content:encoded>.*<\/content:encoded>/s,
      `<content:encoded>${'x'.repeat(60_000_000)}</content:encoded>`,
    )
  const many = item
    .replace('<wp:post_id>1<', '<wp:post_id>3<')
    .replace('?p=1<', `?p=3${'&#65;'.repeat(1_000_000)}<`)
  const last = item.replace('<wp:post_id>1<', '<wp:post_id>4<').replace('?p=1<', '?p=4<')
  writeFileSync(file, one.replace(item, item + long + many + last))
  const report = await anImport(database)(file)
  expect(report).toMatchObject({ posts: 4, created: 2, failed: 2, errors: [{ id: '2' }, { id: '3' }] })
  expect((await database.stores.articles.getByExternalId('wp:ancien.example:4')).externalId).toBe(
    'wp:ancien.example:4',
  )
})
