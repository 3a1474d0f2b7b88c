import { expect, test } from 'vitest'
import { largeAudience } from '../../src/store/digests/audience.ts'
import type { Newsletter } from '../../src/domain/newsletter.ts'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/sending-digest.ts'
import { recordStatements } from '../support/statements.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

/** Every other one of them chose culture alone; without the slow ways that a person takes. */
const addReaders = (url: string, { id }: Newsletter, n: number) =>
  query(
    url,
    `with people as (
      insert into subscribers (address, address_hmac, key_id, language)
      select address, sha256(address::bytea), 'k', 'fr'
      from generate_series(1, ${n}) n, lateral (select 'l' || n || '-' || random() || '@example.org' as address) made
      returning id)
    insert into subscriptions (subscriber_id, newsletter_id, state, cadence, sections, activated_at)
    select id, ${id}, 'active', 'daily',
      case when id % 2 = 0 then '{}' else array(select id from selections where slug = 'culture') end, now()
    from people`,
  )

async function aLargeRoom() {
  const { context } = await aWeb()
  const { database, services, config } = context
  const newsletter = await aNewsletter(database)
  await anArticle(database, { title: 'Le musée', sections: ['culture'] })
  await anArticle(database, { title: 'Le port', sections: ['ville'] })
  await addReaders(config.databaseUrl, newsletter, largeAudience)
  const statements = recordStatements()
  /** Who is subscribed is read where readers are counted, and nowhere else here. */
  const countings = () => statements.splice(0).filter((text) => text.includes('from subscriptions s')).length
  const compose = () => services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  const send = async ({ id, version }: { id: number; version: number }) => {
    const request = { actor: cli, version: () => version, idempotencyKey: `k${id}`, body: {} }
    await services.digestTransitions.send(id, request)
  }
  return { database, services, url: config.databaseUrl, newsletter, countings, compose, send }
}

const readersOf = (digest: { variants: { readers: number }[] }) =>
  digest.variants.map(({ readers }) => readers)

test('a large audience is counted once for composing, previewing, changing and sending, and exactly for what goes out', async () => {
  const { services, url, newsletter, countings, compose, send } = await aLargeRoom()
  const draft = await compose()
  expect(readersOf(draft)).toEqual([largeAudience / 2, largeAudience / 2])
  expect(countings()).toBe(1)

  await addReaders(url, newsletter, 2)
  await services.digestPreview.get(draft.id, { format: 'html' })
  const changed = await services.digests.change(draft.id, { subject: 'Ce matin' }, draft.version, cli)
  const other = await compose()
  expect(readersOf(other)).toEqual([largeAudience / 2, largeAudience / 2])
  await send(changed)
  expect(countings()).toBe(0)

  await services.preparing.prepare(changed.id)
  expect(await services.digests.get(changed.id)).toMatchObject({
    state: 'sending',
    audience: largeAudience + 2,
  })
})

test('it is counted again where it is no longer true: a digest that is sent, one that is cancelled, many who came, a merge', async () => {
  const { database, services, url, newsletter, countings, compose, send } = await aLargeRoom()
  const first = await compose()
  await send(first)
  await services.preparing.prepare(first.id)
  countings()
  expect(await compose()).toMatchObject({ articles: [], variants: [] })
  expect(countings()).toBe(1)

  await services.digestTransitions.cancel(first.id, cli)
  let last: number | undefined = 0
  while (last !== undefined) last = await database.stores.runningDigests.skipCancelled(first.id, last)
  countings()
  expect(readersOf(await compose())).toEqual([largeAudience / 2, largeAudience / 2])
  expect(countings()).toBe(1)

  await addReaders(url, newsletter, largeAudience / 50)
  expect(readersOf(await compose())).toEqual([largeAudience * 0.51, largeAudience * 0.51])
  expect(countings()).toBe(1)

  await anArticle(database, { title: 'Le bac', sections: ['port'] })
  expect((await compose()).variants).toHaveLength(2)
  await services.selections.merge('section', 'culture', 'port', cli)
  countings()
  expect((await compose()).articles.map(({ title }) => title)).toContain('Le musée')
  expect(countings()).toBe(1)
})

test('readers who get the weekly in place of a daily that is given up are counted at once', async () => {
  const { context } = await aWeb()
  const { database, services, config } = context
  const at = { time: '07:00', zone: 'Africa/Algiers' }
  const newsletter = await aNewsletter(database, {
    cadences: [
      { cadence: 'daily', ...at },
      { cadence: 'weekly', weekday: 5, ...at },
    ],
  })
  await anArticle(database, { sections: ['culture'] })
  await addReaders(config.databaseUrl, newsletter, largeAudience)
  const compose = () => services.digests.compose(newsletter.slug, { cadence: 'weekly' }, cli)
  expect(await compose()).toMatchObject({ audience: 0 })
  const schedules = newsletter.schedules.filter(({ cadence }) => cadence === 'weekly')
  await services.newsletters.change(newsletter.slug, { schedules }, cli)
  expect(await compose()).toMatchObject({ audience: largeAudience })
})

test('what was counted ten minutes ago is not used, and after an hour not kept', async () => {
  const { database, url, countings, compose } = await aLargeRoom()
  await compose()
  countings()
  await query(url, `update audience_counts set counted_at = counted_at - interval '11 minutes'`)
  await compose()
  expect(countings()).toBe(1)
  await database.stores.audience.deleteOld()
  expect(await query(url, 'select from audience_counts')).toHaveLength(1)
  await query(url, `update audience_counts set counted_at = counted_at - interval '61 minutes'`)
  await database.stores.audience.deleteOld()
  expect(await query(url, 'select from audience_counts')).toHaveLength(0)
})

test('what a worker counted serves every process and every draft, and letters are counted apart from digests', async () => {
  const { services, url, newsletter, countings, compose } = await aLargeRoom()
  const drafts = [await compose(), await compose(), await compose()]
  countings()
  await addReaders(url, newsletter, 2)
  await services.drafts.refreshAll()
  expect(countings()).toBe(1)
  for (const { id } of drafts)
    expect(readersOf(await services.digests.get(id))).toEqual([largeAudience / 2 + 1, largeAudience / 2 + 1])
  await compose()
  expect(countings()).toBe(0)
  const write = () => services.digests.compose(newsletter.slug, { kind: 'letter', intro: 'Bonjour.' }, cli)
  expect(readersOf(await write())).toEqual([largeAudience + 2])
  expect(countings()).toBe(1)
  expect(readersOf(await write())).toEqual([largeAudience + 2])
  expect(countings()).toBe(0)
})
