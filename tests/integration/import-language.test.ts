import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { importFeed } from '../../src/import/feed/import-feed.ts'
import { importWordpress } from '../../src/import/wordpress/import-wordpress.ts'
import { chooseLanguage } from '../../src/import/language.ts'
import { createArticleService } from '../../src/services/articles/articles.ts'
import { createResponseService } from '../../src/services/responses/responses.ts'
import { createSelectionService } from '../../src/services/articles/selections.ts'
import { aDatabase } from '../support/database.ts'

const none = { fixed: undefined, own: undefined, link: undefined, site: undefined, text: '' }
const arabic = '<p>افتتح المعرض أبوابه مساء أمس في المدينة القديمة.</p>'
const french = '<p>Le salon a ouvert ses portes hier soir.</p>'

test.each([
  ['what was said for all', { ...none, fixed: 'fr', own: 'ar', text: arabic }, 'fr'],
  ['what the item says', { ...none, own: 'ar', text: french }, 'ar'],
  ['a region folds', { ...none, own: 'ar_DZ' }, 'ar'],
  ['a code of three letters', { ...none, own: 'ara' }, 'ar'],
  ['a parameter of its address', { ...none, link: 'https://s.example/x/?lang=en', site: 'fr-FR' }, 'en'],
  ['what is said in words', { ...none, own: 'english', site: 'français', text: french }, 'fr'],
  ['the folder of its address', { ...none, link: 'https://s.example/ar/x/', text: 'Expo 2026' }, 'ar'],
  [
    'a folder that is no language',
    { ...none, link: 'https://s.example/tv/x/', site: 'en-GB', text: french },
    'en',
  ],
  ['the site', { ...none, site: 'en-US', text: '<p>Council meeting</p>' }, 'en'],
  ['the script, where the site says another', { ...none, site: 'fr-FR', text: arabic }, 'ar'],
  [
    'styles do not count',
    { ...none, text: `<style>/*! elementor - v3.14.0 */ ${'.a{color:red} '.repeat(200)}</style>${arabic}` },
    'ar',
  ],
  [
    'data URLs do not count',
    { ...none, text: `<img src="data:image/png;base64,${'A'.repeat(5000)}">${arabic}` },
    'ar',
  ],
  ['a language that we do not have', { ...none, own: 'de', text: french }, undefined],
  [
    'a site in a language that we do not have',
    { ...none, site: 'de-DE', text: '<p>Der Hafen</p>' },
    undefined,
  ],
  ['no letters at all', { ...none, text: '2026' }, 'fr'],
] as const)('SRC-7 the language of an item: %s', (_, hints, language) => {
  expect(chooseLanguage(hints, ['fr', 'ar', 'en'])).toBe(language)
})

test('SRC-7 a script that no language of ours is written in is not filed under the first', () => {
  expect(chooseLanguage({ ...none, text: arabic }, ['fr', 'en'])).toBeUndefined()
})

async function aRoom() {
  const database = await aDatabase()
  const parts = {
    config: { publicUrl: 'https://lettres.example' } as never,
    database,
    doorbell: { ring: () => Promise.resolve(), close: () => Promise.resolve() },
    now: () => new Date('2026-03-14T08:00:00Z'),
  }
  const services = {
    articles: createArticleService(parts),
    responses: createResponseService(parts),
    selections: createSelectionService(parts),
  }
  const options = {
    actor: { kind: 'cli', role: 'admin' } as const,
    language: undefined,
    languages: ['fr', 'ar'],
    zone: 'Africa/Algiers',
  }
  const folder = mkdtempSync('/var/tmp/depeche-test-')
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  return {
    services,
    get: (n: number) => services.articles.get(`wp:rivage.example:${n}`),
    fromExport: (items: string) => {
      const file = join(folder, 'export.xml')
      writeFileSync(
        file,
        `<?xml version="1.0"?><rss version="2.0" xmlns:content="c" xmlns:dc="d" xmlns:wp="w"><channel><title>Le Rivage</title><link>https://rivage.example</link><language>fr-FR</language><wp:wxr_version>1.2</wp:wxr_version><wp:base_blog_url>https://rivage.example</wp:base_blog_url>${items}</channel></rss>`,
      )
      return importWordpress(services, { ...options, files: [file], onProgress: () => undefined })
    },
    fromFeed: (xml: string) =>
      importFeed(services, {
        ...options,
        url: 'https://rivage.example/feed/',
        fetch: (url) => Promise.resolve({ url, body: Buffer.from(xml) }),
      }),
  }
}

const item = (n: number, more: string, status = 'publish') =>
  `<item><title>Titre ${n}</title><link>https://rivage.example/titre-${n}/</link><dc:creator>lsahel</dc:creator><guid>https://rivage.example/?p=${n}</guid><content:encoded><![CDATA[${french}]]></content:encoded><wp:post_id>${n}</wp:post_id><wp:post_date_gmt>2026-03-01 08:00:00</wp:post_date_gmt><wp:post_name>titre-${n}</wp:post_name><wp:status>${status}</wp:status><wp:post_type>post</wp:post_type>${more}</item>`

test('SRC-7 an export says the language of each post, in the way of Polylang and of WPML; another language is left out by name', async () => {
  const { fromExport, get } = await aRoom()
  const wpml =
    '<wp:postmeta><wp:meta_key>_wpml_import_language_code</wp:meta_key><wp:meta_value>ar</wp:meta_value></wp:postmeta>'
  const report = await fromExport(
    item(1, '<category domain="language" nicename="ar">العربية</category>') +
      item(2, wpml) +
      item(3, '') +
      item(4, '<category domain="language" nicename="de">Deutsch</category>'),
  )
  expect(report).toMatchObject({ items: 4, created: 3, failed: 0, leftOut: { language: 1 } })
  expect(report.notes.map(({ id, message }) => [id, message])).toContainEqual([
    '4',
    'it is in a language that this publication does not have',
  ])
  expect([(await get(1)).language, (await get(2)).language, (await get(3)).language]).toEqual([
    'ar',
    'ar',
    'fr',
  ])
})

test('SRC-7 authors are as the site shows them: all of them, guests too, and never a login', async () => {
  const { fromExport, get } = await aRoom()
  const guest = `<item><title>Lina Sahel</title><wp:post_id>90</wp:post_id><wp:post_name>cap-lina-sahel</wp:post_name><wp:status>publish</wp:status><wp:post_type>guest-author</wp:post_type><wp:postmeta><wp:meta_key>cap-display_name</wp:meta_key><wp:meta_value>Lina Sahel</wp:meta_value></wp:postmeta></item>`
  const author =
    '<wp:author><wp:author_login>karim</wp:author_login><wp:author_display_name>Karim Bey</wp:author_display_name></wp:author>'
  const both =
    '<category domain="author" nicename="cap-lina-sahel">lina-sahel</category><category domain="author" nicename="cap-karim">karim</category>'
  const report = await fromExport(author + guest + item(1, both) + item(2, ''))
  expect((await get(1)).authors.map(({ names }) => names['und'])).toEqual(['Lina Sahel', 'Karim Bey'])
  expect((await get(2)).authors).toEqual([])
  expect(report.notes).toMatchObject([
    { id: '2', message: 'the file does not say what its author is called' },
  ])
})

test('SRC-7 a category is the section of its name or slug, on every path', async () => {
  const { services, fromExport, fromFeed, get } = await aRoom()
  await services.selections.create(
    'section',
    { slug: 'evenement', names: { fr: 'Évènement', ar: 'حدث' } },
    { kind: 'system', role: 'admin' },
  )
  await fromExport(
    item(
      1,
      '<category domain="category" nicename="evenement-2">Évènement</category><category domain="category" nicename="port">Le port</category>',
    ),
  )
  expect((await get(1)).sections.map(({ slug }) => slug)).toEqual(['evenement', 'port'])
  await fromFeed(
    `<rss version="2.0"><channel><link>https://rivage.example</link><item><title>Deux</title><link>https://rivage.example/deux/</link><guid>https://rivage.example/?p=5</guid><pubDate>Mon, 02 Mar 2026 08:00:00 +0000</pubDate><category>حدث</category><category>Le port</category><category>Mer</category><description>Le salon.</description></item></channel></rss>`,
  )
  const article = await get(5)
  expect(article.sections.map(({ slug }) => slug)).toEqual(['evenement', 'port'])
  expect(article.tags.map(({ slug }) => slug)).toEqual(['mer'])
})

test('SRC-8 a re-import names what is in the trash there and public here, and withdraws nothing', async () => {
  const { fromExport, get } = await aRoom()
  await fromExport(item(1, '') + item(2, ''))
  const report = await fromExport(item(1, '', 'trash') + item(2, '', 'private') + item(3, '', 'trash'))
  expect(report.notes.map(({ id, message }) => [id, message])).toEqual([
    ['1', 'it is in the trash there, and public here: withdraw it'],
    ['2', 'it is private there, and public here: withdraw it'],
  ])
  expect((await get(1)).state).toBe('published')
})
