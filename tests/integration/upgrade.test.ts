import { expect, onTestFinished, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import { openReference } from '../../src/domain/delivery/mail-reference.ts'
import { createLogger } from '../../src/log.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aConfig } from '../support/config.ts'
import { query } from '../support/query.ts'
import { quickTimes } from '../support/sending.ts'
import { aSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { runSql } from '../support/sql.ts'
import { anOldDatabase, anUpgradedDatabase, oldNewsroom } from '../support/upgrade.ts'
import { aWeb } from '../support/web.ts'
import { countByState } from '../support/sending-digest.ts'

const env = { SECRET_KEY: oldNewsroom.secretKey, PUBLIC_URL: oldNewsroom.publicUrl }

const theWeb = async () =>
  aWeb({ databaseUrl: await anUpgradedDatabase(), env: { ...env, FEED_LIMIT: 'off' }, hasNewsroom: true })

/** The worker's services on the upgraded database; nothing repeats by itself. */
async function theWorker(databaseUrl: string, sink: SmtpSink) {
  const context = createContext(aConfig(databaseUrl, { ...env, SMTP_URL: sink.url, SMTP_CONNECTIONS: '4' }), {
    log: createLogger('silent', 'worker'),
    sendingTimes: quickTimes,
  })
  onTestFinished(() => context.close())
  await context.services.presence.beat()
  return context
}

const pathOf = (url: string) => url.slice(oldNewsroom.publicUrl.length)

test('what readers and other sites hold is served as before: guids, ids, slugs, short URLs, old paths', async () => {
  const web = await theWeb()
  const url = web.context.config.databaseUrl
  expect(
    await query(
      url,
      `select external_id as "externalId", guid, slug, short_code as "shortCode", language, state, old_path as "oldPath"
       from articles order by id`,
    ),
  ).toEqual(oldNewsroom.articles)
  expect(await query(url, 'select external_id as "externalId", guid from responses order by id')).toEqual(
    oldNewsroom.responses,
  )
  for (const { slug, shortCode, oldPath } of oldNewsroom.articles.filter(
    ({ state }) => state === 'published',
  )) {
    const target = expect.stringContaining(`/articles/${encodeURIComponent(slug)}`) as string
    for (const path of [`/s/${shortCode}`, ...(oldPath === null ? [] : [oldPath])]) {
      const answer = await web.fetch(path)
      expect([path, answer.status, answer.headers.get('location')]).toEqual([path, 301, target])
    }
    expect((await web.fetch(`/articles/${encodeURIComponent(slug)}`)).status).toBe(200)
  }
})

test('a section without a slug, as earlier versions made of a name without a letter, can be opened', async () => {
  const databaseUrl = await anOldDatabase()
  await runSql(databaseUrl, `insert into selections (kind, slug, names) values ('section', '', '{"fr":"★"}')`)
  await migrate(databaseUrl)
  const web = await aWeb({ databaseUrl, env, hasNewsroom: true })
  const sections = await web.context.services.selections.list('section')
  const { slug } = sections.find(({ names }) => names['fr'] === '★') ?? {}
  expect(slug).toMatch(/^section-\d+$/)
  for (const path of ['', '/rss.xml']) expect((await web.fetch(`/sections/${slug}${path}`)).status).toBe(200)
})

test('feeds that readers hold keep their entries and their ids, and never grow older', async () => {
  const web = await theWeb()
  await web.context.services.feeds.renewAll()
  while (await web.context.services.feeds.renderChanged());
  for (const { path, lastModified } of oldNewsroom.feeds) {
    const answer = await web.fetch(path)
    expect([path, answer.status]).toEqual([path, 200])
    expect(Date.parse(answer.headers.get('last-modified') ?? '')).toBeGreaterThanOrEqual(
      Date.parse(lastModified),
    )
    const ids = [...(await answer.text()).matchAll(/<id>([^<]*)<\/id>/g)].map(([, id]) => id)
    // Guids that are no IRI, which Atom may not have as ids: those alone were given others.
    const known = (oldNewsroom.atomIds[path] ?? []).filter((id) => /^(?:https?|urn):/.test(id))
    // Two stories came after the feeds were read; what was in them stays, in its order.
    expect(ids.filter((id) => known.includes(id ?? ''))).toEqual(known)
  }
})

test('links and addresses in mails that left do what they did', async () => {
  const web = await theWeb()
  const { keyring, services, database } = web.context
  for (const [url, status] of Object.entries(oldNewsroom.links)) {
    expect([url, (await web.fetch(pathOf(url))).status]).toEqual([url, status])
  }
  for (const { from, kind } of oldNewsroom.mails) {
    const sealed = /^b\+([^@]*)@/.exec(from)?.[1] ?? ''
    expect(openReference(keyring, 'bounce', sealed)?.kind).toBe(kind === 'digest' ? 'digest' : 'outbox')
  }
  const subscriptionsOf = async (address: string) => {
    const subscriber = await database.stores.subscribers.findByAddress(address)
    return (await database.stores.subscriptions.list(subscriber?.id ?? 0)).map(({ state }) => state)
  }
  const activationOf = async (to: string) => {
    const link = oldNewsroom.mails.find((mail) => mail.kind === 'activation' && mail.to === to)?.urls[0] ?? ''
    return services.activations.open(pathOf(link).replace('/activate/', ''), undefined)
  }
  expect(await activationOf('actif-1@reader.example')).toMatchObject({ state: 'activated' })
  expect(await activationOf('refuse@reader.example')).toMatchObject({ state: 'refused' })
  const waiting = await activationOf('ouvert-2@reader.example')
  expect(waiting).toMatchObject({ state: 'open', language: 'ar' })
  await services.activations.activate(waiting.id, 'button')
  expect(await subscriptionsOf('ouvert-2@reader.example')).toEqual(['active'])

  const digest = oldNewsroom.mails.find(({ to }) => to === 'qari-1@reader.example')
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  expect((await web.fetch(pathOf(digest?.oneClick ?? ''), { method: 'POST', body })).status).toBe(200)
  expect(await subscriptionsOf('qari-1@reader.example')).toEqual(['ended'])
})

test('keys and sign-in links of the desk still open it', async () => {
  const web = await theWeb()
  const headers = { authorization: `Bearer ${oldNewsroom.apiKey}` }
  const answer = await web.fetch(`/api/v1/digests/${oldNewsroom.digests.middle}`, { headers })
  expect(await answer.json()).toMatchObject({
    state: 'sending',
    audience: 99,
    counts: { accepted: 12, pending: 35 },
  })
  expect((await web.fetch(pathOf(oldNewsroom.signInLink))).status).toBe(200)
})

test('a digest that was being sent goes on, once to each; as a copy elsewhere only after it is confirmed', async () => {
  const url = await anUpgradedDatabase()
  const sink = await aSmtpSink()
  const { services, database } = await theWorker(url, sink)
  const { middle, paused, approved, completed } = oldNewsroom.digests
  await services.sending.deliverDigest(middle)
  await services.sending.deliverMail()
  expect(sink.received).toEqual([])
  expect(await services.restoredCopy.confirm({ kind: 'cli', role: 'admin' })).toBe(1)

  const round = async () => {
    await services.presence.beat()
    await services.sending.recover()
    await services.sending.deliverDigest(middle)
    await services.signupDecisions.decideAll()
    await services.sending.deliverMail()
    return (await database.stores.digests.get(middle)).state
  }
  await expect.poll(round, { timeout: 60_000 }).toBe('completed_with_uncertain')
  // Four conversations were cut off by the kill, one by the server: the policy is to hold.
  expect(await countByState(database, middle)).toMatchObject({
    accepted: 12 + 44 + 35 + 1,
    uncertain: 4 + 1,
    rejected: 1,
    skipped: 1,
  })
  const receivers = (isOfDigest: boolean) =>
    sink.received.filter(({ raw }) => raw.includes('List-Id:') === isOfDigest).flatMap(({ to }) => to)
  const copies = [...oldNewsroom.copiesOfMiddle, ...receivers(true)]
  expect(copies).toHaveLength(12 + 44 + 35 + 1 + 5)
  expect(new Set(copies).size).toBe(copies.length)
  expect(receivers(false).sort()).toEqual(
    ['attend-1', 'attend-2', 'indecis', 'ouvert-1'].map((name) => `${name}@reader.example`),
  )
  const states = await query(url, 'select state from digests where id = any($1) order by id', [
    [completed, approved, paused],
  ])
  expect(states).toEqual([{ state: 'completed' }, { state: 'approved' }, { state: 'paused' }])
})
