import { expect, test } from 'vitest'
import { readJson } from '../../src/import/json.ts'
import { readPost } from '../../src/import/live/rest-post.ts'
import { createWordpressReader } from '../../src/import/live/wordpress-rest.ts'

const site = {
  kind: 'wordpress' as const,
  url: 'https://v.example/wp-json/',
  home: 'https://v.example',
  homes: [],
  siteLanguage: 'fr-FR',
  language: undefined,
  since: undefined,
}
const context = {
  languages: ['fr', 'ar', 'en'],
  zone: 'Europe/Paris',
  sections: new Map<string, string>(),
  readAt: new Date(0),
}
const post = {
  id: 7,
  date_gmt: '2024-03-05T09:00:00',
  modified_gmt: '2024-03-05T09:00:00',
  guid: { rendered: 'https://v.example/?p=7' },
  link: 'https://v.example/2024/03/un/',
  title: { rendered: 'Un' },
  content: { rendered: '<p>Le port est ouvert.</p>', protected: false },
}
const pictured = (media: object) => ({
  _embedded: {
    'wp:featuredmedia': [{ source_url: 'https://v.example/a.jpg', mime_type: 'image/jpeg', ...media }],
  },
})

test.each<[string, object, object]>([
  ['no guid', { guid: undefined }, { title: 'Un', guid: undefined }],
  ['an empty guid', { guid: { rendered: '' } }, { title: 'Un', guid: undefined }],
  ['no title', { title: null }, { title: 'Le port est ouvert.' }],
  ['a path for an address', { link: '/2024/03/un/' }, { canonicalUrl: 'https://v.example/2024/03/un/' }],
  [
    'a path for a picture',
    pictured({ source_url: '/a.jpg' }),
    { picture: { url: 'https://v.example/a.jpg' } },
  ],
  [
    'sizes in words',
    pictured({ media_details: { width: '800', height: 6e6, filesize: -1 } }),
    { picture: { width: 800 } },
  ],
  [
    'a description of a picture without an end',
    pictured({ alt_text: 'mot '.repeat(400) }),
    { picture: { alt: expect.stringMatching(/^(mot )+mot…$/) as string } },
  ],
  [
    'an excerpt without an end',
    { excerpt: { rendered: `<p>${'mot '.repeat(2_000)}.</p>` } },
    { title: 'Un' },
  ],
  ...[
    'Le port … <a href="/un/" class="more-link">Lire la suite <span>de « Un »</span></a></p>',
    'Le port…</p><p><a href="/un/">Lire la suite</a> →</p>',
    'الميناء [&#8230;]<a class="read-more" href="/un/">اقرأ المزيد</a></p>',
  ].map((cut): [string, object, object] => [
    `words that lead on from what was cut, ${cut},`,
    { excerpt: { rendered: `<p>${cut}` } },
    { summary: '' },
  ]),
  [
    'an excerpt that its author ends in a link',
    {
      excerpt: {
        rendered:
          '<p>Le port rouvre : <a href="/plan/">le plan</a></p><div class="sharedaddy">Partager</div>',
      },
    },
    { summary: 'Le port rouvre : le plan' },
  ],
  [
    'a date with its zone',
    { date_gmt: '2024-03-05T09:00:00+00:00' },
    { publishedAt: '2024-03-05T09:00:00.000Z', state: undefined },
  ],
  [
    'a local date alone',
    { date_gmt: null, date: '2024-03-05T10:00:00' },
    { publishedAt: '2024-03-05T09:00:00.000Z', state: undefined },
  ],
  ['no date', { date_gmt: '0000-00-00T00:00:00' }, { publishedAt: undefined, state: 'draft' }],
  ['the locale of WPML', { wpml_current_locale: 'en_US' }, { language: 'en' }],
])('a post that has %s is an article', (_name, change, expected) => {
  const { article, reason } = readPost({ ...post, ...change }, site, context)
  expect(reason).toBeUndefined()
  const unsaid = { guid: undefined, state: undefined, publishedAt: undefined }
  expect({ ...unsaid, ...article?.input }).toMatchObject(expected)
})

test('a post without a text, or at no address, is none', () => {
  for (const change of [{ content: null }, { link: 'javascript:alert(1)' }])
    expect(readPost({ ...post, ...change }, site, context)).toMatchObject({ reason: 'unfit' })
})

test('an answer among the warnings of a PHP that shows them is read; a page is none', () => {
  const warning = '\n<br />\n<b>Deprecated</b>:  [x] {y} in <b>/srv/port.php</b> on line <b>3</b><br />\n'
  const read = (text: string) => readJson(Buffer.from(text))
  expect(read(`\uFEFF\uFEFF${warning}${warning}[{"id":7}]`)).toEqual([{ id: 7 }])
  expect(read(`${warning}[]`)).toEqual([])
  expect(read(`[{"id":7}]${warning}\n<!-- Page gardée [0.2 s] {a} -->`)).toEqual([{ id: 7 }])
  expect(read('<html><script>\n[]\n</script></html>')).toBeUndefined()
})

test('an error in the place of a post stops no other; nothing but errors is no list', async () => {
  const error = { errors: { restricted: ['Abonnés'] }, error_data: [] }
  const newestOf = (entries: unknown[]) => {
    const body = Buffer.from(JSON.stringify(entries))
    const answer = { url: site.url, status: 200, header: () => undefined, body }
    return createWordpressReader(() => Promise.resolve(answer)).listNewest(site, 'id')
  }
  expect(await newestOf([error, post, null])).toMatchObject({ newest: [{ remoteId: '7' }] })
  expect(await newestOf([])).toMatchObject({ newest: [] })
  await expect(newestOf([error])).rejects.toMatchObject({ failure: 'unreadable' })
})
