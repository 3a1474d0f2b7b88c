import { expect, test } from 'vitest'
import type { CadenceRule, Newsletter, Schedule } from '../../src/domain/newsletter.ts'
import { tellChanges } from '../../src/http/audit-words.ts'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const day = 86_400_000
const everyDay = [1, 2, 3, 4, 5, 6, 7]

/** A zone where it is noon now, or up to an hour later: what is before and after noon does not depend on the test's hour. */
const noonZone = (): string => {
  const hour = new Date().getUTCHours()
  return hour >= 12 ? `Etc/GMT+${hour - 12}` : `Etc/GMT-${12 - hour}`
}
const zone = noonZone()
const today = new Date(Date.now() + (12 - new Date().getUTCHours()) * 3_600_000).toISOString().slice(0, 10)
const tomorrow = new Date(Date.parse(today) + day).toISOString().slice(0, 10)

const daily = (times: string[], skip: string[] = []): Schedule => {
  return { cadence: 'daily', weekdays: everyDay, times, zone, skip }
}

async function aRoom(cadences: CadenceRule[] = [{ cadence: 'daily', time: '06:00', zone }]) {
  const { context } = await aWeb()
  const { database, services } = context
  const newsletter = await aNewsletter(database, { cadences })
  const change = (fields: Partial<Pick<Newsletter, 'cadences' | 'schedules'>>) =>
    services.newsletters.change(newsletter.slug, fields, cli)
  const next = async () => (await services.digests.listNext(newsletter.slug))[0]
  const rows = (sql: string, values: unknown[] = []) =>
    query<Record<string, unknown>>(context.config.databaseUrl, sql, values)
  return { database, services, newsletter, change, next, rows }
}

test('two digests a day: each once by any number of replicas, each story once', async () => {
  const { database, services, newsletter, change, next, rows } = await aRoom()
  await change({ schedules: [daily(['06:00', '18:00', '20:00'])] })
  await aSubscriber(database, { newsletter })
  await anArticle(database, { title: 'A' })
  const evening = await next()
  expect(evening).toMatchObject({
    localDate: today,
    audience: 1,
    schedule: 'tous les jours à 06:00, 18:00 et 20:00',
  })
  await rows(`update digests set send_at = clock_timestamp(), local_time = '06:00'`)
  await Promise.all([1, 2, 3].map(() => services.schedules.run()))
  await services.preparing.prepare(evening?.id ?? 0)
  await rows(`update deliveries set state = 'accepted'`)
  await anArticle(database, { title: 'B' })
  await Promise.all([1, 2, 3].map(() => services.schedules.run()))
  const opened = await rows(
    `select local_date::text, local_time::text, state from digests order by local_time`,
  )
  expect(opened).toEqual([
    { local_date: today, local_time: '06:00:00', state: 'sending' },
    { local_date: today, local_time: '18:00:00', state: 'draft' },
  ])
  const { id = 0 } = (await next()) ?? {}
  await services.drafts.getFresh(id)
  expect((await services.digests.get(id)).articles).toMatchObject([{ title: 'B' }])
})

test('a digest that goes before its time lasts as long as any, also where its time is moved meanwhile', async () => {
  const { database, services, newsletter, change, next, rows } = await aRoom()
  await change({ schedules: [daily(['18:00'])] })
  await aSubscriber(database, { newsletter })
  await anArticle(database, { title: 'A' })
  const id = (await next())?.id ?? 0
  const lasts = () =>
    rows(
      `select local_date::text, expires_at > now() + interval '20 hours' as for_a_day from digests where id = ${id}`,
    )
  const { version } = await services.digests.get(id)
  await services.digestTransitions.send(id, {
    actor: cli,
    version: () => version,
    idempotencyKey: 'early',
    body: {},
  })
  await change({ schedules: [daily(['19:00'])] })
  await services.preparing.prepare(id)
  expect(await lasts()).toEqual([{ local_date: today, for_a_day: true }])
})

test('an edited schedule moves the open draft, and leaves it where the day has had its digest', async () => {
  const { change, next, rows, services } = await aRoom()
  const before = await next()
  expect(before).toMatchObject({ localDate: tomorrow })
  await change({ schedules: [daily(['07:00'])] })
  const moved = await next()
  expect(moved).toMatchObject({ id: before?.id, localDate: tomorrow })
  expect(Date.parse(moved?.sendAt ?? '') - Date.parse(before?.sendAt ?? '')).toBe(3_600_000)
  await change({ schedules: [daily(['18:00'])] })
  expect(await next()).toMatchObject({ id: before?.id, localDate: today })
  await change({ schedules: [daily(['18:00'], [today])] })
  expect(await next()).toMatchObject({ id: before?.id, localDate: tomorrow, schedule: /sauf le/ })

  const sent = `insert into digests (newsletter_id, cadence, local_date, state) select newsletter_id, cadence, $1, 'completed' from digests`
  await rows(sent, [today])
  await change({ cadences: [{ cadence: 'daily', time: '18:00', zone }] })
  await services.schedules.run()
  expect(await next()).toMatchObject({ id: before?.id, localDate: tomorrow })
  expect(await rows('select from digests')).toHaveLength(2)
})

test('a week that was skipped is looked back over', async () => {
  const weekday = new Date(tomorrow).getUTCDay() || 7
  const rule = { cadence: 'weekly', weekday, time: '18:00', zone } as const
  const { database, change, next, services } = await aRoom([rule])
  await anArticle(database, { title: 'A', firstPublicAt: new Date(Date.now() - 12 * day) })
  const titles = async () => {
    const { id = 0 } = (await next()) ?? {}
    await services.drafts.getFresh(id)
    return (await services.digests.get(id)).articles.map(({ title }) => title)
  }
  expect(await titles()).toEqual([])
  const skip = [new Date(Date.parse(tomorrow) - 7 * day).toISOString().slice(0, 10)]
  await change({ schedules: [{ ...rule, every: 1, anchor: null, ofMonth: null, skip }] })
  expect(await titles()).toEqual(['A'])
})

test('cadences and schedules: each says as much of the other as it can, and no more is changed', async () => {
  const { change, rows } = await aRoom()
  const twice = daily(['06:00', '18:00'])
  const plain = { cadence: 'daily', time: '06:00', zone } as const
  expect(await change({ schedules: [twice] })).toMatchObject({ cadences: [plain], schedules: [twice] })
  const alert = { cadence: 'alert' } as const
  const withAlerts = { cadences: [plain, alert], schedules: [twice] }
  expect(await change({ cadences: [plain, alert] })).toMatchObject(withAlerts)
  // What the version before writes with any other change.
  await rows(`update newsletters set schedules = $1, name = 'Midi'`, [{ daily: twice }])
  expect(await change({})).toMatchObject(withAlerts)
  expect(await rows('select cadence from newsletter_cadences')).toEqual([{ cadence: 'alert' }])
  await rows(
    `insert into newsletter_cadences (newsletter_id, cadence, local_time, zone) select id, 'daily', '09:00', $1 from newsletters`,
    [zone],
  )
  expect(await change({})).toMatchObject({ schedules: [daily(['09:00'])] })
  const later = await change({ cadences: [{ ...plain, time: '07:00' }] })
  expect(later).toMatchObject({ cadences: [{ ...plain, time: '07:00' }], schedules: [daily(['07:00'])] })
  const audit = await rows(`select detail from audit where action = 'newsletter.changed' order by id`)
  const [said] = tellChanges(audit[0]?.['detail'] as object, 'en').filter(
    ({ field }) => field === 'Schedules',
  )
  expect(said?.sides).toEqual(['every day at 06:00', 'every day at 06:00 and 18:00'])
})

test('a schedule without a day, or with a fault, is refused at its field', async () => {
  const { change } = await aRoom()
  const weekly = {
    cadence: 'weekly',
    weekday: 5,
    time: '18:00',
    every: 1,
    anchor: null,
    ofMonth: null,
    zone,
    skip: [],
  } as const
  const skip = Array.from({ length: 366 }, (_, n) =>
    new Date(Date.parse(today) + n * day).toISOString().slice(0, 10),
  )
  await expect(change({ schedules: [daily(['06:00'], skip)] })).rejects.toMatchObject({
    code: 'no_occurrence',
    fields: [{ field: 'schedules.0.skip' }],
  })
  const faults: [unknown, PropertyKey[]][] = [
    [{ ...daily([]) }, ['times']],
    [daily(['07:00', '07:00']), ['times']],
    [daily(['01:00', '02:00', '03:00', '04:00', '05:00', '06:00', '07:00']), ['times']],
    [{ ...daily(['07:00']), weekdays: [] }, ['weekdays']],
    [daily(['07:00'], ['2026-02-30']), ['skip', 0]],
    [{ ...weekly, every: 6, anchor: today }, ['every']],
    [{ ...weekly, every: 2 }, ['anchor']],
    [{ ...weekly, ofMonth: 5 }, ['ofMonth']],
  ]
  for (const [schedule, path] of faults)
    await expect(change({ schedules: [schedule as Schedule] }), String(path)).rejects.toMatchObject({
      issues: [{ path: ['schedules', 0, ...path] }],
    })
})

test('people of a daily that is given up get the weekly, with a record; others are counted, and the cadence stays', async () => {
  const weekly = { cadence: 'weekly', weekday: 5, time: '18:00', zone } as const
  const plain = { cadence: 'daily', time: '06:00', zone } as const
  const { database, newsletter, change, rows } = await aRoom([plain, weekly, { cadence: 'alert' }])
  await aSubscriber(database, { newsletter })
  await aSubscriber(database, { newsletter, cadence: 'weekly' })
  await aSubscriber(database, { newsletter, cadence: 'weekly', ended: 'unsubscribed' })
  const refused = { code: 'cadence_has_readers', message: expect.stringMatching(/^1 reader /) as string }
  await expect(change({ cadences: [plain, { cadence: 'alert' }] })).rejects.toMatchObject(refused)
  await change({ cadences: [weekly] })
  expect(await rows(`select cadence, state from subscriptions order by subscriber_id`)).toEqual([
    { cadence: 'weekly', state: 'active' },
    { cadence: 'weekly', state: 'active' },
    { cadence: 'weekly', state: 'ended' },
  ])
  const records = await rows(`select method, reason from consents where event = 'changed'`)
  expect(records).toEqual([{ method: 'newsroom', reason: 'cadence' }])
})

test('a draft whose schedule was taken away is not sent', async () => {
  const { database, newsletter, services, change, next, rows } = await aRoom()
  await aSubscriber(database, { newsletter })
  await anArticle(database)
  const open = await next()
  expect(await change({ cadences: [] })).toMatchObject({ schedules: [] })
  await rows('update digests set send_at = clock_timestamp()')
  await services.schedules.run()
  expect(await services.digests.get(open?.id ?? 0)).toMatchObject({ state: 'cancelled', audience: 1 })
})
