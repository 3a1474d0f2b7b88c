import { expect, inject, onTestFinished, test } from 'vitest'
import pg from 'pg'
import { randomBytes } from 'node:crypto'
import { migrate } from '../../src/store/migrate.ts'
import { cloneDatabase, createDatabaseNamed, openTestDatabase } from '../support/database.ts'
import { query } from '../support/query.ts'
import { recordStatements } from '../support/statements.ts'

/** How PostgreSQL would run a statement where reading a table in full is the last thing it does. */
async function planOf(url: string, statement: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('set enable_seqscan = off')
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${statement}`)
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  } finally {
    await client.end()
  }
}

test.for([
  [
    'mails of a request that is purged',
    'outbox_activation',
    `select from outbox where activation_id = gen_random_uuid()`,
  ],
  [
    'mails that nobody could write',
    'outbox_unwritten',
    `select from outbox where state = 'rejected' and reason = 'not_written' and attempt < 5`,
  ],
  ['mails of a person', 'outbox_subscriber', `select from outbox where subscriber_id = 1`],
  [
    'requests for an address',
    'activations_address',
    `select from activations where lower(address) = 'a@b.example'`,
  ],
  [
    'consents of the last weeks',
    'consents_at',
    `select from consents where at > now() - interval '12 weeks'`,
  ],
  [
    'those who left a newsletter',
    'subscriptions_not_active',
    `select from subscriptions where newsletter_id = 1 and state = 'ended'`,
  ],
  [
    'people by a part of their address',
    'subscribers_address_part',
    `select from subscribers where lower(address) like '%lou%'`,
  ],
])('%s are found by an index', async ([, index = '', statement = '']) => {
  expect(await planOf(await cloneDatabase(), statement)).toContain(index)
})

test('a person’s page, the most read, readers of a section and what waits read no table in full', async () => {
  const url = await cloneDatabase()
  const { articles, consents, selections, sendingBudget, subscriberOverview } = openTestDatabase(url).stores
  const statements = recordStatements()
  await consents.list(1)
  await consents.updateErased(1)
  await subscriberOverview.listMails(1)
  await articles.listMostRead({ limit: 5, language: 'fr', atLeast: 10 })
  await sendingBudget.countWaiting(1)
  await selections.countUses({ id: 1, kind: 'section', slug: 'port', names: {}, descriptions: {} })
  expect(statements).toHaveLength(6)
  for (const statement of statements) {
    const plan = await planOf(url, `(generic_plan) ${statement}`)
    expect(plan).not.toMatch(
      /Seq Scan on (consents|outbox|activations|articles|article_totals|subscriptions)/,
    )
  }
})

test('views of an article in all stand beside it, and follow each change', async () => {
  const url = await cloneDatabase()
  const insert = (n: number, views: number) =>
    query(
      url,
      `insert into articles (external_id, guid, slug, short_code, language, title, html, state, published_at, first_public_at, content_sha256, views_total)
       values ($1, $1, $1, $1, 'fr', 'Le phare', '', 'published', now(), now(), '', $2)`,
      [`phare-${n}`, views],
    )
  for (const [n, views] of [0, 12, 40].entries()) await insert(n, views)
  const { articles, articleViews } = openTestDatabase(url).stores
  const order = async () => (await articles.listMostRead({ limit: 9 })).map(({ slug }) => slug)
  expect(await order()).toEqual(['phare-2', 'phare-1'])
  await articleViews.insert('phare-0', '2026-03-14', 50)
  expect(await order()).toEqual(['phare-0', 'phare-2', 'phare-1'])
  await query(url, `delete from articles where slug = 'phare-2'`)
  expect(await order()).toEqual(['phare-0', 'phare-1'])
})

test('among 8,000 articles the desk finds titles by their index, and pages through the newest by another', async () => {
  const url = await cloneDatabase()
  await query(
    url,
    `insert into articles (external_id, guid, slug, short_code, language, title, html, state, published_at, first_public_at, content_sha256)
     select n, n, n, n, case when n % 2 = 0 then 'ar' else 'fr' end, 'خبر ' || md5(n::text) || ' de la journée', '', 'published',
       now() - n * interval '1 minute', now(), '' from generate_series(1, 8000) n`,
  )
  await query(url, 'analyze articles')
  const { articles } = openTestDatabase(url).stores
  const statements = recordStatements()
  await articles.list({ limit: 30, after: undefined, text: 'ab12 JOURNEE' })
  await articles.list({
    limit: 30,
    after: ['2026-03-14T08:00:00.000Z', 7],
    state: 'published',
    language: 'ar',
  })
  const plans = await Promise.all(
    statements
      .filter((statement) => statement.includes('date_trunc'))
      .map((statement) => query(url, `explain (generic_plan) ${statement}`)),
  )
  expect(plans.map((rows) => JSON.stringify(rows))).toEqual([
    expect.stringContaining('articles_title_part'),
    expect.stringContaining('articles_dated'),
  ])
})

test('among 4,000 digests a report reads those of its newsletter and days alone, by index, and no deliveries', async () => {
  const url = await cloneDatabase()
  await query(
    url,
    `insert into newsletters (slug, name, language) select n, n, 'fr' from generate_series(1, 20) n`,
  )
  await query(
    url,
    `insert into digests (newsletter_id, cadence, state, audience, created_at, started_at)
     select 1 + n % 20, 'daily', 'completed', 10, at, at
     from generate_series(1, 4000) n, lateral (select now() - n * interval '3 hours' as at) t`,
  )
  await query(
    url,
    `insert into delivery_counts (digest_id, state, n) select n, 'accepted', 10 from generate_series(1, 4000) n`,
  )
  await query(
    url,
    `insert into bounces (digest_id, source, class, at) select n, 'dsn', 'dead', now() - n * interval '3 hours' from generate_series(1, 4000) n`,
  )
  await query(
    url,
    `insert into consents (newsletter_id, event, at)
     select 1 + n % 20, 'activated', now() - n * interval '1 hour' from generate_series(1, 8000) n`,
  )
  for (const table of ['digests', 'delivery_counts', 'bounces', 'consents'])
    await query(url, `analyze ${table}`)
  const { reports } = openTestDatabase(url).stores
  const statements = recordStatements()
  const since = new Date(Date.now() - 30 * 86_400_000)
  expect(await reports.listDigests(1, since)).toHaveLength(11)
  await reports.findDigest(1)
  await reports.listReaderDays(1, since, 'Africa/Algiers')
  const plans = await Promise.all(
    statements.map(async (statement) =>
      JSON.stringify(await query(url, `explain (generic_plan) ${statement}`)),
    ),
  )
  expect(plans).toHaveLength(3)
  for (const plan of plans) expect(plan).not.toMatch(/Seq Scan|deliveries/)
  for (const index of ['digests_started', 'delivery_counts_digest', 'bounces_digest'])
    expect(plans[0]).toContain(index)
  expect(plans[2]).toContain('consents_newsletter')
})

test('where a server keeps pg_trgm from us, the tables are made, and people are found all the same', async () => {
  const server = inject('postgresUrl')
  const name = `guest_${randomBytes(8).toString('hex')}`
  await createDatabaseNamed(server, name)
  const url = new URL(server)
  url.pathname = `/${name}`
  await query(server, `create role ${name} login password 'guest'`)
  await query(url.href, `grant create on schema public to ${name}`)
  onTestFinished(async () => {
    await query(server, `drop database ${name}`)
    await query(server, `drop role ${name}`)
  })
  url.username = name
  url.password = 'guest'
  await migrate(url.href)
  const { subscribers } = openTestDatabase(url.href).stores
  expect(await subscribers.hasPartIndex()).toBe(false)
  await query(
    url.href,
    `insert into subscribers (address, language) values ('100%_lou@rivage.example', 'fr')`,
  )
  const find = async (text: string) => (await subscribers.list({ text, before: undefined, limit: 9 })).length
  expect([await find('%_LOU@'), await find('100_lou'), await find('\\')]).toEqual([1, 0, 0])
})

test('a batch of people is looked up one by one, not by reading all who are known', async () => {
  const url = await cloneDatabase()
  await query(
    url,
    `insert into subscribers (address, address_hmac, key_id, language)
     select 'reader-' || n || '@reader.example', sha256(n::text::bytea), 'k', 'fr' from generate_series(1, 20000) n`,
  )
  await query(url, 'analyze subscribers')
  const { subscribers } = openTestDatabase(url).stores
  const batch = Array.from({ length: 500 }, (_, n) => `Reader-${n * 50}@reader.example`)
  const statements = recordStatements()
  const ids = await subscribers.lockByAddress([...batch, 'nobody@reader.example'])
  expect([...ids.keys()].sort()).toEqual(batch.slice(1, 401).sort())
  const statement = statements[0]?.replace('$1', `'{${batch.join(',')}}'`) ?? ''
  const plan = await query<{ 'QUERY PLAN': string }>(url, `explain ${statement}`)
  expect(plan.map((row) => row['QUERY PLAN']).join('\n')).not.toContain('Seq Scan on subscribers')
})

test('a night’s batch reads its rows alone, also where deliveries were counted last while there were none', async () => {
  const url = await cloneDatabase()
  await query(url, 'alter table deliveries set (autovacuum_enabled = false)')
  await query(url, 'vacuum analyze deliveries')
  await query(url, `insert into newsletters (slug, name, language) values ('hebdo', 'Hebdo', 'fr')`)
  await query(
    url,
    `insert into digests (newsletter_id, cadence, state) select 1, 'weekly', 'completed' from generate_series(1, 2)`,
  )
  await query(
    url,
    `insert into deliveries (digest_id, subscriber_id, state)
     select d, n, 'accepted' from generate_series(1, 2) d, generate_series(1, 10000) n`,
  )
  const statements = recordStatements()
  await openTestDatabase(url).transaction((tx) => tx.retention.moveDeliveries(1, 0, 100))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const plans: string[] = []
  for (const statement of statements.slice(0, -1)) {
    const values = ['1', '1', '100', '100', '1', '1']
    const text = statement.replaceAll(/\$(\d)/g, (_, n: string) => values[Number(n) - 1] ?? '')
    const isBatch = text.includes('delete from deliveries')
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(isBatch ? `explain ${text}` : text)
    if (isBatch) plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
  }
  await client.end()
  expect(plans).toEqual([
    expect.stringMatching(/Limit .*\n +-> {2}Index (Only )?Scan using deliveries_pkey on deliveries/),
  ])
})
