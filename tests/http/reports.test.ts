import { expect, test } from 'vitest'
import { cloneDatabase } from '../support/database.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

/** Two digests: one just after midnight in Algiers, an hour ahead of UTC, and one the evening after. */
async function aNewsroom() {
  const databaseUrl = await cloneDatabase()
  const now = new Date('2026-11-28T20:00:00Z')
  const web = await aWeb({ databaseUrl, now: () => now })
  const { database } = web.context
  const newsletter = await aNewsletter(database, { name: 'Le Matin' })
  const other = await aNewsletter(database, { slug: 'autre' })
  const ids: number[] = []
  for (let n = 0; n < 5; n += 1) ids.push((await aSubscriber(database)).id)
  const send = async (newsletterId: number, startedAt: string, states: string[]) => {
    const [digest] = await query<{ id: string }>(
      databaseUrl,
      `insert into digests (newsletter_id, cadence, state, audience, started_at, completed_at, created_at, frozen)
       values ($1, 'daily', 'completed', $2, $3, $3, $3, '{"subject": "Le phare"}') returning id`,
      [newsletterId, states.length, startedAt],
    )
    for (const [n, state] of states.entries())
      await query(
        databaseUrl,
        `insert into deliveries (digest_id, subscriber_id, state, accepted_at)
         values ($1, $2, $3::text, case when $3::text = 'accepted' then $4::timestamptz end)`,
        [digest?.id, ids[n], state, startedAt],
      )
    return Number(digest?.id)
  }
  const first = await send(newsletter.id, '2026-11-26T23:30:00Z', [
    'accepted',
    'accepted',
    'accepted',
    'rejected',
  ])
  const second = await send(newsletter.id, '2026-11-27T20:00:00Z', ['accepted', 'accepted', 'accepted'])
  await send(other.id, '2026-11-27T21:00:00Z', ['accepted', 'accepted'])
  await query(
    databaseUrl,
    `insert into bounces (at, digest_id, source, class) values
       ('2026-11-27T08:00:00Z', $1, 'dsn', 'dead'), ('2026-11-28T08:00:00Z', $1, 'arf', 'complaint'),
       ('2026-11-27T23:10:00Z', $2, 'smtp', 'dead')`,
    [first, second],
  )
  const consents = [
    ['2026-11-27T09:00:00Z', 'activated', null],
    ['2026-11-27T10:00:00Z', 'ended', 'unsubscribed'],
    // Not by their own wish.
    ['2026-11-27T11:00:00Z', 'ended', 'bounced'],
    ['2026-11-27T23:30:00Z', 'ended', 'unsubscribed'],
    ['2026-11-28T09:00:00Z', 'imported', null],
    ['2026-11-28T10:00:00Z', 'restored', null],
    ['2026-10-01T10:00:00Z', 'activated', null],
  ]
  for (const [at, event, reason] of consents)
    await query(
      databaseUrl,
      `insert into consents (at, event, reason, newsletter_id, subscriber_id) values ($1, $2, $3, $4, $5)`,
      [at, event, reason, newsletter.id, ids[0]],
    )
  return { web, newsletter, first, second, databaseUrl }
}

test('a report says by days of the publication what became of each digest, and who came and left until the next', async () => {
  const { web, newsletter, first, second } = await aNewsroom()
  const call = await web.api('viewer')
  const get = async (path: string) => (await call('GET', path)).json() as Promise<Record<string, unknown>>
  const report = await get(`/newsletters/${newsletter.slug}/report?days=3`)
  const outcome = { accepted: 3, rejected: 1, returned: 1, complaints: 1, joined: 1, left: 1 }
  const later = { accepted: 3, rejected: 0, returned: 0, complaints: 0, joined: 2, left: 1 }
  const both = { accepted: 6, rejected: 1, returned: 1, complaints: 1 }
  expect(report).toEqual({
    newsletter: newsletter.slug,
    zone: 'Africa/Algiers',
    totals: { ...both, joined: 3, left: 2 },
    days: [
      { date: '2026-11-26', accepted: 0, rejected: 0, returned: 0, complaints: 0, joined: 0, left: 0 },
      { date: '2026-11-27', ...both, joined: 1, left: 1 },
      { date: '2026-11-28', accepted: 0, rejected: 0, returned: 0, complaints: 0, joined: 2, left: 1 },
    ],
    digests: [
      { id: second, subject: 'Le phare', startedAt: '2026-11-27T20:00:00.000Z', ...later },
      { id: first, subject: 'Le phare', startedAt: '2026-11-26T23:30:00.000Z', ...outcome },
    ],
  })
  expect(await get(`/digests/${first}/report`)).toMatchObject(outcome)
  const deliverability = await web.context.services.deliverability.report(2)
  expect(deliverability.byDay).toEqual([
    { date: '2026-11-27', up: 8, down: 1 },
    { date: '2026-11-28', up: 0, down: 2 },
  ])
})

test('the desk draws it, with axis, dates and a table, and shows a digest its own', async () => {
  const { web, newsletter, first, databaseUrl } = await aNewsroom()
  const desk = await signedIn(web, 'viewer')
  const page = await (await desk.get(`/newsletters/${newsletter.slug}/report`)).text()
  expect(page.match(/<rect /g)).toHaveLength(2 * 2 * 30)
  expect(page).toMatch(/30 octobre 2026<\/span> <span>28 novembre 2026/)
  expect(page).toMatch(/<th scope="row">27 novembre 2026<\/th><td>6<\/td><td>3<\/td>/)
  expect(page).toContain(`href="/desk/digests/${first}"`)
  await query(databaseUrl, 'update digests set frozen = null')
  const shown = await (await desk.get(`/digests/${first}`)).text()
  expect(shown).toMatch(/class="returned"><dt>Revenus\s*<\/dt><dd>1</)
  await query(databaseUrl, `update publication set zone = 'America/Montevideo'`)
  expect(await (await desk.get(`/newsletters/${newsletter.slug}/report`)).text()).toContain(
    '<span>28 novembre 2026',
  )
})

test('/desk/growth leads to who came and who left, week by week', async () => {
  const { web } = await aNewsroom()
  const desk = await signedIn(web, 'viewer')
  const answer = await desk.get('/growth')
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/desk/subscribers#growth'])
  expect(await (await desk.get('/subscribers')).text()).toContain('id="growth"')
})
