import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Context } from '../../src/context.ts'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/sending-digest.ts'
import { aSubscriber, subscribe } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

const aRoom = async () => {
  const { context } = await aWeb()
  const url = context.config.databaseUrl
  return { context, database: context.database, url, services: context.services }
}

/** Composes, sends and prepares; @returns the digest's id */
async function sendNow({ services }: Context, slug: string, input: object = {}): Promise<number> {
  const digest = await services.digests.compose(slug, { cadence: 'daily', ...input }, cli)
  const request = { actor: cli, version: () => digest.version, idempotencyKey: `k${digest.id}`, body: {} }
  await services.digestTransitions.send(digest.id, request)
  await services.preparing.prepare(digest.id)
  return digest.id
}

const settle = (url: string, digestId: number, state: string) =>
  query(url, `update deliveries set state = $2 where digest_id = $1 and state = 'pending'`, [digestId, state])

/** What each subscriber gets of a digest, by headline. */
const copiesOf = async (url: string, digestId: number) => {
  const rows = await query<{ subscriber_id: string; titles: string[] | null; state: string }>(
    url,
    `select subscriber_id, state, (
       select array_agg(a.title order by array_position(v.article_ids, a.id)) from articles a
       where a.id = any(v.article_ids)) as titles
     from deliveries d left join variants v on v.id = d.variant_id where d.digest_id = $1`,
    [digestId],
  )
  return new Map(rows.map((row) => [Number(row.subscriber_id), row.titles ?? []]))
}

test('nothing comes twice: over alerts, digests and newsletters; what failed comes with the next', async () => {
  const { context, database, url } = await aRoom()
  const morning = await aNewsletter(database)
  const culture = await aNewsletter(database, { sections: ['culture'] })
  await anArticle(database, { title: 'A', sections: ['culture'] })
  const both = await aSubscriber(database, { newsletter: morning })
  await subscribe(database, both.id, { newsletter: culture })
  const one = await aSubscriber(database, { newsletter: culture })
  const failing = await aSubscriber(database, { newsletter: culture })

  await settle(url, await sendNow(context, morning.slug), 'accepted')
  const second = await sendNow(context, culture.slug)
  expect(await copiesOf(url, second)).toEqual(
    new Map([
      [both.id, []],
      [one.id, ['A']],
      [failing.id, ['A']],
    ]),
  )
  await query(
    url,
    `update deliveries set state = case when subscriber_id = $2 then 'rejected' else 'accepted' end
    where digest_id = $1 and state = 'pending'`,
    [second, failing.id],
  )

  await anArticle(database, { title: 'B', sections: ['culture'] })
  expect(await copiesOf(url, await sendNow(context, culture.slug))).toEqual(
    new Map([
      [both.id, ['B']],
      [one.id, ['B']],
      [failing.id, ['B', 'A']],
    ]),
  )
})

test('what was once in doubt counts as had, however it ended', async () => {
  const { context, database, url } = await aRoom()
  const newsletter = await aNewsletter(database)
  await anArticle(database, { title: 'A' })
  const reader = await aSubscriber(database, { newsletter })
  const first = await sendNow(context, newsletter.slug)
  await query(url, `update deliveries set state = 'skipped', reason = 'cancelled', ambiguous = 1`)
  expect(await copiesOf(url, first)).toEqual(new Map([[reader.id, ['A']]]))
  await anArticle(database, { title: 'B' })
  expect(await copiesOf(url, await sendNow(context, newsletter.slug))).toEqual(new Map([[reader.id, ['B']]]))
})

test('a weekly review looks at its own digests alone', async () => {
  const { context, database, url } = await aRoom()
  const daily = await aNewsletter(database)
  const weekly = await aNewsletter(database, {
    repeats: 'within-newsletter',
    cadences: [{ cadence: 'weekly', weekday: 5, time: '18:00', zone: 'Africa/Algiers' }],
  })
  const reader = await aSubscriber(database, { newsletter: daily })
  await subscribe(database, reader.id, { newsletter: weekly, cadence: 'weekly' })
  await anArticle(database, { title: 'A' })
  await settle(url, await sendNow(context, daily.slug), 'accepted')
  const review = await sendNow(context, weekly.slug, { cadence: 'weekly' })
  expect(await copiesOf(url, review)).toEqual(new Map([[reader.id, ['A']]]))
  await settle(url, review, 'accepted')
  const again = await sendNow(context, weekly.slug, { cadence: 'weekly' })
  expect(await context.services.digests.get(again)).toMatchObject({ state: 'skipped', audience: 0 })
})

test('who is not in the audience: other cadence, paused, pending, ended, suppressed; each is explained', async () => {
  const { context, database, url } = await aRoom()
  const newsletter = await aNewsletter(database, {
    cadences: [
      { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' },
      { cadence: 'weekly', weekday: 1, time: '07:00', zone: 'Africa/Algiers' },
    ],
  })
  await anArticle(database, { sections: ['culture'] })
  const reader = await aSubscriber(database, { newsletter })
  const others = {
    other_cadence: await aSubscriber(database, { newsletter, cadence: 'weekly' }),
    paused: await aSubscriber(database, { newsletter, pausedUntil: new Date(Date.now() + 86_400_000) }),
    not_activated: await aSubscriber(database, { newsletter, state: 'pending' }),
    ended_before: await aSubscriber(database, { newsletter, ended: 'unsubscribed' }),
    not_subscribed: await aSubscriber(database),
    suppressed: await aSubscriber(database, { newsletter }),
    nothing_new: await aSubscriber(database, { newsletter, sections: ['sport'] }),
  }
  await query(url, `insert into selections (kind, slug) values ('section', 'sport') on conflict do nothing`)
  await query(
    url,
    `update subscriptions set sections = (select array_agg(id) from selections where slug = 'sport')
    where subscriber_id = $1`,
    [others.nothing_new.id],
  )
  await query(
    url,
    `insert into suppressions (address_hmac, key_id, reason)
    select address_hmac, key_id, 'bounced' from subscribers where id = $1`,
    [others.suppressed.id],
  )
  const digestId = await sendNow(context, newsletter.slug)
  const late = await aSubscriber(database, { newsletter })
  const { services } = context
  expect([...(await copiesOf(url, digestId)).keys()].sort()).toEqual(
    [reader.id, others.nothing_new.id].sort(),
  )
  expect(await services.digests.get(digestId)).toMatchObject({
    audience: 2,
    counts: { pending: 1, skipped: 1 },
  })
  for (const [reason, subscriber] of Object.entries({ ...others, activated_after: late })) {
    expect(await services.digestProgress.explain(subscriber.id, digestId), reason).toMatchObject({
      reason,
      got: false,
    })
  }
  await settle(url, digestId, 'accepted')
  expect(await services.digestProgress.explain(reader.id, digestId)).toMatchObject({
    reason: 'accepted',
    got: true,
  })
})

test('the maximum is each reader’s own, and what exceeds it stays due', async () => {
  const { context, database, url } = await aRoom()
  const newsletter = await aNewsletter(database, { maxArticles: 2 })
  for (const title of ['A', 'B', 'C']) await anArticle(database, { title })
  const reader = await aSubscriber(database, { newsletter })
  const draft = await context.services.digests.compose(newsletter.slug, {}, cli)
  expect(draft.articles.map((article) => article.title)).toEqual(['C', 'B'])
  expect((await database.stores.digests.get(draft.id)).content?.more).toMatchObject({ count: 1 })
  await settle(url, await sendNow(context, newsletter.slug), 'accepted')
  expect(await copiesOf(url, await sendNow(context, newsletter.slug))).toEqual(new Map([[reader.id, ['A']]]))
})

test('HDR-1 replies go to the publication where nothing else is set', async () => {
  const { context, database } = await aRoom()
  const newsletter = await aNewsletter(database)
  await anArticle(database, {})
  const publication = await database.stores.publication.get()
  await database.stores.publication.update({ ...publication, contactEmail: 'desk@rivage.example' })
  const { id } = await context.services.digests.compose(newsletter.slug, {}, cli)
  const { content } = await database.stores.digests.get(id)
  expect(content?.newsletter.replyTo).toBe('desk@rivage.example')
})

test('what is due: the look-back, the beginning of the newsletter, its language and its sections', async () => {
  const { context, database } = await aRoom()
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  const newsletter = await aNewsletter(database, { sections: ['culture'], beganAt: hoursAgo(40) })
  await anArticle(database, {
    title: 'due',
    sections: ['a-la-une', 'culture'],
    publishedAt: hoursAgo(30).toISOString(),
  })
  await anArticle(database, { title: 'other section' })
  await anArticle(database, { title: 'other language', language: 'ar', sections: ['culture'] })
  await anArticle(database, {
    externalId: 'old',
    title: 'too old',
    sections: ['culture'],
    publishedAt: hoursAgo(50).toISOString(),
  })
  await anArticle(database, {
    title: 'before it began',
    sections: ['culture'],
    publishedAt: hoursAgo(45).toISOString(),
  })
  await anArticle(database, { title: 'draft', sections: ['culture'], state: 'draft' })
  const { services } = context
  const titlesOf = async (input: object) =>
    (await services.digests.compose(newsletter.slug, input, cli)).articles.map((article) => article.title)
  expect(await titlesOf({})).toEqual(['due'])
  // Named by an editor: neither date nor beginning matter.
  expect(await titlesOf({ pinned: ['old'] })).toEqual(['too old', 'due'])
  expect(await titlesOf({ articles: ['old'] })).toEqual(['too old'])
})

test('a story withdrawn while a digest is sent goes to nobody else, and the desk is told how many have it', async () => {
  const { context, database, url, services } = await aRoom()
  await services.editors.add({ email: 'desk@rivage.example', role: 'editor', language: 'fr' }, cli)
  const newsletter = await aNewsletter(database)
  await anArticle(database, { externalId: 'a', title: 'A' })
  await anArticle(database, { title: 'B', sections: ['culture'] })
  const got = await aSubscriber(database, { newsletter })
  const waiting = await aSubscriber(database, { newsletter })
  const inHand = await aSubscriber(database, { newsletter })
  await anArticle(database, { title: 'C', sections: ['sport'] })
  const digestId = await sendNow(context, newsletter.slug, { excluded: [] })
  await query(url, `update deliveries set state = 'accepted' where digest_id = $1 and subscriber_id = $2`, [
    digestId,
    got.id,
  ])
  await query(
    url,
    `update deliveries set state = 'claimed', lease_token = gen_random_uuid() where digest_id = $1 and subscriber_id = $2`,
    [digestId, inHand.id],
  )
  await services.articles.withdraw('a', 'Erreur', cli)
  expect(await copiesOf(url, digestId)).toEqual(
    new Map([
      [got.id, ['C', 'B', 'A']],
      [waiting.id, ['C', 'B']],
      [inHand.id, ['C', 'B']],
    ]),
  )
  const [row] = await query<{ state: string; lease_token: string | null }>(
    url,
    `select state, lease_token from deliveries where digest_id = $1 and subscriber_id = $2`,
    [digestId, inHand.id],
  )
  expect(row).toEqual({ state: 'pending', lease_token: null })
  const [mail] = await query<{ payload: object }>(
    url,
    `select payload from outbox where kind = 'desk-notice'`,
  )
  expect(mail?.payload).toMatchObject({ notice: 'article_withdrawn', values: { count: 1 } })
  expect(await services.digests.get(digestId)).toMatchObject({
    audience: 3,
    variants: [{ readers: 2 }, { readers: 1 }],
  })
})

test('schedules: the open draft starts at its time, once, by any number of replicas', async () => {
  const { database, url, services } = await aRoom()
  const newsletter = await aNewsletter(database)
  await anArticle(database)
  await aSubscriber(database, { newsletter })
  const [open] = await services.digests.listNext(newsletter.slug)
  expect(open).toMatchObject({
    state: 'draft',
    audience: 1,
    localDate: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string,
  })
  await query(
    url,
    `update digests set send_at = clock_timestamp() - interval '1 second', local_date = local_date - 7 where id = $1`,
    [open?.id],
  )
  await Promise.all([1, 2, 3].map(() => services.schedules.run()))
  expect(await services.digests.get(open?.id ?? 0)).toMatchObject({ state: 'preparing', frozen: true })
  await services.schedules.run()
  const all = await query<{ state: string }>(url, 'select state from digests')
  expect(all.filter((digest) => digest.state === 'preparing')).toHaveLength(1)
  expect(all.filter((digest) => digest.state === 'draft')).toHaveLength(1)
})

test('schedules: the time that an editor gave is kept, and the day has no second digest', async () => {
  const { database, url, services } = await aRoom()
  const newsletter = await aNewsletter(database)
  await anArticle(database)
  await aSubscriber(database, { newsletter })
  const [open] = await services.digests.listNext(newsletter.slug)
  const { id = 0, version = 0, sendAt } = open ?? {}
  const later = new Date(Date.parse(sendAt ?? '') + 5 * 3_600_000)
  await services.digestTransitions.schedule(id, { sendAt: later, version }, cli)
  await services.schedules.run()
  const [next, ...others] = await services.digests.listNext(newsletter.slug)
  expect(others).toEqual([])
  expect(next).toMatchObject({ id, state: 'scheduled', sendAt: later.toISOString() })
  expect(await query(url, 'select id from digests')).toHaveLength(1)

  // Due by the rule's time alone it stays; due by its own it starts.
  await query(url, `update digests set local_date = local_date - 7 where id = $1`, [id])
  await services.schedules.run()
  expect((await services.digests.get(id)).state).toBe('scheduled')
  await query(url, `update digests set send_at = clock_timestamp() where id = $1`, [id])
  await services.schedules.run()
  expect((await services.digests.get(id)).state).toBe('preparing')
})

test('schedules: more than two hours late is missed, and the desk is told once; without approval it waits', async () => {
  const { database, url, services } = await aRoom()
  await services.editors.add({ email: 'desk@rivage.example', role: 'editor', language: 'fr' }, cli)
  await services.editors.add({ email: 'reads@rivage.example', role: 'viewer', language: 'fr' }, cli)
  const newsletter = await aNewsletter(database, { approval: 'one' })
  await anArticle(database)
  await aSubscriber(database, { newsletter })
  const [open] = await services.digests.listNext(newsletter.slug)
  const id = open?.id ?? 0
  await query(url, `update digests set send_at = clock_timestamp() - interval '1 hour' where id = $1`, [id])
  await services.schedules.run()
  await services.schedules.run()
  expect(await services.digests.get(id)).toMatchObject({
    state: 'draft',
    approval: { dueAt: expect.any(String) as string },
  })
  await query(url, `update digests set send_at = clock_timestamp() - interval '3 hours' where id = $1`, [id])
  await services.schedules.run()
  await services.schedules.run()
  expect(await services.digests.get(id)).toMatchObject({ state: 'missed', reason: 'not_approved' })
  const notices = await query<{ notice: string }>(
    url,
    `select payload ->> 'notice' as notice from outbox order by id`,
  )
  expect(notices.map((mail) => mail.notice)).toEqual(['approval_due', 'digest_late', 'digest_missed'])
})

test('a changed time moves the open draft instead of making a second one', async () => {
  const { database, services } = await aRoom()
  const { slug } = await aNewsletter(database)
  const [before] = await services.digests.listNext(slug)
  await services.newsletters.change(
    slug,
    { cadences: [{ cadence: 'daily', time: '18:30', zone: 'Africa/Algiers' }] },
    cli,
  )
  const [after, ...others] = await services.digests.listNext(slug)
  expect(others).toEqual([])
  expect(after?.id).toBe(before?.id)
  expect(after?.sendAt).toMatch(/T17:30:00/)
})

test(
  'the ledger, by a model: whatever happens, nobody gets a story twice and none is lost silently',
  { timeout: 180_000 },
  async () => {
    const { context, database, url } = await aRoom()
    const { services } = context
    const newsletters = [
      await aNewsletter(database, { cadences: [] }),
      await aNewsletter(database, { cadences: [], sections: ['culture'] }),
    ]
    const people = [await aSubscriber(database), await aSubscriber(database), await aSubscriber(database)]
    let articles = 0
    // Who has a copy, wherever it is kept.
    await query(
      url,
      `create view held as select digest_id, subscriber_id, variant_id, state from deliveries
      union all select digest_id, unnest(subscriber_ids), variant_id, 'accepted' from variant_readers`,
    )
    const step = fc.oneof(
      fc.record({ do: fc.constant('publish' as const), culture: fc.boolean() }),
      fc.record({ do: fc.constant('withdraw' as const), n: fc.nat(5) }),
      fc.record({ do: fc.constant('subscribe' as const), who: fc.nat(2), to: fc.nat(1) }),
      fc.record({ do: fc.constant('leave' as const), who: fc.nat(2), to: fc.nat(1) }),
      fc.record({ do: fc.constant('send' as const), to: fc.nat(1), alert: fc.boolean() }),
      fc.record({
        do: fc.constant('settle' as const),
        as: fc.constantFrom('accepted', 'rejected', 'deferred', 'expired', 'uncertain'),
      }),
      // The details of what has ended move, and the work may break off anywhere.
      fc.record({ do: fc.constant('age' as const), rows: fc.integer({ min: 1, max: 3 }) }),
    )
    const play = async (steps: (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]) => {
      for (const action of steps) {
        if (action.do === 'publish') {
          articles += 1
          await anArticle(database, {
            externalId: `m${articles}`,
            sections: [action.culture ? 'culture' : 'sport'],
          })
        }
        if (action.do === 'withdraw' && articles > action.n) {
          await services.articles.withdraw(`m${articles - action.n}`, 'Erreur', cli)
        }
        if (action.do === 'subscribe') {
          await query(
            url,
            `insert into subscriptions (subscriber_id, newsletter_id, state, cadence, alerts, activated_at)
          values ($1, $2, 'active', 'daily', true, now()) on conflict (subscriber_id, newsletter_id)
          do update set state = 'active', ended_reason = null`,
            [people[action.who]?.id, newsletters[action.to]?.id],
          )
        }
        if (action.do === 'leave') {
          await query(
            url,
            `update subscriptions set state = 'ended', ended_reason = 'unsubscribed'
          where subscriber_id = $1 and newsletter_id = $2`,
            [people[action.who]?.id, newsletters[action.to]?.id],
          )
        }
        if (action.do === 'send') await sendNow(context, newsletters[action.to]?.slug ?? '')
        if (action.do === 'settle') {
          await query(url, `update deliveries set state = $1 where state in ('pending', 'deferred')`, [
            action.as,
          ])
        }
        if (action.do === 'age') {
          const ended = await query<{ id: string }>(
            url,
            `select id from digests where audience > 0 and not exists (select from deliveries
            where digest_id = digests.id and state in ('pending', 'claimed', 'committing', 'deferred'))`,
          )
          for (const { id } of ended)
            await database.transaction((tx) => tx.retention.moveDeliveries(Number(id), 0, action.rows))
        }
      }
      const doubled = await query(
        url,
        `
      select d.subscriber_id, a.id from held d join variants v on v.id = d.variant_id, unnest(v.article_ids) a (id)
      where d.state in ('accepted', 'uncertain', 'pending', 'deferred') group by 1, 2 having count(*) > 1`,
      )
      expect(doubled).toEqual([])
      const unbalanced = await query(
        url,
        `
      select g.id from digests g where audience is not null
        and audience <> (select count(*) from deliveries d where d.digest_id = g.id)
          + (select coalesce(sum(n), 0) from digest_results r where r.digest_id = g.id)`,
      )
      expect(unbalanced).toEqual([])
      // Whoever is subscribed and has no copy of a public story gets it with the next digest.
      for (const newsletter of newsletters) {
        const digestId = await sendNow(context, newsletter.slug)
        const missed = await query(
          url,
          `
        select s.subscriber_id, a.id from subscriptions s, articles a
        where s.newsletter_id = $1 and s.state = 'active' and a.state = 'published' and a.first_public_at > now() - interval '2 days'
          and ($2 or exists (select from article_selections x join selections c on c.id = x.selection_id
            where x.article_id = a.id and c.slug = 'culture'))
          and not exists (
            select from held d join variants v on v.id = d.variant_id
            where d.subscriber_id = s.subscriber_id and a.id = any(v.article_ids)
              and d.state in ('accepted', 'uncertain', 'pending', 'deferred'))`,
          [newsletter.id, newsletter.sections.length === 0],
        )
        expect(missed).toEqual([])
        await settle(url, digestId, 'accepted')
      }
      await query(url, `update articles set first_public_at = first_public_at - interval '3 days'`)
    }
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), play), {
      numRuns: 12,
      endOnFailure: true,
    })
  },
)

test('a delivery that a withdrawal could not see is put right by the next claim, and never let go before', async () => {
  const { context, database, url, services } = await aRoom()
  const newsletter = await aNewsletter(database)
  await anArticle(database, { externalId: 'a', title: 'A' })
  await anArticle(database, { title: 'B', sections: ['culture'] })
  const [recovered, claimed] = [
    await aSubscriber(database, { newsletter }),
    await aSubscriber(database, { newsletter }),
  ]
  const digestId = await sendNow(context, newsletter.slug)
  await query(url, `update deliveries set state = 'committing' where digest_id = $1`, [digestId])
  await services.articles.withdraw('a', 'Erreur', cli)
  // Taken up from a dead worker while the withdrawal ran; one was even claimed before its commit.
  await query(
    url,
    `update deliveries set state = 'pending', lease_token = null where digest_id = $1 and subscriber_id = $2`,
    [digestId, recovered.id],
  )
  const token = randomUUID()
  await query(
    url,
    `update deliveries set state = 'claimed', lease_token = $3, lease_until = now() + interval '1 minute'
     where digest_id = $1 and subscriber_id = $2`,
    [digestId, claimed.id, token],
  )
  const leases = database.stores.deliveries.leasesOf(digestId, context.sendingTimes)
  const held = [{ key: claimed.id, token }]
  expect(await leases.record(held)).toEqual(new Set())
  expect(await leases.release(held)).toEqual(new Set([claimed.id]))
  const { claimed: taken } = await leases.claim(10, 0)
  expect(taken.map(({ articleIds }) => articleIds.length)).toEqual([1, 1])
  expect([...(await copiesOf(url, digestId)).values()]).toEqual([['B'], ['B']])
})

test('a withdrawal during a preparation waits for it, and finds what it has made', async () => {
  const { database, url, services } = await aRoom()
  const newsletter = await aNewsletter(database)
  await anArticle(database, { externalId: 'a', title: 'A' })
  await anArticle(database, { title: 'B', sections: ['culture'] })
  const reader = await aSubscriber(database, { newsletter })
  const { id, version } = await services.digests.compose(newsletter.slug, {}, cli)
  await services.digestTransitions.send(id, {
    actor: cli,
    version: () => version,
    idempotencyKey: 'once',
    body: {},
  })
  const articleIds =
    (await database.stores.digests.get(id)).content?.articles.map((article) => article.id) ?? []
  const { promise: isPrepared, resolve: prepared } = Promise.withResolvers<undefined>()
  const { promise: mayCommit, resolve: commit } = Promise.withResolvers<undefined>()
  const preparing = database.transaction(async (stores) => {
    const of = { newsletterId: newsletter.id, cadence: 'daily', isLetter: false, copyOf: null } as const
    const ask = { digestId: id, articleIds, ...of }
    await stores.variants.insertDeliveries({ ...ask, isWithinNewsletter: false }, 12)
    prepared(undefined)
    await mayCommit
  })
  await isPrepared
  const withdrawing = services.articles.withdraw('a', 'Erreur', cli)
  await expect
    .poll(() =>
      query(url, `select from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'for update'`),
    )
    .toHaveLength(1)
  commit(undefined)
  await Promise.all([preparing, withdrawing])
  expect(await copiesOf(url, id)).toEqual(new Map([[reader.id, ['B']]]))
})

test('two stories withdrawn one after the other: every version follows to the last', async () => {
  const { context, database, url, services } = await aRoom()
  const newsletter = await aNewsletter(database)
  for (const externalId of ['a', 'b', 'c']) {
    await anArticle(database, { externalId, title: externalId.toUpperCase(), sections: [] })
  }
  await aSubscriber(database, { newsletter })
  const digestId = await sendNow(context, newsletter.slug)
  await query(url, `update deliveries set state = 'committing', ambiguous = 1 where digest_id = $1`, [
    digestId,
  ])
  await services.articles.withdraw('a', 'Erreur', cli)
  await services.articles.withdraw('b', 'Erreur', cli)
  await query(url, `update deliveries set state = 'pending', lease_token = null where digest_id = $1`, [
    digestId,
  ])
  await database.stores.deliveries.leasesOf(digestId, context.sendingTimes).claim(10, 0)
  expect([...(await copiesOf(url, digestId)).values()]).toEqual([['C']])
  const { articles } = await services.digests.get(digestId)
  expect(articles).toMatchObject([
    { externalId: 'c', withdrawnAt: null },
    { externalId: 'b', readers: 0, inDoubt: 1 },
    { externalId: 'a', readers: 0, inDoubt: 1 },
  ])
})
