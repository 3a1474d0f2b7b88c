import { expect, test } from 'vitest'
import { findAddress, hashAddress } from '../../src/domain/subscribers/address.ts'
import { createKeyring } from '../../src/domain/keyring.ts'
import { testSecret } from '../support/config.ts'
import { aDatabase } from '../support/database.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber, testKeyring } from '../support/subscribers.ts'

const rotated = createKeyring(['the next secret of the tests, long enough', testSecret])
const hashesOf = (keyring: typeof rotated, email: string) => {
  const address = findAddress(email)
  if (!address) throw new Error('a test writes an address wrong')
  return hashAddress(keyring, address)
}

test('a suppression outlives the key that hashed it, and a bounce under the next does not weaken a complaint', async () => {
  const { stores } = await aDatabase()
  await stores.suppressions.put(hashesOf(testKeyring, 'amina@reader.example'), { reason: 'complained' })
  const hashes = hashesOf(rotated, 'Amina@reader.example')
  await stores.suppressions.put(hashes, { reason: 'bounced' })
  expect((await stores.suppressions.find(hashes))?.reason).toBe('complained')
  expect(await stores.suppressions.list({ beforeId: undefined, limit: 10 })).toHaveLength(1)
  expect(await stores.suppressions.judgeKeys(rotated.keyIds)).toMatchObject({ lost: 0 })
  expect(await stores.suppressions.judgeKeys([rotated.currentKeyId])).toMatchObject({ lost: 1 })
})

test('a suppression put under the next key holds back the digest of a subscriber hashed under the one before', async () => {
  const database = await aDatabase()
  const newsletter = await aNewsletter(database)
  const { id, address } = await aSubscriber(database, { newsletter })
  await database.stores.suppressions.put(hashesOf(rotated, address), { reason: 'complained' })
  const facts = await database.stores.digestProgress.findFacts(id, newsletter.id)
  expect(facts).toMatchObject({ state: 'active', suppressedReason: 'complained' })
  expect(await database.stores.suppressions.list({ beforeId: undefined, limit: 10 })).toMatchObject([
    { subscriber: { id, address } },
  ])
})
