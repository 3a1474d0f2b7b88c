import { expect, test } from 'vitest'
import {
  openActivation,
  openPreferences,
  openUnsubscribe,
  pageAgeMs,
  sealActivation,
  sealFreshPreferences,
  sealPage,
  sealPreferences,
  sealUnsubscribe,
} from '../../src/domain/subscribers/subscription-tokens.ts'
import { createKeyring } from '../../src/domain/keyring.ts'
import { testSecret } from '../support/config.ts'
import { testKeyring } from '../support/subscribers.ts'

const id = '0b0f1c5e-6f0a-4f6e-9d0e-0a1b2c3d4e5f'
const ref = { subscriberId: 12, newsletterId: 3, digestId: 0 }
const now = new Date('2026-03-01T07:00:00Z')
const later = (hours: number) => new Date(now.getTime() + hours * 3_600_000)

test('DOI-9 a token opens its own page alone', () => {
  const tokens = {
    activation: sealActivation(testKeyring, id),
    unsubscribe: sealUnsubscribe(testKeyring, ref),
    preferences: sealPreferences(testKeyring, 12),
    fresh: sealFreshPreferences(testKeyring, 12, now),
  }
  const opened = Object.entries(tokens).map(([name, token]) => [
    name,
    openActivation(testKeyring, token),
    openUnsubscribe(testKeyring, token),
    openPreferences(testKeyring, token, now),
  ])
  expect(opened).toEqual([
    ['activation', id, undefined, undefined],
    ['unsubscribe', undefined, ref, undefined],
    ['preferences', undefined, undefined, { subscriberId: 12, mailedAt: undefined }],
    ['fresh', undefined, undefined, { subscriberId: 12, mailedAt: now }],
  ])
})

test('every flipped character of a token makes it a stranger’s', () => {
  const token = sealUnsubscribe(testKeyring, ref)
  for (let at = 0; at < token.length; at += 1) {
    const flipped = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    expect(openUnsubscribe(testKeyring, flipped)).toBeUndefined()
  }
})

test('a new key in front keeps old links working; a key that is gone ends them', () => {
  const token = sealUnsubscribe(testKeyring, ref)
  const next = 'the-next-secret-for-tests-0123456789abcdef'
  expect(openUnsubscribe(createKeyring([next, testSecret]), token)).toEqual(ref)
  expect(openUnsubscribe(createKeyring([next]), token)).toBeUndefined()
})

test('a fresh preferences link ages into an ordinary one after 24 hours', () => {
  const token = sealFreshPreferences(testKeyring, 12, now)
  expect(openPreferences(testKeyring, token, later(23))).toEqual({ subscriberId: 12, mailedAt: now })
  expect(openPreferences(testKeyring, token, later(24))).toEqual({ subscriberId: 12, mailedAt: undefined })
})

test('a page nonce tells its age, for its own subject', () => {
  const nonce = sealPage(testKeyring, id, now)
  expect(pageAgeMs(testKeyring, nonce, { name: id, now: later(1) })).toBe(3_600_000)
  expect(pageAgeMs(testKeyring, nonce, { name: 'signup', now })).toBeUndefined()
  expect(pageAgeMs(testKeyring, 'forged', { name: id, now })).toBeUndefined()
})
