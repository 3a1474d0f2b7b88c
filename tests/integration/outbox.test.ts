import { expect, test } from 'vitest'
import { aDatabase } from '../support/database.ts'

test('a mail is put once under its dedupe key', async () => {
  const { stores } = await aDatabase()
  const mail = { kind: 'desk-notice', address: 'desk@rivage.example', dedupeKey: 'notice:1' } as const
  expect(await stores.outbox.insert(mail)).toEqual(expect.any(Number))
  expect(await stores.outbox.insert(mail)).toBeUndefined()
})

test('mails without a dedupe key never stand in for each other', async () => {
  const { stores } = await aDatabase()
  const first = await stores.outbox.insert({ kind: 'desk-notice', address: 'desk@rivage.example' })
  const second = await stores.outbox.insert({ kind: 'desk-notice', address: 'desk@rivage.example' })
  expect(second).not.toBe(first)
})
