import { expect, test } from 'vitest'
import { deskRoutes } from '../../../src/routes/desk/routes.ts'
import { anArticle } from '../../support/articles.ts'
import { signedIn } from '../../support/desk.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { rowsOf } from '../../support/query.ts'
import { aSubscriber } from '../../support/subscribers.ts'
import { aWeb, type Web } from '../../support/web.ts'

const newsletter = {
  name: 'Le Soir',
  description: '',
  language: 'fr',
  sections: 'culture',
  dossiers: '',
  tags: '',
  moreTags: '',
  blocks: 'lead',
  minArticles: '1',
  maxArticles: '12',
  subject: '',
  from: '',
  replyTo: '',
  welcome: '',
  approval: 'one',
  repeats: 'never',
  template: 'digest',
  linkTags: 'on',
  state: 'public',
  cadences: 'daily',
  weekdays: '1',
  times: '07:00, 18:00',
  dailySkip: '2026-12-25',
  weekday: '1',
  time: '18:00',
  rhythm: 'weeks',
  every: '2',
  anchor: '2026-12-04',
  ofMonth: 'last',
  weeklySkip: '',
  zone: 'Africa/Algiers',
  maxPerDay: '3',
}
const publication = {
  name: 'Le Rivage',
  description: 'La baie',
  deskName: 'La rédaction',
  postalAddress: '1, quai des Voiles',
  contactEmail: '',
  ambiguousPolicy: 'hold',
  links: 'here',
  feedText: 'full',
  responses: 'on',
  trackbacks: 'on',
  languages: 'fr, ar',
  zone: 'Africa/Algiers',
}
const look = {
  accent: '#1b5e8c',
  'footer.fr': 'À demain',
  'contacts.fr': 'Publicité : pub@rivage.example',
  'legalLinks.fr': '',
  'name.ar': 'الساحل',
}
const story = {
  title: 'Le bac reprend',
  deck: 'Dès lundi',
  html: '',
  markdown: 'Le **bac**',
  language: 'fr',
  url: 'https://img.example/bac.jpg',
  alt: 'Le bac',
  credit: '',
  sections: 'culture',
  dossiers: '',
  tags: 'Le Port',
  authors: 'Lina Marsa',
  translationOf: '/articles/le-phare-1',
  correction: '',
  state: 'published',
  publishedAt: '',
  responses: 'open',
}
const version = 'as it is'
/** The page of these forms shows it, as a hash. */
const shown = { version: 'as the page shows it' }

/** Here nothing is held and nobody in doubt: they refuse, and must refuse alike. */
const nothingToDo = new Set([
  '/settings/release',
  '/settings/sample',
  '/digests/1/uncertain',
  '/articles/a1/release',
  // Nothing answers there.
  '/sources/preview',
  '/sources',
  '/sources/1/feed',
])

/** Every form of the desk with all the fields that it knows, in an order in which each finds what it needs. */
const forms: [path: string, fields: Record<string, string>][] = [
  ['/settings/release', { sure: 'yes' }],
  ['/settings/sample', { sure: 'yes' }],
  ['/newsletters/new', { slug: 'le-soir', ...newsletter }],
  ['/newsletters/le-soir', { ...newsletter, ...shown, name: 'Le Grand Soir' }],
  ['/settings/publication', { ...publication, ...shown }],
  ['/look', { ...look, ...shown }],
  ['/settings/language', { language: 'ar', back: '/settings' }],
  ['/settings/editors', { email: 'nadia@rivage.example', role: 'viewer' }],
  ['/settings/editors/2/role', { role: 'editor' }],
  ['/settings/editors/2/author', { author: '' }],
  ['/settings/editors/2/remove', {}],
  ['/settings/invitations/1/withdraw', {}],
  ['/settings/keys', { name: 'CMS', role: 'viewer' }],
  ['/settings/keys/1/revoke', {}],
  ['/digests', { newsletter: 'le-matin', kind: 'digest', cadence: 'daily', articles: '' }],
  [
    '/digests/1/texts',
    { version, subject: 'Ce matin', preheader: '', intro: 'Bonjour', textUrl: '', textAlt: '' },
  ],
  ['/digests/1/stories', { version, article: 'a2', do: 'pin' }],
  ['/digests/1/order', { version, order: 'a1,a2' }],
  ['/digests/1/test', {}],
  ['/digests/1/approve', { version }],
  ['/digests/1/spread', { spread: 'no' }],
  ['/digests/1/send', { version, key: 'one click', spread: 'no' }],
  ['/digests/1/pause', {}],
  ['/digests/1/resume', { extend: 'yes' }],
  ['/digests/1/cancel', {}],
  ['/digests/1/uncertain', { decision: 'leave', subscriber: '1', key: 'one click' }],
  ['/digests', { newsletter: 'le-matin', kind: 'digest', cadence: 'daily', articles: '' }],
  ['/digests/2/schedule', { version, sendAt: '2099-01-01T07:00' }],
  ['/digests', { newsletter: 'le-matin', kind: 'letter', cadence: 'daily', articles: '' }],
  ['/digests/3/copy', { newsletter: 'le-soir' }],
  ['/sections/section', { name: 'Les sports' }],
  ['/sections/section/culture', { 'name.fr': 'Culture', position: '3', listed: 'yes' }],
  ['/sections/section/les-sports/rename', { slug: 'sports' }],
  ['/sections/section/sports/merge', { into: 'culture', sure: 'yes' }],
  ['/responses/1', { do: 'refused', state: 'held' }],
  ['/picks', { name: 'À lire' }],
  ['/picks/a-lire', { 'name.fr': 'En une', from: '', to: '', onFront: 'on' }],
  ['/picks/a-lire/stories', { article: 'a1', do: 'add' }],
  ['/picks/a-lire/delete', {}],
  ['/feeds/move', { path: '/sections/culture/rss.xml', to: '/rss.xml' }],
  ['/feeds/restore', { path: '/sections/culture/rss.xml' }],
  ['/feeds/retire', { path: '/sections/culture/rss.xml' }],
  [
    '/subscribers',
    { email: 'new@reader.example', newsletters: 'le-matin', language: 'fr', basis: 'by letter' },
  ],
  ['/imports/1', { trial: '1', use: 'email', basis: '' }],
  ['/subscribers/1/language', { language: 'ar' }],
  ['/subscribers/1/subscription', { newsletter: 'le-matin', act: '30' }],
  ['/subscribers/1/suppress', { detail: 'asked by letter' }],
  ['/subscribers/1/lift', {}],
  ['/subscribers/2/suppress', { detail: '' }],
  ['/suppressions/2/lift', {}],
  ['/subscribers/3/erase', { sure: 'yes' }],
  ['/deliverability/events', { provider: 'mailgun' }],
  ['/deliverability/events/mailgun/key', { key: 'key-3ax6xnjp29jd6fds4gc373sgvjxteol0' }],
  ['/deliverability/events/mailgun/renew', {}],
  ['/deliverability/events/mailgun/test', {}],
  ['/deliverability/events', { provider: 'brevo' }],
  ['/deliverability/events/brevo/stop', {}],
  ['/sources/preview', { address: 'http://127.0.0.1:1/', kind: 'feed' }],
  ['/sources', { address: 'http://127.0.0.1:1/', kind: 'feed', language: 'fr', from: 'all' }],
  ['/sources/1/answer', { answer: 'keep' }],
  ['/sources/1/settings', { language: 'ar', links: 'canonical', feedText: 'full' }],
  ['/sources/1/restore', { item: '7' }],
  ['/sources/1/sync', {}],
  ['/sources/1/pause', {}],
  ['/sources/1/resume', {}],
  ['/sources/1/feed', {}],
  ['/sources/1/remove', {}],
  ['/articles/a1/release', {}],
  ['/articles/a1/withdraw', { reason: 'wrong' }],
  ['/articles/desk:1/preview', { ...story, as: 'mail' }],
  ['/articles/desk:1/picture', { ...story, textUrl: 'https://img.example/port.jpg', textAlt: 'Le port' }],
  ['/articles/desk:1', { version: '0', ...story }],
  ['/settings/sessions/999/end', {}],
]

async function aNewsroom() {
  const web = await aWeb()
  const { database } = web.context
  const matin = await aNewsletter(database, { slug: 'le-matin' })
  for (const n of [1, 2]) {
    await anArticle(database, { externalId: `a${n}`, title: `Le phare, ${n}`, sections: ['culture'] })
    await aSubscriber(database, { newsletter: matin, address: `reader-${n}@reader.example` })
  }
  await rowsOf(
    web,
    `insert into sources (kind, url, home, name, host, token, question)
     values ('feed', 'http://127.0.0.1:1/', 'http://127.0.0.1:1/', 'Le Voisin', '127.0.0.1:1', 'token', 'many')`,
  )
  await rowsOf(
    web,
    `insert into imports (actor, state, is_dry_run, format, lines)
     values ('cli', 'done', true, '{"encoding":"utf-8","separator":",","skipped":1,"header":["email"]}', 2)`,
  )
  await rowsOf(web, `insert into import_pieces values (1, 0, convert_to('email', 'UTF8'))`)
  await rowsOf(
    web,
    `insert into written_responses (article_id, kind, guid, author, html, language, state, written_at)
     values (1, 'response', 'g', 'Lina', '<p>Oui</p>', 'fr', 'held', now())`,
  )
  const desk = await signedIn(web, 'admin')
  await signedIn(web, 'viewer')
  return { web, desk }
}

const secrets = new Set([
  'rate_limits',
  'sessions',
  'idempotency_keys',
  'feed_documents',
  'article_views',
  'workers',
])
/** Times, random values and what holds the origin of its own process. */
const own = `'uuid', 'bytea', 'timestamp with time zone', 'tsvector'`
const ownNames = `'frozen', 'skeleton', 'snapshot', 'guid', 'short_code', 'payload', 'canonical_url', 'prefix', 'key_id', 'email', 'token'`

/** One statement that reads all that the desk may change; what differs from one installation to the next is left out. */
async function snapshotStatement(web: Web): Promise<string> {
  const tables = await rowsOf<{ name: string; columns: string }>(
    web,
    `select table_name as name, string_agg(quote_ident(column_name), ', ' order by column_name) as columns
     from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'public' and table_type = 'BASE TABLE' and data_type not in (${own})
       and column_name not in (${ownNames}) and column_name not like '%sha256%'
     group by 1 order by 1`,
  )
  return tables
    .filter(({ name }) => !secrets.has(name) && !name.startsWith('bullmq'))
    .map(
      ({ name, columns }) =>
        `select '${name}' as name, array(select row_to_json(t)::text from (select ${columns} from "${name}") t order by 1) as rows`,
    )
    .join(' union all ')
}

async function snapshotOf(web: Web, statement: string): Promise<Record<string, string[]>> {
  const tables = await rowsOf<{ name: string; rows: string[] }>(web, statement)
  return Object.fromEntries(
    tables.map(({ name, rows }) => [name, rows.map((row) => row.replace(/localhost:\d+|[0-9a-f]{64}/g, ''))]),
  )
}

/** Every column of the database, as SQL and as the code spells it, and what a prototype holds. */
async function everyColumn(web: Web): Promise<string[]> {
  const found = await rowsOf<{ name: string }>(
    web,
    `select distinct column_name as name from information_schema.columns where table_schema = 'public'`,
  )
  const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  return [
    ...new Set([...found.flatMap(({ name }) => [name, camel(name)]), '__proto__', 'constructor', 'isAdmin']),
  ]
}

test('no form of the desk takes a field it does not know: with every column of the database added, all stays the same', async () => {
  const [plain, laden] = [await aNewsroom(), await aNewsroom()]
  const surplus = await everyColumn(laden.web)
  expect(surplus.length).toBeGreaterThan(150)
  const send = async ({ web, desk }: typeof plain, path: string, fields: Record<string, string>) => {
    const [digest] = await rowsOf<{ version: number }>(
      web,
      'select version from digests order by id desc limit 1',
    )
    const page =
      fields['version'] === shown.version ? await desk.get(path.replace('/publication', '')) : undefined
    const [, hash = ''] = / name="version" value="([^"]+)"/.exec((await page?.text()) ?? '') ?? []
    const versions = new Map([
      [version, String(digest?.version)],
      [shown.version, hash],
    ])
    const known = Object.entries(fields).map(([name, value]): [string, string] => [
      name,
      versions.get(value) ?? value,
    ])
    const extra = desk === laden.desk ? surplus.filter((name) => !(name in fields) && name !== 'csrf') : []
    const answer = await desk.post(path, [
      ...known,
      ...extra.map((name): [string, string] => [name, /role/i.test(name) ? 'admin' : '1']),
    ])
    await answer.body?.cancel()
    return { status: answer.status, to: answer.headers.get('location') }
  }
  const everything = await snapshotStatement(plain.web)
  for (const [path, fields] of forms) {
    const expected = await send(plain, path, fields)
    expect(await send(laden, path, fields), path).toEqual(expected)
    if (!nothingToDo.has(path)) expect([200, 303], `${path} ${expected.status}`).toContain(expected.status)
    expect(await snapshotOf(laden.web, everything), path).toEqual(await snapshotOf(plain.web, everything))
  }

  const { services, lifecycle } = plain.web.context
  const posts = deskRoutes(services, lifecycle.draining, () => Promise.resolve({ findings: [] })).filter(
    (route) => route.method === 'post',
  )
  const untried = posts.filter(({ path, bodyLimit }) => {
    const pattern = new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`)
    return bodyLimit !== 'upload' && !forms.some(([tried]) => pattern.test(tried))
  })
  expect(untried.map(({ path }) => path)).toEqual([])
})
