import { expect, test } from 'vitest'
import type { DigestShape } from '../../src/services/digests/shape.ts'
import { openPortions } from '../../src/services/delivery/spread.ts'
import { anArticle } from '../support/articles.ts'
import { depeche } from '../support/cli.ts'
import { cloneDatabase } from '../support/database.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { aSender } from '../support/sending.ts'
import { aSmtpSink, type SinkFault } from '../support/smtp-sink.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

/** Readers 1, 2, …, of whom the first came first; one article, one worker, and a server that writes down who got it. */
async function aNewsroom(readers: number) {
  const url = await cloneDatabase()
  const web = await aWeb({ databaseUrl: url })
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  await anArticle(database, { title: 'Le phare se rallume' })
  await query(
    url,
    `with people as (
      insert into subscribers (address, address_hmac, language)
      select 'reader-' || n || '@d' || n % 50 || '.example', sha256(n::text::bytea), 'fr'
      from generate_series(1, $1::int) n returning id, address
    )
    insert into subscriptions (subscriber_id, newsletter_id, state, cadence, activated_at)
    select id, $2, 'active', 'daily', now() - interval '3 days'
      + make_interval(secs => split_part(substr(address, 8), '@', 1)::int) from people`,
    [readers, newsletter.id],
  )
  const sink = await aSmtpSink()
  const { sending } = await aSender(database, { smtpUrl: sink.url })
  const numbersSince = (from: number) =>
    sink.received.slice(from).map(({ to: [to = ''] }) => Number(/^reader-(\d+)@/.exec(to)?.[1]))
  const get = (id: number) => services.digests.get(id)
  const compose = () => services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  const start = async (id: number, spread?: boolean) => {
    const { version } = await get(id)
    const request = { actor: cli, version: () => version, idempotencyKey: `click ${id}`, body: {}, spread }
    await services.digestTransitions.send(id, request)
    await services.preparing.prepare(id)
  }
  return {
    ...{ url, web, database, services, newsletter, sink, sending, get, compose, start },
    /** What a worker does until nothing more goes now. @returns who got it, and where the digest stands */
    async work(id: number, { isQuick = false } = {}) {
      const from = sink.received.length
      await sending.recover()
      // As if the server had taken them, where it does not matter who they are.
      if (isQuick) {
        const taken = `state = 'accepted', committing_at = now(), accepted_at = now(), reason = null`
        await query(url, `update deliveries set ${taken} where digest_id = $1 and state = 'pending'`, [id])
      }
      await sending.deliverDigest(id)
      const after = await get(id)
      expect(sum(after)).toBe(after.audience)
      return { after, got: numbersSince(from).sort((a, b) => a - b) }
    },
    /** As if so many days had passed. */
    async pass(days: number) {
      const ago = `- make_interval(days => ${days})`
      await query(url, `update deliveries set next_at = next_at ${ago} where reason = 'spread'`)
      await query(
        url,
        `update digests set spread_next_at = spread_next_at ${ago}, expires_at = expires_at ${ago}`,
      )
    },
  }
}

const sum = ({ counts }: DigestShape) => Object.values(counts).reduce((all, n) => all + n, 0)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)
const hoursUntil = (at: string | null | undefined) => (Date.parse(at ?? '') - Date.now()) / 3_600_000

test('the newest 500 first, then twice as many each day, nobody twice, and the equation at every step', async () => {
  const room = await aNewsroom(2_000)
  const { id } = await room.compose()
  const { spread: offer } = await room.get(id)
  expect(offer).toMatchObject({ offered: true, chosen: null, running: false, sentLately: 0 })
  expect(offer?.days.map((day) => day.readers)).toEqual([500, 1_000, 500])

  await room.start(id, true)
  const prepared = await room.get(id)
  expect(prepared).toMatchObject({ state: 'sending', counts: { pending: 500, deferred: 1_500 } })
  // The last day is two from now, and a day is left for it.
  expect(hoursUntil(prepared.expiresAt)).toBeCloseTo(72, 1)
  const planned = await query<{ n: number; hours: number }>(
    room.url,
    `select count(*)::int as n, round(extract(epoch from next_at - now()) / 3600)::int as hours
     from deliveries where state = 'deferred' and reason = 'spread' group by next_at order by next_at`,
  )
  expect(planned).toEqual([
    { n: 1_000, hours: 24 },
    { n: 500, hours: 48 },
  ])

  const first = await room.work(id)
  expect(first.got).toEqual(range(1_501, 2_000))
  expect(first.after).toMatchObject({
    state: 'sending',
    spread: { running: true, waiting: 1_500, held: null },
  })
  expect(first.after.spread?.days.map((day) => day.readers)).toEqual([1_000, 500])
  expect(await room.services.digestProgress.get(id)).toMatchObject({ secondsLeft: null })
  // Whoever has it may open it in a browser, though the readers who came first still wait.
  expect((await room.web.fetch(`/digests/${id}`)).status).toBe(200)
  // Before the day is over nothing goes.
  expect((await room.work(id)).got).toEqual([])

  await room.pass(1)
  // Who has left is not one of the thousand.
  await query(
    room.url,
    `update subscriptions set state = 'ended', ended_reason = 'unsubscribed', ended_at = now()
     where subscriber_id in (select id from subscribers where address like 'reader-1499@%')`,
  )
  const second = await room.work(id)
  expect(second.got).toEqual(range(500, 1_500).filter((n) => n !== 1_499))
  expect(second.after).toMatchObject({ counts: { accepted: 1_500, skipped: 1, deferred: 499 } })

  await room.pass(1)
  const third = await room.work(id)
  expect(third.got).toEqual(range(1, 499))
  expect(third.after).toMatchObject({
    state: 'completed',
    spread: null,
    counts: { accepted: 1_999, skipped: 1 },
  })
  expect(new Set(room.sink.received.map(({ to }) => to[0])).size).toBe(room.sink.received.length)

  // The domain is known now.
  await anArticle(room.database, { title: 'La fanfare répète' })
  expect((await room.get((await room.compose()).id)).spread).toBeNull()
})

test('with refusals or complaints a day is for no more than the day before, and the desk is told', async () => {
  const room = await aNewsroom(2_200)
  const { id } = await room.compose()
  await room.start(id, true)
  // One in ten of the first portion: never five in a row of one kind that nobody was taken after.
  const fault: SinkFault = {
    at: 'rcpt',
    do: 'reply',
    reply: '550 5.1.1 no such user',
    recipients: '^.*reader-\\d+0@',
  }
  room.sink.faults.push(fault)
  const first = await room.work(id)
  expect(first.after.counts.rejected).toBeGreaterThan(25)
  room.sink.faults.length = 0

  await room.pass(1)
  const second = await room.work(id, { isQuick: true })
  expect(second.after.counts.accepted).toBe(first.after.counts.accepted + 500)
  expect(second.after.spread).toMatchObject({ held: 'refusals', waiting: 1_200 })
  expect(second.after.spread?.days.map((day) => day.readers)).toEqual([1_000, 200])
  expect(hoursUntil(second.after.expiresAt)).toBeGreaterThan(71)
  const kinds = (await room.services.schedules.listWarnings()).map((warning) => warning.kind)
  expect(kinds).toContain('spread_held')
  const desk = await signedIn(room.web, 'editor')
  expect(await (await desk.get(`/digests/${id}`)).text()).toContain(
    'Plus de 5 % de refus'.replace('5 %', '5\u00a0%'),
  )

  // The refusals are forgiven; one complaint in a thousand is enough.
  await query(room.url, `delete from bounces`)
  await query(
    room.url,
    `update deliveries set state = 'accepted', accepted_at = now() where state = 'rejected'`,
  )
  await query(
    room.url,
    `insert into bounces (subscriber_id, digest_id, source, class) select min(id), $1, 'arf', 'complaint' from subscribers`,
    [id],
  )
  await room.pass(1)
  expect((await room.work(id, { isQuick: true })).after.spread).toMatchObject({
    held: 'complaints',
    waiting: 700,
  })
  await query(room.url, `delete from bounces`)
  await room.pass(1)
  expect((await room.work(id, { isQuick: true })).after).toMatchObject({
    state: 'completed',
    counts: { accepted: 2_200 },
  })
})

test('an editor declines, before it goes and on the way; without an answer a program sends to all', async () => {
  const room = await aNewsroom(1_100)
  const declined = await room.compose()
  await room.start(declined.id, false)
  expect((await room.get(declined.id)).counts).toMatchObject({ pending: 1_100 })
  await room.services.digestTransitions.cancel(declined.id, cli)
  const plain = await room.compose()
  await room.start(plain.id)
  expect((await room.get(plain.id)).counts).toMatchObject({ pending: 1_100 })
  await room.services.digestTransitions.cancel(plain.id, cli)

  const { id } = await room.compose()
  await room.start(id, true)
  await room.work(id, { isQuick: true })
  await room.services.digestTransitions.spread(id, false, cli)
  const { after } = await room.work(id, { isQuick: true })
  expect(after).toMatchObject({ state: 'completed', counts: { accepted: 1_100 } })
  await expect(room.services.digestTransitions.spread(id, true, cli)).rejects.toMatchObject({
    code: 'wrong_state',
  })
})

test('by the clock nobody is asked: it is spread, unless the desk has declined', async () => {
  const room = await aNewsroom(1_100)
  const byClock = async (answer?: boolean) => {
    const { id } = await room.compose()
    await room.services.digestTransitions.schedule(
      id,
      { sendAt: new Date(Date.now() + 60_000), version: 'any' },
      cli,
    )
    if (answer !== undefined) await room.services.digestTransitions.spread(id, answer, cli)
    await query(room.url, `update digests set send_at = now() - interval '1 second' where id = $1`, [id])
    await room.services.schedules.run()
    await room.services.preparing.prepare(id)
    return room.get(id)
  }
  const declined = await byClock(false)
  expect(declined).toMatchObject({ counts: { pending: 1_100, deferred: 0 } })
  await room.services.digestTransitions.cancel(declined.id, cli)
  const unanswered = await byClock()
  expect(unanswered).toMatchObject({ counts: { pending: 500, deferred: 600 } })
  expect((await room.services.schedules.listWarnings()).map((warning) => warning.kind)).toContain(
    'digest_spread',
  )
})

test('a worker that dies while it opens a portion, and two that open it at once, open it once', async () => {
  const room = await aNewsroom(1_700)
  const { id } = await room.compose()
  await room.start(id, true)
  await room.work(id, { isQuick: true })
  await room.pass(1)
  await query(
    room.url,
    `create function die() returns trigger language plpgsql as $$ begin raise 'it died here'; end $$;`,
  )
  await query(
    room.url,
    `create trigger die before update of spread_portion on digests for each row execute function die()`,
  )
  await expect(openPortions(room.database)).rejects.toThrow('it died here')
  expect((await room.get(id)).counts).toMatchObject({ accepted: 500, pending: 0, deferred: 1_200 })
  await query(room.url, 'drop trigger die on digests')
  await Promise.all(Array.from({ length: 4 }, () => openPortions(room.database)))
  expect((await room.get(id)).counts).toMatchObject({ accepted: 500, pending: 1_000, deferred: 200 })
  // While somebody of a portion has not been tried, the next one waits, however late it is.
  await room.pass(2)
  await openPortions(room.database)
  expect((await room.get(id)).counts).toMatchObject({ pending: 1_000, deferred: 200 })
})

test('paused for days it opens one portion when it goes on; cancel ends all that wait', async () => {
  const room = await aNewsroom(2_000)
  const { id } = await room.compose()
  await room.start(id, true)
  await room.work(id, { isQuick: true })
  await room.services.digestTransitions.pause(id, cli)
  await room.pass(2)
  expect((await room.work(id)).after.counts.accepted).toBe(500)
  await room.services.digestTransitions.resume(id, cli)
  const { after } = await room.work(id, { isQuick: true })
  expect(after.counts).toMatchObject({ accepted: 1_500, deferred: 500 })
  expect(hoursUntil(after.spread?.days[0]?.at)).toBeCloseTo(24, 1)
  expect(hoursUntil(after.expiresAt)).toBeGreaterThan(47)
  await room.services.digestTransitions.cancel(id, cli)
  await room.sending.endCancelled()
  expect(await room.get(id)).toMatchObject({
    state: 'cancelled',
    spread: null,
    counts: { accepted: 1_500, skipped: 500 },
  })
})

test('the next digest goes to those who have had this one; who waits begins with this one', async () => {
  const room = await aNewsroom(1_100)
  const { id } = await room.compose()
  await room.start(id, true)
  await room.work(id, { isQuick: true })
  await anArticle(room.database, { title: 'La fanfare répète' })
  const next = await room.compose()
  expect(next).toMatchObject({ audience: 500, spread: null })
  await room.start(next.id)
  expect((await room.work(next.id, { isQuick: true })).after).toMatchObject({
    state: 'completed',
    audience: 1_100,
    counts: { accepted: 500, skipped: 600 },
  })
  const [oldest] = await query<{ id: number }>(room.url, 'select min(id)::int as id from subscribers')
  const why = async (digestId: number) =>
    (await room.services.digestProgress.explain(oldest?.id ?? 0, digestId)).reason
  expect([await why(id), await why(next.id)]).toEqual(['spread', 'waits_for_earlier'])
  expect((await room.services.schedules.listWarnings()).map((one) => one.kind)).not.toContain(
    'audience_dropped',
  )
})

test('the desk asks, by page, API and command line', async () => {
  const room = await aNewsroom(1_100)
  const { id } = await room.compose()
  const desk = await signedIn(room.web, 'editor')
  const page = async () => (await desk.get(`/digests/${id}`)).text()
  expect(await page()).toContain('L’envoyer sur plusieurs jours')
  expect(await page()).toMatch(/value="yes" checked/)
  // "Send now" begins now, whatever its time is.
  const sendAt = (at: string | null) =>
    query(room.url, 'update digests set send_at = $2 where id = $1', [id, at])
  await sendAt('2100-01-01')
  const [, send = ''] = /action="[^"]*\/send">(.*?)<\/form>/s.exec(await page()) ?? []
  expect(send).toMatch(/class="plan"><li>[^<]*: 500<\/li>/)
  expect(send).not.toMatch(/class="plan"><li>[^<]*2100/)
  await sendAt(null)
  const status = await depeche(room.url, ['digest', 'spread', String(id), 'no'])
  expect(status.stdout).toMatch(
    /spread {4}no; localhost sent 0 digests in 30 days\. Over days: .*: 500, .*: 600/,
  )
  expect(await page()).toMatch(/value="no" checked/)

  const call = await room.web.api('editor')
  const answered = await call('POST', `/digests/${id}/spread`, { spread: true })
  const { version } = (await answered.json()) as { version: number }
  const headers = { 'if-match': `"${version}"`, 'idempotency-key': 'click' }
  expect((await call('POST', `/digests/${id}/send`, {}, headers)).status).toBe(202)
  await room.services.preparing.prepare(id)
  const shape = (await (await call('GET', `/digests/${id}`)).json()) as DigestShape
  expect(shape).toMatchObject({
    spread: { running: true, waiting: 600 },
    counts: { pending: 500, deferred: 600 },
  })
  expect(await page()).toContain('600 personnes attendent leur tour')
  await desk.post(`/digests/${id}/spread`, { spread: 'no' })
  expect((await room.get(id)).counts).toMatchObject({ pending: 1_100, deferred: 0 })
})
