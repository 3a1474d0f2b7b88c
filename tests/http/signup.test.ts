import { expect, test } from 'vitest'
import { activationPath, aReader, nonceIn } from '../support/readers.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { runSql } from '../support/sql.ts'
import { aWeb, type Web } from '../support/web.ts'

const email = 'amina@reader.example'
const start = new Date('2026-03-01T07:00:00Z')

async function aNewsroom() {
  let at = start
  const web = await aWeb({ now: () => at })
  const newsletter = await aNewsletter(web.context.database)
  const reader = aReader(web)
  return {
    web,
    reader,
    newsletter,
    later: (ms: number) => {
      at = new Date(at.getTime() + ms)
    },
  }
}

const day = 24 * 3_600_000
const decide = (web: Web) => web.context.services.signupDecisions.decideAll()
const stateOf = async (web: Web, address = email) => {
  const subscriber = await web.context.database.stores.subscribers.findByAddress(address)
  const [subscription] = subscriber ? await web.context.database.stores.subscriptions.list(subscriber.id) : []
  return subscription?.state
}

test('DOI-1 sign up, then one click in the same browser, and it says what to expect', async () => {
  const { web, reader, newsletter } = await aNewsroom()
  const answer = await reader.post('/subscribe', { email, newsletters: newsletter.slug, alerts: 'on' })
  expect(answer.status).toBe(200)
  expect(await stateOf(web)).toBeUndefined()
  await decide(web)
  expect(await stateOf(web)).toBe('pending')
  const path = await activationPath(web, email)
  const page = await reader.get(path)
  expect(page.status).toBe(200)
  expect(await page.text()).toContain('<time datetime="')
  expect(await stateOf(web)).toBe('active')
  expect(Object.fromEntries(page.headers)).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'x-robots-tag': 'noindex, nofollow',
  })
  expect((await reader.get(path)).status).toBe(200)
})

test('DOI-1 a form that a script of another site sends as FormData counts like any other', async () => {
  const { web, newsletter } = await aNewsroom()
  const soir = await aNewsletter(web.context.database)
  const body = new FormData()
  for (const name of [newsletter.slug, soir.slug, '']) body.append('newsletters[]', name)
  const send = async (address: string) => {
    body.set('email', address)
    const answer = await web.fetch('/subscribe', { method: 'POST', body })
    return [answer.status, await answer.text()] as const
  }
  const [status, page] = await send('amina@')
  expect([status, page.includes('value="amina@"')]).toEqual([422, true])
  expect((await send(email))[0]).toBe(200)
  expect(await rowsOf(web, 'select address, wanted from activations')).toMatchObject([
    { address: email, wanted: { newsletters: [newsletter.slug, soir.slug] } },
  ])
})

test('DOI-2 P13 GET, HEAD and prefetch change nothing without the cookie, nor prefetch with it', async () => {
  const { web, reader, newsletter } = await aNewsroom()
  await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  await decide(web)
  const path = await activationPath(web, email)
  const stranger = aReader(web)
  expect(await (await stranger.get(path)).text()).toContain('Confirmer mon abonnement')
  await stranger.get(`${path}?refuse=1`)
  for (const method of ['HEAD', 'OPTIONS']) await web.fetch(path, { method })
  const [cookie] = reader.cookies
  const headers = { cookie: cookie?.join('=') ?? '' }
  await web.fetch(path, { method: 'HEAD', headers })
  await reader.get(path, { 'sec-purpose': 'prefetch;prerender' })
  for (const ahead of [{ purpose: 'prefetch' }, { 'x-purpose': 'preview' }, { 'x-moz': 'prefetch' }])
    await reader.get(path, ahead)
  await reader.get(`${path}?refuse=1`)
  expect(await stateOf(web)).toBe('pending')
  await reader.get(path)
  expect(await stateOf(web)).toBe('active')
})

test('DOI-4 the button works with and without Sec-Fetch headers, after a second, from this page alone', async () => {
  const { web, reader, newsletter, later } = await aNewsroom()
  await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  await decide(web)
  const path = await activationPath(web, email)
  const elsewhere = aReader(web)
  const nonce = nonceIn(await (await elsewhere.get(path)).text())
  expect((await elsewhere.post(path, { action: 'activate', nonce })).status).toBe(422)
  later(1_000)
  expect((await elsewhere.post(path, { action: 'activate', nonce: 'forged' })).status).toBe(422)
  for (const site of ['cross-site', 'same-site', 'none']) {
    expect(
      (await elsewhere.post(path, { action: 'activate', nonce }, { 'sec-fetch-site': site })).status,
    ).toBe(403)
  }
  expect(await stateOf(web)).toBe('pending')
  const pressed = await elsewhere.post(
    path,
    { action: 'activate', nonce },
    { 'sec-fetch-site': 'same-origin' },
  )
  expect(pressed.status).toBe(200)
  expect(await stateOf(web)).toBe('active')
  expect((await elsewhere.post(path, { action: 'activate', nonce })).status).toBe(200)
})

test('DOI-6 an old link cannot bring back someone who left, and says how to sign up again', async () => {
  const { web, reader, newsletter } = await aNewsroom()
  await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  await reader.post('/subscribe', { email, newsletters: newsletter.slug, cadence: 'alert' })
  await decide(web)
  const paths = await rowsOf<{ id: string }>(web, 'select id from activations')
  const [first = '', second = ''] = paths.map(
    ({ id }) => new URL(web.context.services.subscriptionLinks.activationUrl(id)).pathname,
  )
  await reader.get(first)
  const subscriber = await web.context.database.stores.subscribers.findByAddress(email)
  await web.context.services.subscriptions.leaveAll(subscriber?.id ?? 0)
  for (const path of [first, second]) {
    expect(await (await reader.get(path)).text()).toContain('Cet abonnement a pris fin')
    expect(await stateOf(web)).toBe('ended')
  }
})

test('DOI-7 an expired link changes nothing and mails a new one on request', async () => {
  const { web, reader, newsletter, later } = await aNewsroom()
  await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  await decide(web)
  const path = await activationPath(web, email)
  later(7 * day)
  const nonce = nonceIn(await (await reader.get(path)).text())
  expect(await stateOf(web)).toBe('pending')
  later(2_000)
  expect((await reader.post(path, { action: 'resend', nonce })).status).toBe(200)
  await decide(web)
  const next = await activationPath(web, email)
  expect(next).not.toBe(path)
  await reader.get(next)
  expect(await stateOf(web)).toBe('active')
})

test('"I did not ask for this" ends the request and blocks activation mail for 90 days', async () => {
  const { web, reader, newsletter, later } = await aNewsroom()
  await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  await decide(web)
  const path = await activationPath(web, email)
  const nonce = nonceIn(await (await reader.get(`${path}?refuse=1`)).text())
  later(2_000)
  expect(await (await reader.post(path, { action: 'refuse', nonce })).text()).toContain(
    'La demande est effacée',
  )
  expect(await stateOf(web)).toBeUndefined()
  expect(await (await reader.get(path)).text()).toContain('La demande est effacée')
  const decision = async () => {
    await reader.post('/subscribe', { email: 'Amina+x@reader.example', newsletters: newsletter.slug })
    await decide(web)
    const rows = await rowsOf<{ decision: string }>(
      web,
      'select decision from activations order by created_at desc limit 1',
    )
    return rows[0]?.decision
  }
  expect(await decision()).toBe('blocked')
  later(91 * day)
  expect(await decision()).toBe('mailed')
})

test('"it was not me", said after the confirmation, leads to leaving, and is not thanked', async () => {
  const { web, reader, newsletter } = await aNewsroom()
  await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  await decide(web)
  const path = await activationPath(web, email)
  await reader.get(path)
  const page = await (await reader.get(`${path}?refuse=1`)).text()
  expect(page).toMatch(/<title>Vous n’avez rien demandé.{1,2}\?/)
  expect(page).not.toContain('merci')
  const leave = /href="([^"]+)" role="button">Me désabonner/.exec(page)?.[1] ?? ''
  expect((await reader.get(new URL(leave).pathname)).status).toBe(200)
})

test('DOI-10 unconfirmed requests are purged 24 hours after their expiry, and counted', async () => {
  const { web, reader, newsletter, later } = await aNewsroom()
  await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  await decide(web)
  later(8 * day - 1_000)
  expect(await web.context.services.activations.purge()).toBe(0)
  later(2_000)
  expect(await web.context.services.activations.purge()).toBe(1)
  for (const table of ['activations', 'consents', 'subscribers', 'subscriptions', 'outbox']) {
    expect([table, await rowsOf(web, `select * from ${table}`)]).toEqual([table, []])
  }
  expect(await rowsOf(web, "select detail from audit where action = 'activations.purge'")).toEqual([
    { detail: { requests: 1 } },
  ])
})

test('the upkeep takes counts that ran out, answers a week old and sign-in links and sessions dead for a month', async () => {
  const { web, later } = await aNewsroom()
  const editors = await rowsOf<{ id: number }>(
    web,
    "insert into editors (email, role) values ('nadia@rivage.example', 'editor') returning id",
  )
  const ms = start.getTime()
  await rowsOf(
    web,
    `insert into rate_limits values ('past', 1, ${ms - 1}), ('open', 1, ${ms + 8 * day}), ('lasting', 1, null)`,
  )
  await rowsOf(
    web,
    `insert into idempotency_keys
    select 's', days || ' days', '\\x00', 202, '{}', $1::timestamptz - days * interval '1 day'
    from unnest(array[6, 8]) as days`,
    [start.toISOString()],
  )
  const link = (name: string, expires: number, used: number | null) =>
    `(decode(md5('${name}'), 'hex'), ${editors[0]?.id}, now(), to_timestamp(${(ms + expires * day) / 1000}), ${
      used === null ? 'null' : `to_timestamp(${(ms + used * day) / 1000})`
    })`
  await rowsOf(
    web,
    `insert into sign_in_links values ${[
      link('open', 1, null),
      link('expired lately', -29, null),
      link('expired', -31, null),
      link('used lately', -40, -29),
      link('used', 1, -31),
    ].join()}`,
  )
  await rowsOf(
    web,
    `insert into sessions (token_sha256, editor_id, label, expires_at, ended_at)
     select decode(md5(label), 'hex'), $1, label, $2::timestamptz + expires * interval '1 day',
       $2::timestamptz + ended * interval '1 day'
     from (values ('open', 1, null), ('expired lately', -29, null), ('expired', -31, null),
       ('ended lately', 1, -29), ('ended', 1, -31)) as dead (label, expires, ended)`,
    [editors[0]?.id, start.toISOString()],
  )
  await rowsOf(
    web,
    `insert into workers (id, beat_at) values
     (gen_random_uuid(), clock_timestamp() - interval '25 hours'), (gen_random_uuid(), clock_timestamp())`,
  )
  await web.context.services.upkeep.sweep()
  expect(await rowsOf(web, 'select key from rate_limits order by key')).toEqual([
    { key: 'lasting' },
    { key: 'open' },
  ])
  expect(await rowsOf(web, 'select key from idempotency_keys')).toEqual([{ key: '6 days' }])
  expect(await rowsOf(web, 'select count(*)::int as n from workers')).toEqual([{ n: 1 }])
  expect(await rowsOf(web, 'select 1 from sign_in_links')).toHaveLength(3)
  expect(await rowsOf(web, 'select label from sessions order by label')).toEqual([
    { label: 'ended lately' },
    { label: 'expired lately' },
    { label: 'open' },
  ])
  later(2 * day)
  await web.context.services.upkeep.sweep()
  expect(await rowsOf(web, 'select 1 from sign_in_links')).toHaveLength(1)
})

test('DOI-11 the consent record says what was agreed to, when, how and where', async () => {
  const { web, reader, newsletter } = await aNewsroom()
  await reader.post(
    '/subscribe',
    { email, newsletters: newsletter.slug, form: 'box' },
    { 'user-agent': 'Test/1' },
  )
  await decide(web)
  await rowsOf(web, "update outbox set message_id = '<1@rivage.example>'")
  await reader.get(await activationPath(web, email))
  const subscriber = await web.context.database.stores.subscribers.findByAddress(email)
  await web.context.services.subscriptions.leaveAll(subscriber?.id ?? 0)
  const record = await web.context.database.stores.consents.list(subscriber?.id ?? 0)
  expect(record).toMatchObject([
    {
      event: 'requested',
      at: start,
      newsletter: newsletter.slug,
      form: 'box',
      locale: 'fr',
      policyVersion: '1',
      ipPrefix: '127.0.0.0/24',
      consentText: expect.stringContaining('Le Matin du Rivage') as string,
      consentTextSha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      userAgentSha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    },
    { event: 'activated', method: 'cookie-link', form: 'box', messageId: '<1@rivage.example>' },
    { event: 'ended', reason: 'unsubscribed' },
  ])
})

test('one reminder goes out after 24 hours, to those alone who have not clicked', async () => {
  const { web, reader, newsletter } = await aNewsroom()
  const { activations } = web.context.services
  for (const address of [email, 'omar@reader.example']) {
    await reader.post('/subscribe', { email: address, newsletters: newsletter.slug })
  }
  await decide(web)
  await reader.get(await activationPath(web, email))
  // Reminders go by the database's clock, which no test moves.
  await rowsOf(web, "update activations set expires_at = now() + interval '6 days'")
  expect(await activations.remind()).toBe(0)
  await rowsOf(web, "update activations set decided_at = now() - interval '25 hours'")
  expect(await activations.remind()).toBe(1)
  expect(await activations.remind()).toBe(0)
  expect(
    await rowsOf(
      web,
      "select a.address from outbox o join activations a on a.id = o.activation_id where o.kind = 'reminder'",
    ),
  ).toEqual([{ address: 'omar@reader.example' }])
})

test('a form that was open for more than two hours comes back filled in, and the second try counts', async () => {
  const { web, reader, newsletter, later } = await aNewsroom()
  const stampIn = (html: string) => /name="stamp" value="([^"]+)"/.exec(html)?.[1] ?? ''
  const stamp = stampIn(await (await reader.get('/subscribe')).text())
  later(2 * 3_600_000 + 1)
  const form = { newsletters: newsletter.slug, cadence: 'alert', alerts: 'on', language: 'ar', website: '' }
  const late = async (address: string) => {
    const answer = await reader.post('/subscribe', { ...form, email: address, stamp })
    expect(answer.status).toBe(422)
    return answer.text()
  }
  const html = await late(email)
  expect(html).toContain('Envoyez-le encore une fois')
  expect(html).toContain(`value="${email}"`)
  expect(html).toMatch(
    /value="alert" checked[^]*name="alerts" value="on" checked[^]*value="ar" lang="ar" selected/,
  )
  later(2_000)
  const again = await reader.post('/subscribe', { ...form, email, stamp: stampIn(html) })
  expect(again.status).toBe(200)
  await decide(web)
  expect(await stateOf(web)).toBe('pending')
  const [known, unknown] = [await late(email), await late('omar@reader.example')]
  expect(unknown.replaceAll('omar@reader.example', email)).toBe(known)
})

test('whoever unticks every newsletter is told to choose one, whoever they are, and keeps what they typed', async () => {
  const { web, reader, newsletter } = await aNewsroom()
  await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  await decide(web)
  // What a browser sends of the form: every field of it that is no box, and no box.
  const sent = async (path: string, address: string) => {
    const html = await (await reader.get(path)).text()
    const form = /<form method="post" action="[^"]*\/subscribe">[^]*?<\/form>/.exec(html)?.[0] ?? ''
    const hidden = [...form.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, value] as [string, string]))
    return reader.post('/subscribe', { ...fields, email: address, cadence: 'alert', language: 'ar' })
  }
  for (const path of ['/subscribe', '/']) {
    const [known, unknown] = await Promise.all([sent(path, email), sent(path, 'omar@reader.example')])
    expect([path, known.status]).toEqual([path, 422])
    const html = await known.text()
    expect(html).toContain('Choisissez au moins une des lettres proposées.')
    expect(html).toMatch(/value="alert" checked[^]*value="ar" lang="ar" selected/)
    expect(html).not.toMatch(/name="newsletters" value="le-matin" checked/)
    expect((await unknown.text()).replaceAll('omar@reader.example', email)).toBe(html)
  }
  const json = (body: object) =>
    web.fetch('/subscribe', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, ...body }),
    })
  const refused = await json({ newsletters: [] })
  expect([refused.status, await refused.json()]).toEqual([
    422,
    expect.objectContaining({ code: 'newsletter_needed' }),
  ])
  expect((await json({})).status).toBe(202)
})

test('a signup that the database has no room for is told to come back', async () => {
  const { web, reader, newsletter } = await aNewsroom()
  await runSql(
    web.context.config.databaseUrl,
    `create function no_room() returns trigger language plpgsql
     as $$ begin raise 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
     create trigger no_room before insert on activations execute function no_room()`,
  )
  const answer = await reader.post('/subscribe', { email, newsletters: newsletter.slug })
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10'])
})

test('a stamp that is too old is a problem document for JSON, without a new one', async () => {
  const { web, reader, newsletter, later } = await aNewsroom()
  const stamp = web.context.services.signups.formStamp()
  later(3 * 3_600_000)
  const send = (more: Record<string, string>) =>
    web.fetch('/subscribe', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, newsletters: [newsletter.slug], ...more }),
    })
  const late = await send({ stamp })
  expect(late.status).toBe(422)
  const problem = await late.text()
  expect(JSON.parse(problem)).toMatchObject({ code: 'form_too_old' })
  expect(problem).not.toContain('signup@')
  expect((await send({ stamp, website: 'http://spam.example' })).status).toBe(202)
  expect(reader.cookies.size).toBe(0)
  expect(await rowsOf(web, 'select is_mailable from activations')).toEqual([{ is_mailable: false }])
})

test('the form offers what a newsletter has, and says so where there is none', async () => {
  const web = await aWeb()
  const form = async () => (await web.fetch('/fr/subscribe')).text()
  const empty = await form()
  expect(empty).toContain('Aucune lettre n’est encore proposée')
  expect(empty).not.toContain('<button>S’inscrire')
  const daily = { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' } as const
  await aNewsletter(web.context.database, { slug: 'le-matin', cadences: [daily] })
  expect((await form()).match(/value="(?:daily|weekly|alert)"|name="alerts"/g)).toEqual(['value="daily"'])
  await aNewsletter(web.context.database, { slug: 'le-soir', cadences: [daily, { cadence: 'alert' }] })
  expect(await form()).toContain('name="alerts"')
  const weekly = { cadence: 'weekly', weekday: 5, time: '18:00', zone: 'Africa/Algiers' } as const
  await aNewsletter(web.context.database, { slug: 'hebdo', cadences: [weekly] })
  const page = await form()
  expect(page.match(/value="(?:daily|weekly|alert|fr|ar|en)"( checked)?/g)).toEqual([
    ...['value="daily" checked', 'value="alert"', 'value="fr"', 'value="ar"'],
  ])
  expect(page).toContain('Paraît chaque vendredi à 18:00')
})
