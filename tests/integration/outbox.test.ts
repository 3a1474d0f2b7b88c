import { expect, test } from 'vitest'
import { aDatabase, cloneDatabase, openTestDatabase } from '../support/database.ts'
import { query } from '../support/query.ts'
import { quickTimes } from '../support/sending.ts'

test('a mail is put once under its dedupe key', async () => {
  const { stores } = await aDatabase()
  const mail = { kind: 'address-changed', address: 'desk@rivage.example', dedupeKey: 'notice:1' } as const
  expect(await stores.outbox.insert(mail)).toEqual(expect.any(Number))
  expect(await stores.outbox.insert(mail)).toBeUndefined()
})

test('mails without a dedupe key never stand in for each other', async () => {
  const { stores } = await aDatabase()
  const first = await stores.outbox.insert({ kind: 'address-changed', address: 'desk@rivage.example' })
  const second = await stores.outbox.insert({ kind: 'address-changed', address: 'desk@rivage.example' })
  expect(second).not.toBe(first)
})

test('P12 a mail in doubt because its workers died is tried again, though not for ever', async () => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  await database.stores.outbox.insert({ kind: 'address-changed', address: 'desk@rivage.example' })
  const leases = database.stores.outbox.leases(quickTimes)
  const states: string[] = []
  for (let death = 1; death <= 6; death++) {
    await query(
      url,
      `update outbox set state = 'committing', lease_token = gen_random_uuid(), lease_until = now() - interval '1 s'`,
    )
    await leases.recover()
    const [row] = await query<{ state: string }>(url, 'select state from outbox')
    states.push(row?.state ?? '')
  }
  expect(states).toEqual(['pending', 'pending', 'pending', 'pending', 'pending', 'uncertain'])
})

test('a mail that no worker could write waits again, five times; one that a server refused stays refused', async () => {
  const url = await cloneDatabase()
  const { stores } = openTestDatabase(url)
  for (const n of [0, 1, 2])
    await stores.outbox.insert({ kind: 'address-changed', address: `r${n}@rivage.example` })
  await query(
    url,
    `update outbox set state = 'rejected', attempt = case id when 1 then 4 else 5 end,
       reason = case id when 3 then 'refused' else 'not_written' end`,
  )
  await stores.outbox.retryUnwritten()
  expect(await query(url, 'select state, reason from outbox order by id')).toEqual([
    { state: 'pending', reason: null },
    { state: 'rejected', reason: 'not_written' },
    { state: 'rejected', reason: 'refused' },
  ])
})
