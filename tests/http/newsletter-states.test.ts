import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { importCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { activationPath, aReader, aSubscribedReader } from '../support/readers.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { until } from '../support/until.ts'
import { aWeb, type Web } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const cadences = [
  { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' },
  { cadence: 'weekly', weekday: 5, time: '18:00', zone: 'Africa/Algiers' },
] as const

async function aNewsroom() {
  const web = await aWeb()
  const { database } = web.context
  const newsletter = await aNewsletter(database, {
    slug: 'le-soir',
    name: 'Le Soir',
    cadences: [...cadences],
  })
  await aNewsletter(database, { slug: 'le-matin', name: 'Le Matin', position: 1 })
  await anArticle(database)
  const call = await web.api('editor')
  const become = async (state: string) => {
    const response = await call('PATCH', '/newsletters/le-soir', { state })
    expect([response.status, ((await response.json()) as { state: string }).state]).toEqual([200, state])
  }
  return { web, newsletter, call, become }
}

const text = async (web: Web, path: string) => (await web.fetch(path)).text()
const digestsOf = (web: Web) =>
  rowsOf(
    web,
    'select state, send_at is null as waits, local_date is null as by_hand from digests order by id',
  )

/** A digest by hand on its way to the newsletter's readers. */
async function aSendingDigest({ context }: Web): Promise<number> {
  const { digests, digestTransitions, preparing } = context.services
  const { id, version } = await digests.compose('le-soir', { cadence: 'daily' }, cli)
  const request = { actor: cli, version: () => version, idempotencyKey: 'click', body: {} }
  await digestTransitions.send(id, request)
  await preparing.prepare(id)
  return id
}

test('hidden: on no form and no list but its own, and open by its page and the API', async () => {
  const { web, become } = await aNewsroom()
  for (const path of ['/', '/subscribe', '/subscribe?embed=html', '/feeds'])
    expect(await text(web, path)).toContain('Le Soir')
  await become('hidden')
  for (const path of ['/', '/subscribe', '/subscribe?embed=html', '/feeds', '/feeds.opml'])
    expect(await text(web, path)).not.toContain('Le Soir')
  const page = await text(web, '/newsletters/le-soir')
  expect(page).toContain('noindex')
  expect(page).toContain('/subscribe?newsletters=le-soir')
  expect(await text(web, '/subscribe?newsletters=le-soir')).toMatch(/value="le-soir" checked/)
  const unnamed = await web.context.services.signups.read({ email: 'amina@reader.example' }, 'fr')
  expect(unnamed.wanted.newsletters).toEqual(['le-matin'])
  const { reader, subscriber } = await aSubscribedReader(web, 'amina@reader.example', ['le-soir'])
  const other = await aSubscriber(web.context.database)
  const preferencesOf = async (id: number) =>
    (await reader.get(new URL(web.context.services.subscriptionLinks.preferencesUrl(id)).pathname)).text()
  expect(await preferencesOf(subscriber.id)).toContain('Le Soir')
  expect(await preferencesOf(other.id)).not.toContain('Le Soir')
})

test('paused: nothing is opened, started or resumed; its people and cadences are there when it goes on', async () => {
  const { web, newsletter, call, become } = await aNewsroom()
  const { services } = web.context
  const reader = await aSubscriber(web.context.database, { newsletter, cadence: 'weekly' })
  await aSubscriber(web.context.database, { newsletter })
  await services.digests.listNext('le-soir')
  const id = await aSendingDigest(web)
  await rowsOf(
    web,
    `update digests set state = 'scheduled', send_at = now() + interval '1 minute' where cadence = 'weekly'`,
  )
  await become('paused')
  // What the version before this one goes by.
  expect(await rowsOf(web, `select from newsletter_cadences where newsletter_id = ${newsletter.id}`)).toEqual(
    [],
  )
  const stopped = [
    { state: 'draft', waits: true, by_hand: false },
    { state: 'draft', waits: true, by_hand: false },
    { state: 'paused', waits: true, by_hand: true },
  ]
  expect(await digestsOf(web)).toEqual(stopped)
  await services.schedules.run()
  await services.newsletters.endReaders()
  expect((await digestsOf(web)).slice(0, 3)).toEqual(stopped)
  for (const [path, body] of [
    ['/newsletters/le-soir/digests', { cadence: 'daily' }],
    [`/digests/${id}/resume`, {}],
    ['/digests/1/schedule', { sendAt: new Date(Date.now() + 3_600_000).toISOString() }],
  ] as const) {
    const refused = await call('POST', path, body)
    expect([refused.status, (await refused.json()) as { code: string }]).toMatchObject([
      409,
      { code: 'newsletter_paused' },
    ])
  }
  // As a process that knows of no pause would have sent it.
  await rowsOf(web, `update digests set state = 'preparing', resume_state = null where id = ${id}`)
  await services.preparing.prepare(id)
  expect((await digestsOf(web)).slice(0, 3)).toEqual(stopped)
  expect(await text(web, '/newsletters/le-soir')).toContain('en pause')
  expect(await (await call('GET', '/newsletters/le-soir')).json()).toMatchObject({
    cadences,
    state: 'paused',
  })
  // Whoever signs up meanwhile gets a cadence that it has.
  await aSubscribedReader(web, 'amina@reader.example', ['le-soir'])
  await become('public')
  expect(await services.digests.listNext('le-soir')).toMatchObject([
    { state: 'draft', audience: 1 },
    { state: 'draft', audience: 1 },
  ])
  expect((await call('POST', `/digests/${id}/resume`, {})).status).toBe(200)
  expect(await web.context.database.stores.subscriptions.list(reader.id)).toMatchObject([{ state: 'active' }])
  const [entry] = await rowsOf<{ detail: object }>(
    web,
    `select detail from audit where action = 'newsletter.changed' order by id`,
  )
  expect(entry?.detail).toEqual({ state: 'public → paused' })
})

test('ended: nobody gets anything more but one mail, each consent says why, and nothing begins again', async () => {
  const { web, newsletter, call, become } = await aNewsroom()
  const { services, database } = web.context
  const { reader, subscriber } = await aSubscribedReader(web, 'amina@reader.example', ['le-soir'])
  await aSubscriber(database, { newsletter, state: 'pending' })
  const gone = await aSubscriber(database, { newsletter })
  await services.subscriptions.leave({ subscriberId: gone.id, newsletterId: newsletter.id, digestId: 1 })
  const waiting = await services.signups.read({ email: 'karim@reader.example', newsletters: 'le-soir' }, 'fr')
  await services.signups.signUp(waiting, {
    ipPrefix: undefined,
    userAgent: undefined,
    browser: undefined,
    language: 'fr',
  })
  await services.signupDecisions.decideAll()
  const pending = await activationPath(web, 'karim@reader.example')
  await services.digests.listNext('le-soir')
  await aSendingDigest(web)
  await become('ended')
  expect((await digestsOf(web)).map((row) => (row as { state: string }).state)).toEqual([
    'cancelled',
    'cancelled',
    'cancelled',
  ])
  for (let n = 0; n < 2; n += 1) {
    await services.newsletters.endReaders()
    await services.schedules.run()
  }
  expect(
    await rowsOf(
      web,
      `select kind, subscriber_id::int as id, payload from outbox where kind = 'newsletter-ended'`,
    ),
  ).toEqual([{ kind: 'newsletter-ended', id: subscriber.id, payload: { newsletter: 'le-soir' } }])
  expect(
    await rowsOf(
      web,
      `select from subscriptions s join newsletters n on n.id = newsletter_id where n.slug = 'le-soir' and s.state <> 'ended'`,
    ),
  ).toEqual([])
  expect((await database.stores.consents.list(subscriber.id)).at(-1)).toMatchObject({
    event: 'ended',
    newsletter: 'le-soir',
    reason: 'newsletter_ended',
  })
  // An old mail's links: of a signup, of who left, to the preferences.
  expect(await (await aReader(web).get(pending)).text()).toContain('Cette lettre s’est arrêtée')
  const ref = { subscriberId: gone.id, newsletterId: newsletter.id, digestId: 1 }
  expect(await services.subscriptions.undo(ref)).toBe(false)
  const links = services.subscriptionLinks
  const unsubscribe = new URL(links.unsubscribeUrl(ref)).pathname
  expect(await (await reader.get(unsubscribe)).text()).not.toContain('value="undo"')
  expect(
    await (await reader.get(new URL(links.preferencesUrl(subscriber.id)).pathname)).text(),
  ).not.toContain('Le Soir')
  for (const path of ['/', '/subscribe', '/subscribe?newsletters=le-soir'])
    expect(await text(web, path)).not.toContain('Le Soir')
  const log = await (await (await signedIn(web, 'admin')).get('/audit')).text()
  expect(log).toMatch(/État[^<]*<bdi>publique<\/bdi> → <bdi>terminée<\/bdi>/)
  expect(log).toContain('href="/desk/newsletters/le-soir"')
  const page = await text(web, '/newsletters/le-soir')
  expect(page).toContain('s’est arrêtée')
  expect(page).not.toContain('/subscribe?newsletters=le-soir')
  expect((await web.fetch('/newsletters/le-soir/rss.xml')).status).toBe(200)
  const asked = await call('POST', '/subscriptions', {
    email: 'x@reader.example',
    newsletters: ['le-soir'],
    ip: '192.0.2.1',
  })
  expect([asked.status, await asked.json()]).toMatchObject([422, { code: 'newsletter_ended' }])
  const report = await importCsv(
    web,
    'email,newsletters\na@reader.example,le-soir\nb@reader.example,le-matin\n',
  )
  expect(report).toMatchObject({ pending: 1, invalid: 1 })
  expect((await call('POST', '/newsletters/le-soir/digests', {})).status).toBe(409)
  // Should it go on, nobody is subscribed again.
  await become('public')
  await services.newsletters.endReaders()
  expect((await services.newsletters.listWithReaders()).map(({ readers }) => readers)).toEqual([0, 0])
})

test('once an end is taken back, it ends nobody any more', async () => {
  const { web, newsletter, become } = await aNewsroom()
  const { services, database } = web.context
  const first = await aSubscriber(database, { newsletter })
  for (let n = 0; n < 150; n += 1) await aSubscriber(database, { newsletter })
  const countReaders = () => services.newsletters.countReaders(newsletter.id)
  const untilWaiting = (n: number) =>
    until(`${n} wait for a lock`, async () => {
      const waiting = await rowsOf(
        web,
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      return waiting.length >= n
    })
  await become('ended')
  const { ending, left } = await database.transaction(async (tx) => {
    // The first hundred are under way, and get no further.
    await tx.subscribers.lock(first.id)
    const ending = services.newsletters.endReaders()
    await untilWaiting(1)
    const left = become('public').then(countReaders)
    await Promise.race([left, untilWaiting(2)])
    return { ending, left }
  })
  await ending
  expect(await countReaders()).toBe(await left)
})

test('on the desk an end asks for its box, and what was typed stays', async () => {
  const { web, newsletter } = await aNewsroom()
  const desk = await signedIn(web, 'editor')
  await aSubscriber(web.context.database, { newsletter })
  const form = {
    name: 'Le Soir',
    language: 'fr',
    minArticles: '1',
    maxArticles: '12',
    repeats: 'never',
    template: 'digest',
    zone: 'Africa/Algiers',
  }
  const path = '/newsletters/le-soir'
  expect(await (await desk.get(path)).text()).toContain('un abonnement prend fin')
  const refused = await desk.post(path, { ...form, name: 'Le Soir !', state: 'ended' })
  expect(refused.status).toBe(422)
  const shown = await refused.text()
  expect(shown).toContain('cochez la case qui le confirme')
  expect(shown).toContain('value="Le Soir !"')
  expect(shown).toMatch(/value="ended" checked/)
  expect((await desk.post(path, { ...form, state: 'paused' })).status).toBe(303)
  expect(await (await desk.get('/')).text()).toContain('En pause')
  expect((await desk.post(path, { ...form, state: 'ended', confirmEnd: 'on' })).status).toBe(303)
  expect(await (await desk.get('/newsletters')).text()).toContain('terminée')
  expect(await (await desk.get('/')).text()).not.toContain('Le Soir')
  expect((await desk.post(path, { ...form, state: 'ended' })).status).toBe(303)
})
