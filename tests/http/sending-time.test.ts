import { expect, test } from 'vitest'
import type { DigestShape } from '../../src/services/digests/shape.ts'
import { anArticle } from '../support/articles.ts'
import { depeche } from '../support/cli.ts'
import { cloneDatabase } from '../support/database.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

/** A draft for 30 readers, while a mail of somebody else waits. */
async function aDraft(rate: string | undefined) {
  const databaseUrl = await cloneDatabase()
  const web = await aWeb({ databaseUrl, env: rate === undefined ? {} : { SMTP_RATE: rate } })
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  await anArticle(database, { title: 'Le phare se rallume' })
  for (let n = 0; n < 30; n++) await aSubscriber(database, { newsletter })
  await database.stores.outbox.insert({ kind: 'address-changed', address: 'desk@rivage.example' })
  const cli = { kind: 'cli', role: 'admin' } as const
  const { id } = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  const call = await web.api('editor')
  const get = async () => (await (await call('GET', `/digests/${id}`)).json()) as DigestShape
  const page = async (language: 'fr' | 'ar' | 'en') => {
    const desk = await signedIn(web, 'editor')
    await query(databaseUrl, 'update editors set language = $1', [language])
    return (await desk.get(`/digests/${id}`)).text()
  }
  return { id, get, page, database, databaseUrl }
}

test('without SMTP_RATE, and before a first digest, nothing is said', async () => {
  const { get, page } = await aDraft(undefined)
  expect((await get()).sendingTime).toBeNull()
  expect(await page('en')).not.toContain('The mail server takes')
})

test('a digest says before it is sent how long it takes, by API, on the desk and on the command line', async () => {
  const { id, get, page, databaseUrl } = await aDraft('14/s 10/h')
  // Nine an hour, for one is kept for people; 31 wait.
  const hours = 3 * (3_600 + 60 + 30)
  expect((await get()).sendingTime).toEqual({
    rate: '14/s 10/h',
    seconds: expect.closeTo(hours, -1) as number,
    ahead: 1,
    fits: true,
  })
  expect(await page('fr')).toMatch(
    /accepte \S*14\/s 10\/h\S*\s:\sil faudra environ 3\sheures.* 1 e-mail attend/,
  )
  expect(await page('ar')).toMatch(/يقبل خادم الإرسال .*14\/s 10\/h.*ساعات/)
  const english = await page('en')
  expect(english).toMatch(/about 3 hours until everybody has it/)
  expect(english).not.toContain('longer than this digest lasts')
  const env = { SMTP_RATE: '14/s 10/h' }
  const status = await depeche(databaseUrl, ['digest', 'status', String(id)], env)
  expect(status.stdout).toContain('takes     about 3 h at 14/s 10/h, with what waits already (1)')
  const preview = await depeche(databaseUrl, ['digest', 'preview', String(id)], env)
  expect(preview.stderr).toContain('takes     about 3 h')
  const sent = await depeche(databaseUrl, ['digest', 'send', String(id), '--no-wait'], env)
  expect(sent.stderr).toContain('takes     about 3 h')
})

test('without SMTP_RATE the last digests tell the pace: the quickest, but none of a few readers, or stopped', async () => {
  const { get, page, databaseUrl } = await aDraft(undefined)
  await query(
    databaseUrl,
    `insert into digests (newsletter_id, cadence, state, audience, started_at, completed_at)
     select 1, 'daily', state, audience, now() - make_interval(secs => seconds), now() from (values
       ('completed', 600, 36000), ('completed_with_uncertain', 100, 10000), ('completed', 99, 1), ('cancelled', 900, 1)
     ) as v (state, audience, seconds)`,
  )
  // 31 wait; the quicker of the two took a minute and 40 seconds for each reader.
  expect((await get()).sendingTime).toEqual({ rate: null, seconds: 1_860, ahead: 1, fits: true })
  expect(await page('fr')).toMatch(/environ 31\sminutes .* au rythme des derniers envois/)
})

test('one that will not fit into a day says so, and what was sent today counts', async () => {
  const { get, page, database } = await aDraft('40/d')
  expect((await get()).sendingTime).toMatchObject({ seconds: 0, fits: true })
  const slice = Math.floor(Date.now() / (24 * 60_000))
  await database.stores.sendingBudget.put(0, { nextAt: 0, yieldUntil: 0, slices: { d: [[slice, 20]] } })
  const { sendingTime } = await get()
  expect(sendingTime?.fits).toBe(false)
  expect(sendingTime?.seconds).toBeGreaterThan(86_400)
  expect(await page('en')).toMatch(/role="status">The mail server takes .* longer than this digest lasts/)
})
