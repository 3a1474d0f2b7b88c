import { expect, test } from 'vitest'
import { findAddress, hashAddress } from '../../src/domain/subscribers/address.ts'
import type { SuppressionReason } from '../../src/domain/deliverability/suppression.ts'
import { importCsv, type ImportWish } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber, testKeyring } from '../support/subscribers.ts'
import { until } from '../support/until.ts'
import { aWeb, type Web } from '../support/web.ts'

/** A newsroom with two newsletters, and people in every state that an import may meet. */
async function aNewsroom() {
  const web = await aWeb()
  const { database } = web.context
  const newsletter = await aNewsletter(database, { slug: 'le-matin' })
  await aNewsletter(database, { slug: 'le-soir' })
  await aSubscriber(database, { address: 'Waits@reader.example', newsletter, state: 'pending' })
  await aSubscriber(database, { address: 'reads@reader.example', newsletter })
  await aSubscriber(database, { address: 'left@reader.example', newsletter, ended: 'unsubscribed' })
  for (const reason of ['bounced', 'complained', 'erased', 'manual'] as const) {
    await suppress(web, `${reason}@reader.example`, reason)
  }
  return web
}

const suppress = ({ context }: Web, address: string, reason: SuppressionReason) =>
  context.database.stores.suppressions.put(hashesOf(address), { reason })

function hashesOf(address: string) {
  const parsed = findAddress(address)
  if (!parsed) throw new Error(`${address} is not an address`)
  return hashAddress(testKeyring, parsed)
}

const rows = [
  'waits@reader.example,le-matin',
  'reads@reader.example,le-matin',
  'READS@reader.example,le-matin le-soir',
  'left@reader.example,le-matin',
  'left@reader.example,le-soir',
  'bounced@reader.example,le-matin',
  'complained@reader.example,le-matin',
  'Erased@reader.example,le-matin',
  'manual@reader.example,le-matin',
  'not an address,le-matin',
  'new@reader.example,le-matin',
  'New@reader.example,le-matin',
  'new@reader.example,le-soir',
  'new@reader.example,le-midi',
  // More than one transaction, and the last of them names someone of the first.
  ...Array.from({ length: 1_010 }, (_, index) => `reader-${index}@import.example,le-matin`),
  'READER-0@import.example,le-matin',
]

const importRows = (web: Web, lines: string[], wish: ImportWish = {}) =>
  importCsv(web, `email,newsletters\n${lines.join('\n')}\n`, wish)

const outcome = (web: Web) =>
  rowsOf(
    web,
    `select lower(address) as address, slug, s.state, s.activated_at is not null as activated,
      array(select event || coalesce(basis, '') from consents c
        where c.newsletter_id = n.id and (c.subscriber_id = p.id or c.activation_id in
          (select id from activations a where a.subscriber_id = p.id)) order by c.id) as consents
     from subscribers p join subscriptions s on s.subscriber_id = p.id join newsletters n on n.id = s.newsletter_id
     order by lower(address) collate "C", slug`,
  )

test.each([
  { name: 'pending', basis: {}, promised: { pending: 1_014, active: 0 } },
  { name: 'active', basis: { basis: 'moved from our old system' }, promised: { pending: 0, active: 1_014 } },
])('CSV import: a dry run foretells what the import then does, $name', async ({ basis, promised }) => {
  const web = await aNewsroom()
  const foretold = await importRows(web, rows, { isDryRun: true, ...basis })
  expect(foretold).toMatchObject({ rows: 1_025, known: 4, left: 1, suppressed: 4, invalid: 2, ...promised })
  expect(foretold.errors.map(({ line }) => line)).toEqual([11, 15])
  expect(await importRows(web, rows, basis)).toEqual(foretold)
  // Whoever is suppressed or left stays so, and the rest are known now.
  expect(await importRows(web, rows, basis)).toMatchObject({ pending: 0, active: 0, left: 1, known: 1_018 })
})

test.each([{ name: 'pending' }, { name: 'active', basis: 'moved from our old system' }])(
  'CSV import: many rows at once become what they become one by one, $name',
  async ({ basis }) => {
    const options = basis === undefined ? {} : { basis }
    const few = rows.slice(0, 20)
    const together = await aNewsroom()
    await importRows(together, few, options)
    const apart = await aNewsroom()
    for (const row of few) await importRows(apart, [row], options)
    expect(await outcome(together)).toEqual(await outcome(apart))
  },
)

test('CSV import: whoever leaves or is erased while it runs stays away', async () => {
  const web = await aNewsroom()
  const { database } = web.context
  const newsletter = await database.stores.newsletters.getBySlug('le-matin')
  const leaving = await aSubscriber(database, { address: 'leaving@reader.example' })
  const erased = await aSubscriber(database, { address: 'gone@reader.example' })
  const { importing } = await database.transaction(async (tx) => {
    await tx.subscribers.lock(leaving.id)
    await tx.subscribers.lock(erased.id)
    const started = importRows(web, [leaving.address, erased.address], { basis: 'moved from our old system' })
    await until('the import waits', async () => (await waiting(web)) === 1)
    const key = { subscriberId: leaving.id, newsletterId: newsletter.id }
    await tx.subscriptions.activate(key, { cadence: 'daily', alerts: false, sections: [] }, new Date())
    await tx.subscriptions.markEnded(leaving.id, 'unsubscribed')
    await tx.suppressions.put(hashesOf(erased.address), { reason: 'erased' })
    await tx.personalData.delete(erased.id)
    return { importing: started }
  })
  expect(await importing).toMatchObject({ active: 0, left: 1, suppressed: 1 })
  expect(
    await rowsOf(web, "select * from subscriptions where state = 'active' and subscriber_id <> 2"),
  ).toEqual([])
})

test('CSV import: a file that cannot be read to its end keeps what came before, and says where it stopped', async () => {
  const web = await aNewsroom()
  const good = Array.from({ length: 600 }, (_, index) => `reader-${index}@import.example,le-matin`)
  const broken = [...good, '"open@import.example,le-matin', 'after@import.example,le-matin']
  const report = { rows: 601, pending: 600, invalid: 1 }
  expect(await importRows(web, broken, { isDryRun: true })).toMatchObject(report)
  expect(await importRows(web, broken)).toMatchObject({
    ...report,
    errors: [{ line: 602, message: expect.stringContaining('nothing can be read from here on') as string }],
  })
  expect(
    await rowsOf(
      web,
      "select detail->'pending' as pending from audit where action = 'subscribers.imported' and not (detail->'dryRun')::boolean",
    ),
  ).toEqual([{ pending: 600 }])
})

test('CSV import: an address whose lower case is disputed is the same person everywhere', async () => {
  const web = await aNewsroom()
  const addresses = ['ΟΔΥΣΣΕΥΣ@reader.example', 'İnci@reader.example', 'STRAẞE@reader.example']
  await suppress(web, 'οδυσσευσ@reader.example', 'complained')
  const lines = addresses.map((address) => `${address},le-matin`)
  const basis = { basis: 'moved from our old system' }
  const report = { rows: 3, active: 2, suppressed: 1, known: 0 }
  expect(await importRows(web, lines, { ...basis, isDryRun: true })).toMatchObject(report)
  expect(await importRows(web, lines, basis)).toMatchObject(report)
  for (const address of addresses.slice(1)) {
    const known = await web.context.database.stores.subscribers.findByAddress(address)
    expect(known?.address).toBe(address)
  }
  expect(await importRows(web, lines, basis)).toMatchObject({ active: 0, known: 2, suppressed: 1 })
})

test('CSV import: a NUL in the words of consent is an error of its row', async () => {
  const web = await aNewsroom()
  const source =
    'email,newsletters,consent_source\na@import.example,le-matin,fo\0rm\nb@import.example,le-matin,form\n'
  const report = await importCsv(web, source)
  expect(report).toMatchObject({ pending: 1, invalid: 1, errors: [{ line: 2 }] })
})

test('CSV import: activation mails go at 1,200 an hour, across batches and behind the import before', async () => {
  const web = await aNewsroom()
  const named = (prefix: string, length: number) =>
    Array.from({ length }, (_, index) => `${prefix}-${index}@import.example,le-matin`)
  await importRows(web, named('first', 1_001))
  await importRows(web, named('second', 3))
  const [span] = await rowsOf<{ firsts: number; gap: number; seconds: number }>(
    web,
    `select extract(epoch from max(decide_at) filter (where address ~ '^first')
         - min(decide_at) filter (where address ~ '^first'))::int as firsts,
       extract(epoch from min(decide_at) filter (where address ~ '^second')
         - max(decide_at) filter (where address ~ '^first'))::int as gap,
       extract(epoch from max(decide_at) filter (where address ~ '^second')
         - min(decide_at) filter (where address ~ '^second'))::int as seconds
     from activations where form = 'import'`,
  )
  expect(span).toEqual({ firsts: 3_000, gap: 3, seconds: 6 })
})

const waiting = async (web: Web) => {
  const [row] = await rowsOf<{ n: number }>(
    web,
    `select count(*)::int as n from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock' and query like '%for update%'`,
  )
  return row?.n
}
