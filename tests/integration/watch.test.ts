import { expect, test } from 'vitest'
import { query } from '../support/query.ts'
import { aSendingDigest } from '../support/sending-digest.ts'
import { cloneDatabase } from '../support/database.ts'
import { aWeb } from '../support/web.ts'

const deliveredTo = `update deliveries set state = case when subscriber_id <= $1 then $2 else 'accepted' end`

test.each([
  ['digest_late', `update digests set state = 'preparing', started_at = now() - interval '11 minutes'`, {}],
  [
    'digest_paused',
    `update digests set state = 'paused', resume_state = 'sending', paused_reason = 'no_answer'`,
    {},
  ],
  [
    'relay_refuses',
    `update digests set state = 'paused', resume_state = 'sending', paused_reason = 'refused',
       relay_answer = '550 Quota', relay_since = now() - interval '1 minute', probe_at = now() + interval '5 minutes'`,
    { values: { answer: '550 Quota' } },
  ],
  [
    'audience_dropped',
    `with before as (
      insert into digests (newsletter_id, cadence, state, audience, local_date, started_at, expires_at)
      select newsletter_id, cadence, 'completed', 51, current_date - 1, now() - interval '25 hours', now()
      from digests
    ) update digests set local_date = current_date`,
    { values: { count: 40, before: 51 } },
  ],
  ['rejects_high', deliveredTo, { refused: 3, values: { percent: 8 } }],
  [
    'same_address_twice',
    `with ended as (update digests set state = 'completed', completed_at = now())
     update deliveries set state = 'accepted', ambiguous = 1 where subscriber_id <= 2`,
    { values: { count: 2 } },
  ],
  [
    'digest_uncertain',
    `with ended as (update digests set state = 'completed_with_uncertain')
     update deliveries set state = 'uncertain', reason = case when subscriber_id = 1 then 'left' else 'no_answer' end
     where subscriber_id <= 3`,
    { values: { count: 2 } },
  ],
])(
  '%s: Today shows it, and the desk is told by mail',
  async (kind, change, { refused, values }: { refused?: number; values?: object }) => {
    const databaseUrl = await cloneDatabase()
    await aSendingDigest(databaseUrl, { readers: 40 })
    const { services } = (await aWeb({ databaseUrl })).context
    await services.editors.add(
      { email: 'desk@rivage.example', role: 'editor', language: 'fr' },
      { kind: 'cli', role: 'admin' },
    )
    expect(await services.schedules.listWarnings()).toEqual([])
    await query(databaseUrl, change, refused === undefined ? [] : [refused, 'rejected'])
    expect(await services.schedules.listWarnings()).toMatchObject([{ kind, ...(values && { values }) }])
    await services.schedules.watch()
    const told = await query(
      databaseUrl,
      `select payload ->> 'notice' as notice from outbox where kind = 'desk-notice'`,
    )
    expect(told).toEqual([{ notice: kind }])
  },
)

test('double copies are told once, with the number that is final', async () => {
  const databaseUrl = await cloneDatabase()
  await aSendingDigest(databaseUrl, { readers: 40 })
  const room = async () => (await aWeb({ databaseUrl })).context.services
  await (
    await room()
  ).editors.add(
    { email: 'desk@rivage.example', role: 'editor', language: 'fr' },
    { kind: 'cli', role: 'admin' },
  )
  const told = () =>
    query<{ count: number }>(
      databaseUrl,
      `select payload -> 'values' -> 'count' as count from outbox where kind = 'desk-notice'`,
    )
  const double = (n: number) =>
    query(databaseUrl, `update deliveries set state = 'accepted', ambiguous = 1 where subscriber_id <= ${n}`)
  await double(1)
  const { schedules } = await room()
  expect(await schedules.listWarnings()).toMatchObject([{ values: { count: 1 }, isGrowing: true }])
  await schedules.watch()
  expect(await told()).toEqual([])
  await double(19)
  // Long after it began, as after a pause.
  await query(
    databaseUrl,
    `update digests set state = 'completed', started_at = now() - interval '2 days', completed_at = now()`,
  )
  for (let n = 0; n < 2; n++) await (await room()).schedules.watch()
  expect(await told()).toEqual([{ count: 19 }])
})
