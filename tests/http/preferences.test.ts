import { expect, test } from 'vitest'
import { importCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { activationPath, aReader, aSubscribedReader, nonceIn } from '../support/readers.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aWeb } from '../support/web.ts'

const email = 'amina@reader.example'
/** As the browser's calendar writes it. */
const aDay = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

async function aCentre(env: Record<string, string> = {}) {
  const web = await aWeb({ env })
  const { database, services } = web.context
  const newsletter = await aNewsletter(database, { slug: 'le-matin' })
  await aNewsletter(database, { slug: 'hebdo', name: 'Hebdo' })
  const { reader, subscriber } = await aSubscribedReader(web, email, ['le-matin'])
  const pathOf = (url: string) => new URL(url).pathname
  const masked = pathOf(services.subscriptionLinks.preferencesUrl(subscriber.id))
  const fresh = pathOf(services.subscriptionLinks.freshPreferencesUrl(subscriber.id))
  const nonceOf = async (path: string) => nonceIn(await (await reader.get(path)).text())
  const states = async () =>
    Object.fromEntries(
      (await database.stores.subscriptions.list(subscriber.id)).map((one) => [one.newsletter, one.state]),
    )
  return { web, reader, subscriber, newsletter, masked, fresh, nonceOf, states }
}

test('"mail me my link" answers the same for everybody, and mails those alone who receive', async () => {
  const { web, reader } = await aCentre()
  const [known, unknown] = await Promise.all(
    [email, 'nobody@reader.example'].map(async (address) => {
      const response = await reader.post('/preferences', { email: address })
      return [response.status, await response.text()]
    }),
  )
  expect(known).toEqual(unknown)
  await web.context.services.signupDecisions.decideAll()
  expect(
    await rowsOf(web, "select decision from activations where kind = 'preferences-link' order by 1"),
  ).toEqual([{ decision: 'mailed' }, { decision: 'unknown' }])
  expect(await rowsOf(web, "select address from outbox where kind = 'preferences-link'")).toEqual([
    { address: null },
  ])
})

test('choices are saved: a newsletter added and one dropped, language and pause; never without a nonce', async () => {
  const { web, reader, subscriber, masked, nonceOf, states } = await aCentre()
  const choice = { action: 'save', language: 'ar', newsletters: 'hebdo', 'cadence.hebdo': 'daily' }
  expect((await reader.post(masked, choice)).status).toBe(403)
  const nonce = await nonceOf(masked)
  expect((await reader.post(masked, { ...choice, nonce }, { 'sec-fetch-site': 'cross-site' })).status).toBe(
    403,
  )
  expect(await states()).toEqual({ 'le-matin': 'active' })
  const saved = await reader.post(masked, { ...choice, nonce, pausedUntil: aDay(366) })
  expect(await saved.text()).toContain('<html lang="ar" dir="rtl">')
  expect(await states()).toEqual({ hebdo: 'active', 'le-matin': 'ended' })
  const subscriptions = await web.context.database.stores.subscriptions.list(subscriber.id)
  const hebdo = subscriptions.find((one) => one.newsletter === 'hebdo')
  expect(hebdo?.pausedUntil?.getTime()).toBeGreaterThan(Date.now())
})

test('a pause of one newsletter stays its own when the preferences are saved as they are shown', async () => {
  const { web, reader, subscriber, newsletter, masked, nonceOf } = await aCentre()
  const { subscriptionLinks } = web.context.services
  const choice: Record<string, string | string[]> = {
    action: 'save',
    language: 'fr',
    newsletters: ['le-matin', 'hebdo'],
  }
  const save = async (pausedUntil: string) =>
    reader.post(masked, { ...choice, nonce: await nonceOf(masked), pausedUntil })
  const pauses = async () =>
    (await web.context.database.stores.subscriptions.list(subscriber.id)).map(
      ({ pausedUntil }) => pausedUntil !== null,
    )
  await save('')
  const link = subscriptionLinks.unsubscribeUrl({
    subscriberId: subscriber.id,
    newsletterId: newsletter.id,
    digestId: 1,
  })
  await reader.post(new URL(link).pathname, { action: 'pause', days: '30' })
  expect((await pauses()).sort()).toEqual([false, true])
  const [, shown = ''] =
    /name="pausedUntil" value="([^"]+)"/.exec(await (await reader.get(masked)).text()) ?? []
  await save(shown)
  expect((await pauses()).sort()).toEqual([false, true])
  choice['alerts.le-matin'] = 'on'
  await save(shown)
  expect((await pauses()).sort()).toEqual([false, true])
  await save(aDay(60))
  expect(await pauses()).toEqual([true, true])
  await save('')
  expect(await pauses()).toEqual([false, false])
})

test('a pause until no day to come is refused, not left out: nothing is saved, and what was chosen stands in the form', async () => {
  const { reader, masked, nonceOf, states } = await aCentre()
  const choice = { action: 'save', language: 'ar', newsletters: 'hebdo', 'cadence.hebdo': 'daily' }
  for (const pausedUntil of ['31/12/2099', '2099-02-31', '2020-01-01', '2099-01-01', aDay(368)]) {
    const refused = await reader.post(masked, { ...choice, nonce: await nonceOf(masked), pausedUntil })
    const html = await refused.text()
    expect([pausedUntil, refused.status]).toEqual([pausedUntil, 422])
    expect(html).toContain('<a href="#pausedUntil">Pause\u00a0: choisissez un jour à venir, d’ici un an')
    expect(html).toContain(`name="pausedUntil" value="${pausedUntil}" aria-invalid="true"`)
    expect(html).toMatch(/name="newsletters" value="hebdo" checked/)
    expect(html).toMatch(/name="newsletters" value="le-matin">/)
    expect(html).toMatch(/value="ar" lang="ar" selected/)
  }
  expect(await states()).toEqual({ 'le-matin': 'active' })
})

test('a longer pause that came with an import stays when the preferences are saved as they are shown', async () => {
  const { web, reader, masked, nonceOf } = await aCentre()
  await rowsOf(web, "update subscriptions set paused_until = '2099-01-01'")
  expect(await (await reader.get(masked)).text()).toContain('name="pausedUntil" value="2099-01-01"')
  const choice = { action: 'save', language: 'ar', newsletters: 'le-matin', 'cadence.le-matin': 'daily' }
  const saved = await reader.post(masked, {
    ...choice,
    nonce: await nonceOf(masked),
    pausedUntil: '2099-01-01',
  })
  expect(saved.status).toBe(200)
  const [row] = await rowsOf<{ n: number }>(
    web,
    "select count(*)::int as n from subscriptions where paused_until >= '2099-01-01'",
  )
  expect(row?.n).toBe(1)
})

test('who leaves at the moment in which an older form is saved has left', async () => {
  const { web, subscriber, newsletter, states } = await aCentre()
  const { preferences, subscriptions, subscriptionLinks } = web.context.services
  const token = new URL(subscriptionLinks.preferencesUrl(subscriber.id)).pathname.split('/').at(-1) ?? ''
  const page = await preferences.open(token)
  await subscriptions.leave({ subscriberId: subscriber.id, newsletterId: newsletter.id, digestId: 1 })
  await preferences.save(page, {
    language: 'fr',
    newsletters: [{ slug: 'le-matin', cadence: 'daily', alerts: true, sections: [] }],
    pausedUntil: undefined,
  })
  expect(await states()).toEqual({ 'le-matin': 'ended' })
})

test('one button ends all that somebody receives, whatever is ticked', async () => {
  const { reader, masked, nonceOf, states } = await aCentre()
  const leave = { action: 'leave-all', newsletters: 'hebdo' }
  expect((await reader.post(masked, leave)).status).toBe(403)
  expect(await states()).toEqual({ 'le-matin': 'active' })
  const left = await reader.post(masked, { ...leave, nonce: await nonceOf(masked) })
  expect([left.status, await states()]).toEqual([200, { 'le-matin': 'ended' }])
  const page = await left.text()
  for (const again of [page, await (await reader.get(masked)).text()])
    expect(again).not.toContain('value="leave-all"')

  // Once, and at once, whoever left by mistake is brought back, as from the mail's own link.
  const [, undo = ''] =
    /action="([^"]+\/unsubscribe\/[^"]+)"><button name="action" value="undo"/.exec(page) ?? []
  expect((await reader.post(new URL(undo).pathname, { action: 'undo' })).status).toBe(200)
  expect(await states()).toEqual({ 'le-matin': 'active' })
  expect(await (await reader.get(masked)).text()).not.toContain('value="undo"')
})

test('no link of an old mail brings back who left; a fresh one does', async () => {
  const { reader, masked, fresh, nonceOf, states } = await aCentre()
  const save = async (path: string, newsletters: string) =>
    reader.post(path, {
      action: 'save',
      language: 'fr',
      nonce: await nonceOf(path),
      ...(newsletters && { newsletters }),
    })
  await save(masked, '')
  expect(await states()).toEqual({ 'le-matin': 'ended' })
  for (const slug of ['le-matin', 'hebdo']) expect((await save(masked, slug)).status).toBe(403)
  expect(await (await reader.get(masked)).text()).toMatch(/value="hebdo" disabled/)
  expect(await states()).toEqual({ 'le-matin': 'ended' })
  expect((await save(fresh, 'le-matin')).status).toBe(200)
  expect(await states()).toEqual({ 'le-matin': 'active' })
})

test('who left reads why in their own language; a newsletter that was only asked for is not one they left', async () => {
  const { web, reader, subscriber, masked, nonceOf } = await aCentre()
  const { stores } = web.context.database
  await stores.subscribers.updateLanguage(subscriber.id, 'ar')
  await rowsOf(
    web,
    `insert into subscriptions (subscriber_id, newsletter_id, state, cadence)
     select $1, id, 'pending', 'daily' from newsletters where slug = 'hebdo'`,
    [subscriber.id],
  )
  expect(await (await reader.get(masked)).text()).not.toMatch(/value="hebdo" disabled/)
  const save = async (newsletters: object) =>
    reader.post(masked, { action: 'save', language: 'ar', nonce: await nonceOf(masked), ...newsletters })
  await save({})
  expect(await (await reader.get(masked)).text()).toMatch(/value="le-matin" disabled/)
  const refused = await save({ newsletters: 'le-matin' })
  const page = await refused.text()
  expect([refused.status, page.includes('<html lang="ar" dir="rtl">')]).toEqual([403, true])
  expect(page).toContain('يلزم رابط جديد')
  expect(page).toContain('href="/ar/preferences"')
})

test('a digest’s link masks the address and refuses download, change of address and erasure', async () => {
  const { reader, masked, fresh, nonceOf, states } = await aCentre()
  const html = await (await reader.get(masked)).text()
  expect(html).toContain('a•••@reader.example')
  expect(html).not.toContain(email)
  for (const action of ['download', 'change-address', 'erase']) {
    const answer = await reader.post(masked, {
      action,
      nonce: await nonceOf(masked),
      email: 'b@reader.example',
    })
    expect([action, answer.status]).toEqual([action, 403])
  }
  // Nor does a nonce of the fresh page help the masked one.
  expect((await reader.post(masked, { action: 'erase', nonce: await nonceOf(fresh) })).status).toBe(403)
  expect(await states()).toEqual({ 'le-matin': 'active' })
  const download = await reader.post(fresh, { action: 'download', nonce: await nonceOf(fresh) })
  expect(await download.json()).toMatchObject({
    email,
    consents: [{ event: 'requested' }, { event: 'activated' }],
  })
})

test('a person’s data are all that the desk shows of them: requests, mails, bounces, why nothing goes to them', async () => {
  const { web, reader, subscriber, fresh, nonceOf } = await aCentre()
  await rowsOf(
    web,
    `insert into bounces (subscriber_id, source, class, status, points) values ($1, 'dsn', 'soft', '4.2.2', 1)`,
    [subscriber.id],
  )
  await web.context.services.suppressions.add(email, 'asked by phone', { kind: 'cli', role: 'admin' })
  const download = await reader.post(fresh, { action: 'download', nonce: await nonceOf(fresh) })
  expect(await download.json()).toMatchObject({
    requests: [{ decision: 'mailed' }],
    mails: [{ kind: 'activation' }],
    bounces: [{ source: 'dsn', class: 'soft', status: '4.2.2' }],
    suppression: { reason: 'manual', detail: 'asked by phone' },
  })
})

test('a new address is proved by its own link, and the old one is told', async () => {
  const { web, reader, subscriber, fresh, nonceOf } = await aCentre()
  await web.context.database.stores.subscribers.updateLanguage(subscriber.id, 'ar')
  await reader.post(fresh, {
    action: 'change-address',
    nonce: await nonceOf(fresh),
    email: 'new@reader.example',
  })
  await web.context.services.signupDecisions.decideAll()
  const { stores } = web.context.database
  expect(await rowsOf(web, "select language from outbox where kind = 'address-change'")).toEqual([
    { language: 'ar' },
  ])
  expect((await stores.subscribers.get(subscriber.id)).address).toBe(email)
  await reader.get(await activationPath(web, 'new@reader.example'))
  expect((await stores.subscribers.get(subscriber.id)).address).toBe('new@reader.example')
  expect(await rowsOf(web, "select address from outbox where kind = 'address-changed'")).toEqual([
    { address: email },
  ])
})

test('once the address is another, nothing that was mailed to the old one shows it, or moves it back', async () => {
  const { web, reader, subscriber, masked, fresh, nonceOf, states } = await aCentre()
  const { database, services } = web.context
  const nonce = await nonceOf(fresh)
  for (const name of ['new', 'other'])
    await reader.post(fresh, { action: 'change-address', nonce, email: `${name}@reader.example` })
  await services.signupDecisions.decideAll()
  const [move, other] = await Promise.all(
    ['new', 'other'].map((name) => activationPath(web, `${name}@reader.example`)),
  )
  const withoutOwn = async (path: string) =>
    (await (await reader.get(path)).text()).replaceAll(/[\w.-]+\.[0-9a-f]{8}\.[\w-]{22}/g, '…')
  expect(await withoutOwn(fresh)).toContain(email)
  await reader.get(move ?? '')
  expect(await withoutOwn(fresh)).toBe(await withoutOwn(masked))
  for (const action of ['download', 'change-address', 'erase'])
    for (const [path, seen] of [
      [fresh, nonce],
      [fresh, await nonceOf(fresh)],
    ] as const) {
      const answer = await reader.post(path, { action, nonce: seen, email: 'third@reader.example' })
      expect([action, answer.status]).toEqual([action, 403])
    }
  expect(await (await reader.get(other ?? '')).text()).not.toContain('value="activate"')
  expect((await database.stores.subscribers.get(subscriber.id)).address).toBe('new@reader.example')
  expect(await states()).toEqual({ 'le-matin': 'active' })
})

test('who moves from a dead mailbox keeps what they receive, whatever still comes back from there', async () => {
  const sink = await aSmtpSink()
  const { web, reader, subscriber, newsletter, fresh, nonceOf, states } = await aCentre({
    SMTP_URL: sink.url,
  })
  const { services, database } = web.context
  const digestId = await database.stores.digests.insert({ newsletterId: newsletter.id, cadence: 'daily' })
  await rowsOf(
    web,
    `insert into deliveries (digest_id, subscriber_id, state, accepted_at, committing_at)
     values ($1, $2, 'accepted', now(), now())`,
    [digestId, subscriber.id],
  )
  const answer = '550 5.1.1 No such user'
  const dead = { kind: 'refused', stage: 'rcpt', code: 550, status: '5.1.1', answer } as const
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: answer, recipients: email })
  await reader.post(fresh, {
    action: 'change-address',
    nonce: await nonceOf(fresh),
    email: 'new@reader.example',
  })
  await services.signupDecisions.decideAll()
  await reader.get(await activationPath(web, 'new@reader.example'))
  await services.presence.beat()
  await services.sending.deliverMail()
  expect(await rowsOf(web, "select state from outbox where kind = 'address-changed'")).toEqual([
    { state: 'rejected' },
  ])
  const reference = { kind: 'digest', digestId: digestId ?? 0, subscriberId: subscriber.id } as const
  const reports = [
    { addresses: [], isAlone: true, diagnosis: { stage: 'report' as const, status: '5.1.1', text: answer } },
  ]
  // What the server of the old mailbox reports days later.
  await services.bounces.receive({ kind: 'bounce', reference, reports })
  await rowsOf(web, 'update deliveries set committing_at = now()')
  // What it says of a mail that was on its way there while the address was changed.
  await services.bounces.recordRefusal(reference, dead, false, email)
  expect(await states()).toEqual({ 'le-matin': 'active' })
  expect(await rowsOf(web, 'select from suppressions')).toEqual([])
  // What comes back of a mail to the new one counts.
  await services.bounces.receive({ kind: 'bounce', reference, reports })
  expect(await states()).toEqual({ 'le-matin': 'ended' })
})

test('erasure takes along what the desk noted when it suppressed somebody, and leaves them suppressed', async () => {
  const { web, reader, fresh, nonceOf } = await aCentre()
  const actor = { kind: 'cli', role: 'admin' } as const
  await web.context.services.suppressions.add(email, 'Amina Kaci asked by phone', actor)
  await reader.post(fresh, { action: 'erase', nonce: await nonceOf(fresh) })
  expect(await rowsOf(web, 'select reason, detail from suppressions')).toEqual([
    { reason: 'manual', detail: null },
  ])
})

test('erasure leaves no trace of the address but an HMAC, blocks imports, and lets a new signup through', async () => {
  const { web, reader, fresh, nonceOf } = await aCentre()
  await reader.post(fresh, { action: 'erase', nonce: await nonceOf(fresh) })
  const tables = await rowsOf<{ name: string }>(
    web,
    "select tablename as name from pg_tables where schemaname = 'public'",
  )
  for (const { name } of tables) {
    const text = JSON.stringify(await rowsOf(web, `select t::text from ${name} t`))
    expect([name, text.includes('amina')]).toEqual([name, false])
  }
  expect(await importCsv(web, `email\n${email}\n`, { basis: 'moved' })).toMatchObject({
    suppressed: 1,
    active: 0,
  })
  await aSubscribedReader({ ...web }, email, ['le-matin'])
  expect((await aReader(web).get(fresh)).status).toBe(404)
})
