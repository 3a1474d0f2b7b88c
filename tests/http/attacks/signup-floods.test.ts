import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createLogger } from '../../../src/log.ts'
import { signedIn } from '../../support/desk.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { rowsOf } from '../../support/query.ts'
import { aWeb, type Web } from '../../support/web.ts'

/** Requests that were mailed a while ago, each at a domain of its own unless one is named. */
const mailed = (web: Web, times: number, { domain = '', ago = '10 minutes' }) =>
  rowsOf(
    web,
    `insert into activations (address, limit_hmac, key_id, language, wanted, form, created_at, decide_at, decided_at,
       mailed_at, decision, expires_at)
     select 'reader-' || n || '@' || coalesce(nullif($2, ''), 'd' || n || '.example'), '\\x00', 'k', 'fr', '{}', 'page',
       at, at, at, at, 'mailed', now() + interval '7 days'
     from generate_series(1, $1::int) n, (select now() - $3::interval as at) earlier`,
    [times, domain, ago],
  )

const signUp = (web: Web, email: string) =>
  web.fetch('/subscribe', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email }),
  })

const decisions = (web: Web) =>
  rowsOf(web, "select address, decision from activations where wanted <> '{}' order by address")

test('a flood at one domain holds that domain back, in the same answer, and loses nothing', async () => {
  const lines: string[] = []
  const log = createLogger('warn', 'worker', { destination: { write: (line) => lines.push(line) } })
  const web = await aWeb({ log })
  await aNewsletter(web.context.database)
  await mailed(web, 300, { domain: 'flooded.example' })
  // Where a pattern would read more than a name.
  await mailed(web, 300, { domain: 'r_ader.example' })
  const answers = []
  for (const email of ['amina@flooded.example', 'omar@reader.example']) {
    const answer = await signUp(web, email)
    answers.push([answer.status, await answer.text()])
  }
  expect(answers[0]).toEqual(answers[1])
  for (let rings = 0; rings < 3; rings++) await web.context.services.signupDecisions.decideAll()
  // Each of the rings of a flood finds it held.
  expect(lines.filter((line) => line.includes('far more signups'))).toHaveLength(1)
  expect(await decisions(web)).toEqual([
    { address: 'amina@flooded.example', decision: null },
    { address: 'omar@reader.example', decision: 'mailed' },
  ])
  await rowsOf(web, "update activations set decided_at = decided_at - interval '1 hour' where wanted = '{}'")
  await web.context.services.signupDecisions.decideAll()
  expect(await decisions(web)).toMatchObject([{ decision: 'mailed' }, { decision: 'mailed' }])
})

test('a backlog goes out as the hour allows, not at once; the desk is told of what waits', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database)
  await mailed(web, 295, { domain: 'flooded.example' })
  const requests = Array.from({ length: 14 }, (_, n) => signUp(web, `reader-${n}@flooded.example`))
  for (const answer of await Promise.all(requests)) expect(answer.status).toBe(202)
  const viewer = await signedIn(web, 'viewer')
  await web.context.database.stores.workers.put(randomUUID())
  const today = async () => (await viewer.get('')).text()
  expect(await today()).not.toContain('flooded.example')
  await rowsOf(
    web,
    "update activations set decide_at = decide_at - interval '11 minutes' where wanted <> '{}'",
  )
  const decided = await web.context.services.signupDecisions.decideAll()
  // Those that were being decided side by side when the last place was taken.
  expect(decided).toBeGreaterThanOrEqual(5)
  expect(decided).toBeLessThan(5 + 4)
  expect(await today()).toContain(`${14 - decided} inscriptions attendent leur e-mail de confirmation`)
  await rowsOf(web, "update activations set decided_at = decided_at - interval '1 hour' where wanted = '{}'")
  expect(await web.context.services.signupDecisions.decideAll()).toBe(14 - decided)
  expect(await today()).not.toContain('flooded.example')
})

test('an organisation is one, whatever it writes before its domain; the organisations beside it are others', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database)
  for (let n = 0; n < 30; n++) await mailed(web, 10, { domain: `s${n}.catch.co.uk` })
  for (const domain of ['new.catch.co.uk', 'catch.co.uk', 'other.co.uk', 'acatch.co.uk'])
    await signUp(web, `omar-${domain.length}@${domain}`)
  expect(await web.context.services.signupDecisions.decideAll()).toBe(2)
  expect(await decisions(web)).toEqual([
    { address: 'omar-11@catch.co.uk', decision: null },
    { address: 'omar-11@other.co.uk', decision: 'mailed' },
    { address: 'omar-12@acatch.co.uk', decision: 'mailed' },
    { address: 'omar-15@new.catch.co.uk', decision: null },
  ])
})

test.each(['gmail.com', 'laposte.net', 'yahoo.fr', 'hotmail.co.uk'])(
  'nobody keeps the readers of %s out: it may get more than any one client may ask for',
  async (domain) => {
    const web = await aWeb()
    await aNewsletter(web.context.database)
    await mailed(web, 4_990, { domain })
    await signUp(web, `omar@${domain}`)
    expect(await web.context.services.signupDecisions.decideAll()).toBe(1)
  },
)

test('people who answer are no flood: each click makes room for five', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database)
  await mailed(web, 400, { domain: 'campus.example' })
  await signUp(web, 'omar@campus.example')
  const decide = () => web.context.services.signupDecisions.decideAll()
  expect(await decide()).toBe(0)
  await rowsOf(web, "update activations set activated_at = now() where address ~ '^reader-[1-9]?[0-9]@'")
  expect(await decide()).toBe(1)
})

test('a /48 is a campus, and not 65,536 clients', async () => {
  const web = await aWeb({ env: { TRUST_PROXY: '127.0.0.1/32,::1' } })
  await aNewsletter(web.context.database)
  let asked = 0
  const ask = async (from: string) => {
    asked += 1
    const answer = await web.fetch('/subscribe', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
      body: JSON.stringify({ email: `reader-${asked}@reader.example` }),
    })
    return answer.status
  }
  for (let n = 0; n < 75; n++) expect(await ask(`2001:db8:1:${n.toString(16)}::1`)).toBe(202)
  expect(await ask('2001:db8:1:ffff::1')).toBe(429)
  expect(await ask('2001:db8:2:1::1')).toBe(202)
  expect(await ask('198.51.100.7')).toBe(202)
})

test('requests that were refused, whose address is gone, hold nobody else back', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database)
  await mailed(web, 5_000, { domain: 'bombed.example' })
  await rowsOf(web, 'update activations set address = null, refused_at = decided_at')
  await signUp(web, 'omar@reader.example')
  expect(await web.context.services.signupDecisions.decideAll()).toBe(1)
})

test('what a domain usually gets is no flood: five times the mean of its week is the measure', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database)
  await mailed(web, 300, { domain: 'large.example' })
  await mailed(web, 168 * 61, { domain: 'large.example', ago: '2 days' })
  await signUp(web, 'omar@large.example')
  expect(await web.context.services.signupDecisions.decideAll()).toBe(1)
})

test('a flood over the whole site holds everything back until the hour is over', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database)
  await mailed(web, 20_000, {})
  await signUp(web, 'omar@reader.example')
  expect(await web.context.services.signupDecisions.decideAll()).toBe(0)
  expect(await decisions(web)).toMatchObject([{ decision: null }])
  await rowsOf(web, "update activations set decided_at = decided_at - interval '1 hour' where wanted = '{}'")
  expect(await web.context.services.signupDecisions.decideAll()).toBe(1)
  expect(await decisions(web)).toMatchObject([{ decision: 'mailed' }])
})
