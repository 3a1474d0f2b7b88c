import { expect, test } from 'vitest'
import { findAddress, hashAddress } from '../../src/domain/subscribers/address.ts'
import { aDatabase } from '../support/database.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber, subscribe, testKeyring } from '../support/subscribers.ts'

const setting = { cadence: 'daily', alerts: false, sections: [] } as const

test('one person per address, however it is written', async () => {
  const database = await aDatabase()
  const first = await aSubscriber(database, { address: 'Amina@reader.example' })
  const again = await aSubscriber(database, { address: 'amina@reader.example' })
  expect(again.id).toBe(first.id)
})

test('DOI-6 a request made before someone left cannot bring them back, one made after can', async () => {
  const database = await aDatabase()
  const newsletter = await aNewsletter(database)
  const { id } = await aSubscriber(database, { newsletter })
  const { subscriptions } = database.stores
  const key = { subscriberId: id, newsletterId: newsletter.id }
  const before = new Date(Date.now() - 60_000)
  await subscriptions.markEnded(id, 'unsubscribed', newsletter.id)
  expect(await subscriptions.activate(key, { ...setting, sections: [] }, before)).toBe(false)
  expect(await subscriptions.find(key)).toMatchObject({ state: 'ended', endedReason: 'unsubscribed' })
  expect(await subscriptions.activate(key, { ...setting, sections: [] }, new Date(Date.now() + 60_000))).toBe(
    true,
  )
  expect(await subscriptions.find(key)).toMatchObject({ state: 'active', endedReason: null })
})

test('a pending request changes nothing of a subscription that exists', async () => {
  const database = await aDatabase()
  const newsletter = await aNewsletter(database)
  const { id } = await aSubscriber(database, { newsletter, cadence: 'weekly' })
  await subscribe(database, id, { newsletter, state: 'pending', cadence: 'alert' })
  expect(await database.stores.subscriptions.list(id)).toMatchObject([{ state: 'active', cadence: 'weekly' }])
})

test('a suppression is not weakened, and is lifted for its own reason alone', async () => {
  const { stores } = await aDatabase()
  const address = findAddress('amina@reader.example')
  const [hash] = address ? hashAddress(testKeyring, address) : []
  if (!hash) throw new Error('no hash')
  await stores.suppressions.put([hash], { reason: 'complained' })
  await stores.suppressions.put([hash], { reason: 'bounced', detail: '5.1.1' })
  expect(await stores.suppressions.find([hash])).toMatchObject({ reason: 'complained' })
  expect(await stores.suppressions.delete([hash], ['bounced'])).toBe(false)
  expect(await stores.suppressions.delete([hash], ['complained'])).toBe(true)
})
