import { expect, test } from 'vitest'
import { findAddress, hashAddress } from '../../src/domain/subscribers/address.ts'
import { importCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber, testKeyring } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

const basis = 'moved from our old system'

async function aNewsroom() {
  const web = await aWeb()
  const newsletter = await aNewsletter(web.context.database, { slug: 'le-matin' })
  return { web, newsletter }
}

/** What each is here now: state, `suppressed` beside it, or nothing. */
async function standing(web: Web, domain = 'reader.example'): Promise<Record<string, string>> {
  const rows = await rowsOf<{ name: string; state: string }>(
    web,
    `select split_part(address, '@', 1) as name, coalesce(s.state, '') || coalesce(' ' || s.ended_reason, '') as state
     from subscribers p left join subscriptions s on s.subscriber_id = p.id
     where split_part(address, '@', 2) = $1 order by 1`,
    [domain],
  )
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]))
}

async function suppression(web: Web, text: string): Promise<string | undefined> {
  const address = findAddress(text)
  if (!address) throw new Error(text)
  return (await web.context.database.stores.suppressions.find(hashAddress(testKeyring, address)))?.reason
}

const exportsOf = [
  {
    system: 'MailPoet',
    csv: `Email,First name,Last name,List,Subscription status,Global status
active@reader.example,A,B,Lettre,Subscribed,Subscribed
left@reader.example,A,B,Lettre,Unsubscribed,Subscribed
bounced@reader.example,A,B,Lettre,Subscribed,Bounced
asked@reader.example,A,B,Lettre,Subscribed,Unconfirmed
asleep@reader.example,A,B,Lettre,Subscribed,Inactive`,
    ended: ['left', 'asleep'],
    suppressed: { bounced: 'bounced' },
    pending: ['asked'],
    ignored: ['First name', 'Last name', 'List'],
  },
  {
    system: 'MailPoet, as of today',
    csv: `"Email","First name","Subscription time","List status","Global status","List"
"active@reader.example","A","2020-01-02 03:04:05","subscribed","subscribed","Lettre"
"left@reader.example","A","2020-01-02 03:04:05","unsubscribed","subscribed","Lettre"
"twice@reader.example","A","2020-01-02 03:04:05","subscribed","subscribed","Lettre"
"twice@reader.example","A","2020-01-02 03:04:05","unsubscribed","subscribed","Autre"
"bounced@reader.example","A","2020-01-02 03:04:05","subscribed","bounced","Lettre"`,
    ended: ['left', 'twice'],
    suppressed: { bounced: 'bounced' },
    ignored: ['First name', 'Subscription time', 'List'],
  },
  {
    system: 'MailPoet in French',
    csv: `"E-mail","Prénom","Statut de la liste","Statut global"
"active@reader.example","A","subscribed","subscribed"
"left@reader.example","A","unsubscribed","subscribed"`,
    ended: ['left'],
    ignored: ['Prénom'],
  },
  {
    system: 'Mailchimp, who left',
    csv: `Email Address,First Name,MEMBER_RATING,OPTIN_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,LEID,TAGS
left@reader.example,A,2,2020-01-02 03:04:05,2024-02-03 04:05:06,News,1,
gone@reader.example,A,2,,2024-02-03 04:05:06,News,1,`,
    ended: ['left', 'gone'],
    ignored: ['First Name', 'MEMBER_RATING', 'UNSUB_CAMPAIGN_TITLE', 'LEID', 'TAGS'],
  },
  {
    system: 'Mailchimp, who was cleaned',
    csv: `Email Address,OPTIN_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE
bounced@reader.example,2020-01-02 03:04:05,2024-02-03 04:05:06,News`,
    suppressed: { bounced: 'bounced' },
    ignored: ['CLEAN_CAMPAIGN_TITLE'],
  },
  {
    system: 'listmonk',
    csv: `uuid,email,name,attributes,status,created_at,updated_at
1,active@reader.example,A,{},enabled,2024-01-01,2024-01-01
2,left@reader.example,A,{},disabled,2024-01-01,2024-01-01
3,blocked@reader.example,A,{},blocklisted,2024-01-01,2024-01-01`,
    ended: ['left'],
    suppressed: { blocked: 'manual' },
    ignored: ['uuid', 'name', 'attributes', 'created_at', 'updated_at'],
  },
  {
    system: 'Ghost',
    csv: `id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers
1,active@reader.example,A,,true,,,2024-01-01,,,
2,left@reader.example,A,,false,,,2024-01-01,,,
3,gone@reader.example,A,,true,,,2024-01-01,2024-05-05T01:02:03.000Z,,`,
    ended: ['left', 'gone'],
    ignored: [
      'id',
      'name',
      'note',
      'complimentary_plan',
      'stripe_customer_id',
      'created_at',
      'labels',
      'tiers',
    ],
  },
  {
    system: 'Substack: who does not pay has not left',
    csv: `email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at
active@reader.example,false,,other,false,2024-01-01T00:00:00.000Z,
left@reader.example,true,2030-01-01T00:00:00.000Z,yearly_x,true,2024-01-01T00:00:00.000Z,`,
    ended: ['left'],
    ignored: ['active_subscription', 'expiry', 'plan', 'created_at', 'first_payment_at'],
  },
  {
    system: 'a table in French',
    csv: `Adresse e-mail;Prénom;Statut
active@reader.example;A;Abonnée
left@reader.example;B;Désabonné
bounced@reader.example;C;Rebond
complained@reader.example;D;Plainte
asked@reader.example;E;Non confirmé`,
    ended: ['left'],
    suppressed: { bounced: 'bounced', complained: 'complained' },
    pending: ['asked'],
    ignored: ['Prénom'],
  },
  {
    system: 'a table in Arabic',
    csv: `البريد الإلكتروني;الحالة
active@reader.example;مشترك
left@reader.example;ملغى
bounced@reader.example;مُرتدّ
asked@reader.example;غير مؤكد`,
    ended: ['left'],
    suppressed: { bounced: 'bounced' },
    pending: ['asked'],
  },
  {
    system: 'tables in Spanish and German',
    csv: `Correo electrónico;Estado;Abo-Status
active@reader.example;Activo;angemeldet
left@reader.example;Dado de baja;
gone@reader.example;;Abgemeldet
bounced@reader.example;Rebotado;angemeldet
asked@reader.example;Activo;unbestätigt`,
    ended: ['left', 'gone'],
    suppressed: { bounced: 'bounced' },
    pending: ['asked'],
  },
]

test.each([{ name: 'asked' }, { name: 'on a basis', basis }])(
  'CSV import heeds what other systems say of each, $name',
  async ({ basis }) => {
    const { web } = await aNewsroom()
    for (const [
      index,
      { system, csv, ended = [], pending = [], suppressed = {}, ignored = [] },
    ] of exportsOf.entries()) {
      const domain = `system-${index}.example`
      const file = csv.replaceAll('reader.example', domain)
      const foretold = await importCsv(web, file, { isDryRun: true, basis })
      expect([system, await standing(web, domain)]).toEqual([system, {}])
      const report = await importCsv(web, file, { basis })
      expect([system, report]).toEqual([system, foretold])
      expect([system, report]).toMatchObject([
        system,
        {
          ended: ended.length,
          suppressed: Object.keys(suppressed).length,
          invalid: 0,
          ignoredColumns: ignored,
        },
      ])
      const active = csv.includes('active@') ? { active: basis === undefined ? 'pending' : 'active' } : {}
      const expected = {
        ...active,
        ...Object.fromEntries(ended.map((name) => [name, 'ended unsubscribed'])),
        ...Object.fromEntries(pending.map((name) => [name, 'pending'])),
      }
      expect([system, await standing(web, domain)]).toEqual([system, expected])
      for (const [name, reason] of Object.entries(suppressed))
        expect([system, await suppression(web, `${name}@${domain}`)]).toEqual([system, reason])
      // Only who is pending is mailed, and a second file without the words brings nobody back.
      const asked = basis === undefined ? Object.keys(active).length + pending.length : pending.length
      expect(
        await rowsOf(web, 'select id from activations where address like $1', [`%${domain}`]),
      ).toHaveLength(asked)
      const everybody = [...file.matchAll(/[a-z]+@[a-z0-9.-]+/g)].map(([address]) => address)
      await importCsv(web, `email\n${everybody.join('\n')}\n`, { basis })
      expect([system, await standing(web, domain)]).toEqual([system, expected])
    }
  },
)

test('CSV import: an unknown state is an error that names the word; nothing is imported of its row', async () => {
  const { web } = await aNewsroom()
  const report = await importCsv(
    web,
    'email,status\na@reader.example,VIP\nb@reader.example,Subscribed\nc@reader.example,\n',
    { basis },
  )
  expect(report).toMatchObject({
    active: 2,
    invalid: 1,
    errors: [{ line: 2, field: 'status', message: expect.stringContaining('“VIP”') as string }],
    statusWords: [{ column: 'status', word: 'Subscribed', means: 'active', rows: 1 }],
  })
  expect(await standing(web)).toEqual({ b: 'active', c: 'active' })
})

test('CSV import: a French state may be of a man and a woman', async () => {
  const { web } = await aNewsroom()
  const rows = ['a@reader.example,Abonné(e)', 'b@reader.example,Désinscrit·e', 'c@reader.example,Désabonné.e']
  await importCsv(web, `email,statut\n${rows.join('\n')}\n`, { basis })
  expect(await standing(web)).toEqual({ a: 'active', b: 'ended unsubscribed', c: 'ended unsubscribed' })
})

test('CSV import: a column "state" beside a city is a part of a country', async () => {
  const { web } = await aNewsroom()
  expect(await importCsv(web, 'email,City,State\na@reader.example,Austin,TX\n', { basis })).toMatchObject({
    active: 1,
    ignoredColumns: ['City', 'State'],
  })
})

test('CSV import: Mailchimp’s files put together keep each row’s own state; one of them with a gap is told', async () => {
  const { web } = await aNewsroom()
  const both =
    'Email Address,UNSUB_TIME,CLEAN_TIME\na@reader.example,,\nb@reader.example,2024-01-01 00:00:00,\nc@reader.example,,2024-01-01 00:00:00\n'
  expect(await importCsv(web, both, { basis })).toMatchObject({ active: 1, ended: 1, suppressed: 1 })
  expect(await importCsv(web, 'Email Address,UNSUB_TIME\nd@reader.example,\n', { basis })).toMatchObject({
    active: 0,
    invalid: 1,
    errors: [{ line: 2, field: 'UNSUB_TIME' }],
  })
})

test.each([{ order: ['', 'Unsubscribed'] }, { order: ['Unsubscribed', ''] }])(
  'CSV import: who stands twice in a file and left in one row is not mailed, $order',
  async ({ order }) => {
    const { web } = await aNewsroom()
    const csv = `email,status\n${order.map((word) => `a@reader.example,${word}`).join('\n')}\n`
    const foretold = await importCsv(web, csv, { isDryRun: true })
    expect(await importCsv(web, csv)).toEqual(foretold)
    await web.context.services.signupDecisions.decideAll()
    expect(await standing(web)).toEqual({ a: 'ended unsubscribed' })
    expect(await rowsOf(web, 'select id from outbox')).toEqual([])
  },
)

test('CSV import: no activation mail of an import goes while it runs, for a later row may say who left', async () => {
  const { web } = await aNewsroom()
  await importCsv(web, 'email\na@reader.example\n')
  const { id } = await web.context.database.transaction(async (tx) => {
    const made = await tx.imports.insert({ actor: 'cli', isDryRun: false, basis: undefined })
    await tx.imports.markWaiting(made, { format: {}, lines: 0 })
    return { id: made }
  })
  expect(await web.context.services.signupDecisions.decideAll()).toBe(0)
  await web.context.database.stores.imports.delete(id)
  expect(await web.context.services.signupDecisions.decideAll()).toBe(1)
})

test('CSV import: another system’s goodbye ends what an import brought, not what a reader confirmed here', async () => {
  const { web, newsletter } = await aNewsroom()
  const { database } = web.context
  await importCsv(web, 'email\nmoved@reader.example\n', { basis })
  for (const name of ['confirmed', 'angry']) {
    const { id } = await aSubscriber(database, { address: `${name}@reader.example`, newsletter })
    await database.stores.consents.insert({
      event: 'activated',
      subscriberId: id,
      newsletterIds: [newsletter.id],
    })
  }
  const csv =
    'email,status\nmoved@reader.example,Unsubscribed\nconfirmed@reader.example,Bounced\nangry@reader.example,Complained\n'
  const foretold = await importCsv(web, csv, { isDryRun: true })
  expect(await importCsv(web, csv)).toEqual(foretold)
  expect(foretold).toMatchObject({ ended: 1, known: 1, suppressed: 1 })
  expect(await standing(web)).toEqual({
    moved: 'ended unsubscribed',
    confirmed: 'active',
    angry: 'ended complained',
  })
  expect([
    await suppression(web, 'confirmed@reader.example'),
    await suppression(web, 'angry@reader.example'),
  ]).toEqual([undefined, 'complained'])
})

test('CSV import: whom another system suppressed is kept as an HMAC alone', async () => {
  const { web } = await aNewsroom()
  await importCsv(web, 'email,status\nbounced@reader.example,Cleaned\n', { basis })
  expect(await rowsOf(web, 'select address from subscribers')).toEqual([])
  expect(await rowsOf(web, 'select reason, detail from suppressions')).toEqual([
    { reason: 'bounced', detail: 'import 1' },
  ])
})
