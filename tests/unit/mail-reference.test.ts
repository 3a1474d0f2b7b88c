import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openReference, sealReference, type MailReference } from '../../src/domain/delivery/mail-reference.ts'
import { createKeyring } from '../../src/domain/keyring.ts'

const keyring = createKeyring(['a first key, long enough for everybody to be content'])
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const reference = fc.oneof(
  fc.record({ kind: fc.constant('digest' as const), digestId: id, subscriberId: id }),
  fc.record({ kind: fc.constant('outbox' as const), outboxId: id }),
) as fc.Arbitrary<MailReference>

test('ENV-1 every reference fits a local part and comes back, in any case', () => {
  fc.assert(
    fc.property(reference, (each) => {
      const sealed = sealReference(keyring, 'bounce', each)
      expect(`b+${sealed}`.length).toBeLessThanOrEqual(64)
      expect(openReference(keyring, 'bounce', sealed.toUpperCase())).toEqual(each)
    }),
  )
})

test('ENV-1 one changed character makes it worthless', () => {
  const sealed = sealReference(keyring, 'bounce', { kind: 'digest', digestId: 42, subscriberId: 7 })
  for (let index = 0; index < sealed.length; index++) {
    const other = sealed[index] === 'a' ? 'b' : 'a'
    const forged = sealed.slice(0, index) + other + sealed.slice(index + 1)
    expect(openReference(keyring, 'bounce', forged), forged).toBeUndefined()
  }
  expect(openReference(keyring, 'bounce', '')).toBeUndefined()
  expect(openReference(keyring, 'bounce', 'a.bbbbbbbbbbbbé')).toBeUndefined()
})

test('a reference proves nothing for another purpose, and survives the rotation of keys', () => {
  const sealed = sealReference(keyring, 'bounce', { kind: 'outbox', outboxId: 3 })
  expect(openReference(keyring, 'unsubscribe', sealed)).toBeUndefined()
  const rotated = createKeyring([
    'a newer key, which signs from now on and for a while',
    'a first key, long enough for everybody to be content',
  ])
  expect(openReference(rotated, 'bounce', sealed)).toEqual({ kind: 'outbox', outboxId: 3 })
})
