import { expect, test } from 'vitest'
import { seedSampleNewsroom } from '../../src/embedded/sample/seed.ts'
import {
  aPage,
  desktop,
  fitsEverywhere,
  lightOf,
  listViolations,
  phone,
  type BrowserPage,
} from '../support/browser.ts'
import { cloneDatabase } from '../support/database.ts'
import { signedIn } from '../support/desk.ts'
import { query } from '../support/sending-digest.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const shots = process.env['SCREENSHOTS']

/** How the one sent digest stands, and its deliveries by the number of each. */
const states = {
  sending: {
    digest: `state = 'sending', completed_at = null`,
    deliveries: `case when n <= 12 then 'accepted' when n <= 14 then 'rejected' when n = 15 then 'deferred' when n = 16 then 'claimed' else 'pending' end`,
  },
  paused: {
    digest: `state = 'paused', resume_state = 'sending', paused_reason = 'refused'`,
    deliveries: `case when n <= 12 then 'accepted' when n <= 14 then 'rejected' else 'pending' end`,
  },
  completed: {
    digest: `state = 'completed', completed_at = now(), resume_state = null, paused_reason = null`,
    deliveries: `case when n <= 14 then 'accepted' when n <= 16 then 'rejected' when n = 17 then 'expired' else 'skipped' end`,
  },
  completed_with_uncertain: {
    digest: `state = 'completed_with_uncertain', completed_at = now()`,
    deliveries: `case when n <= 17 then 'accepted' when n <= 19 then 'rejected' else 'uncertain' end`,
  },
}
type State = keyof typeof states

/** A newsroom of some weeks: a digest on its way, bounces of several domains, people who came and went. */
async function aFilledDesk() {
  const databaseUrl = await cloneDatabase()
  const web = await aWeb({ databaseUrl, env: { MAILBOX_URL: 'http://localhost:8025/' } })
  const { database, services } = web.context
  await seedSampleNewsroom(web.context)
  const newsletter = await services.newsletters.get('le-matin')
  for (let n = 0; n < 14; n += 1) await aSubscriber(database, { newsletter })
  const draft = await services.digests.compose('le-matin', { cadence: 'daily' }, cli)
  await services.digestTransitions.send(draft.id, {
    actor: cli,
    version: () => draft.version,
    idempotencyKey: 'click',
    body: {},
  })
  await services.preparing.prepare(draft.id)
  await query(
    databaseUrl,
    `insert into bounces (at, subscriber_id, source, class, status, domain)
     select now() - make_interval(days => n % 29), 1 + n % 3, case when n % 9 = 0 then 'arf' when n % 2 = 0 then 'smtp' else 'dsn' end,
       case when n % 9 = 0 then 'complaint' else (array['dead', 'full', 'policy', 'transient'])[1 + n % 4] end, '5.1.1',
       (array['poste.example', 'mail.example', 'a-very-long-name-of-a-provider-of-mailboxes.example'])[1 + n % 3]
     from generate_series(1, 60) n`,
  )
  const shape = async (state: State) => {
    await query(databaseUrl, `update digests set ${states[state].digest} where id = $1`, [draft.id])
    await query(
      databaseUrl,
      `update deliveries d set attempt = 1, state = s.state, ambiguous = case when s.state = 'uncertain' then 1 else 0 end,
         reason = case when s.state = 'uncertain' then 'no_answer' when s.state = 'skipped' then 'left' end,
         smtp_answer = case s.state when 'rejected' then '550 5.1.1 no such user' when 'accepted' then '250 2.0.0 Ok' end,
         accepted_at = case when s.state = 'accepted' then now() - make_interval(days => (n % 12)::int) end,
         next_at = case when s.state = 'deferred' then now() + interval '5 minutes' end,
         lease_token = case when s.state = 'claimed' then gen_random_uuid() end,
         lease_until = case when s.state = 'claimed' then now() + interval '1 hour' end
       from (select subscriber_id, n, ${states[state].deliveries} as state
             from (select subscriber_id, row_number() over (order by subscriber_id) as n from deliveries where digest_id = $1) r) s
       where d.digest_id = $1 and d.subscriber_id = s.subscriber_id`,
      [draft.id],
    )
  }
  const desk = await signedIn(web, 'admin')
  return { web, desk, shape, path: `/desk/digests/${draft.id}` }
}

const inspect = async (page: BrowserPage, url: string, name: string) => {
  await page.goto(url)
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })
  expect(await listViolations(page), name).toEqual([])
  expect(await fitsEverywhere(page), name).toBe(true)
}

const devices = { phone, desktop }

test.for([
  ['fr', 'phone'],
  ['ar', 'phone'],
  ['en', 'desktop'],
] as const)(
  'a desk full of work, %s on a %s: no axe violation and nothing too wide, whatever the state',
  async ([language, device]) => {
    const { web, desk, shape, path } = await aFilledDesk()
    await desk.post('/settings/language', { language })
    const page = await aPage({ ...devices[device], colorScheme: lightOf(language) })
    const [cookie = '', value = ''] = desk.cookie.split('=')
    await page.context().addCookies([{ name: cookie, value, url: web.origin }])
    const at = async (place: string, name: string) => {
      await inspect(page, web.origin + place, `${name}-${device}-${language}`)
    }

    await at('/desk/digests/1', 'draft')
    for (const state of Object.keys(states) as State[]) {
      await shape(state)
      await at(path, state)
      await at('/desk', `today-${state}`)
    }
    expect(await page.locator('.warnings li').count()).toBeGreaterThan(0)
    await at(`${path}?deliveries=uncertain`, 'uncertain')
    await at('/desk/deliverability', 'deliverability')
    expect(await page.locator('figure rect').count()).toBe(60)
    await at('/desk/subscribers', 'growth')
    expect(await page.locator('.chart').count()).toBeGreaterThan(1)
    await at('/desk/newsletters/le-matin/report', 'report')
    await at('/desk/subscribers/1', 'person')
    await at('/newsletters/le-matin', 'archive')
    expect(page.faults).toEqual([])
  },
)
