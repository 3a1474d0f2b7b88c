import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  openActivation,
  openPreferences,
  openUnsubscribe,
  sealActivation,
  sealFreshPreferences,
  sealPreferences,
  sealUnsubscribe,
} from '../../../src/domain/subscribers/subscription-tokens.ts'
import { createKeyring, type Keyring } from '../../../src/domain/keyring.ts'
import { testSecret } from '../../support/config.ts'
import { everyRow } from '../../support/table-rows.ts'
import { aWeb } from '../../support/web.ts'

/** For each of the four links: 10⁵ in all. */
const guesses = 25_000
const storedGuesses = 5_000
const keyring = createKeyring([testSecret])
const now = new Date('2026-03-14T10:00:00Z')

const opens: Record<string, (token: string) => unknown> = {
  activation: (token) => openActivation(keyring, token),
  unsubscribe: (token) => openUnsubscribe(keyring, token),
  preferences: (token) => openPreferences(keyring, token, now),
}

const sealed = (by: Keyring) => ({
  activation: [sealActivation(by, '0190b6a2-7d0a-7c2e-9f2a-3f1c5b7d9e11')],
  unsubscribe: [sealUnsubscribe(by, { subscriberId: 1, newsletterId: 1, digestId: 1 })],
  preferences: [sealPreferences(by, 1), sealFreshPreferences(by, 1, now)],
})

/** What a guesser who knows the form, the key's id and who is there still has to guess. */
const guessesFor = (token: string) => {
  const [data = ''] = token.split('.')
  return `${data}.${keyring.currentKeyId}.${randomBytes(16).toString('base64url')}`
}

test('of 10⁵ guesses at links none is accepted, though all but the signature is right', () => {
  for (const [purpose, tokens] of Object.entries(sealed(keyring))) {
    for (const token of tokens) {
      expect(opens[purpose]?.(token)).toBeDefined()
      let accepted = 0
      for (let n = 0; n < guesses; n += 1)
        if (opens[purpose]?.(guessesFor(token)) !== undefined) accepted += 1
      expect(accepted, purpose).toBe(0)
    }
  }
})

test('a link with any one bit of its bytes flipped, or sealed by another key, opens nothing', () => {
  for (const [purpose, tokens] of Object.entries(sealed(keyring))) {
    for (const token of tokens) {
      for (let bit = 0; bit < token.length * 8; bit += 1) {
        const bytes = Buffer.from(token, 'latin1')
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        expect(opens[purpose]?.(bytes.toString('latin1')), `${purpose}, bit ${bit}`).toBeUndefined()
      }
    }
  }
  for (const [purpose, tokens] of Object.entries(
    sealed(createKeyring(['another secret, of enough characters'])),
  ))
    for (const token of tokens) expect(opens[purpose]?.(token), purpose).toBeUndefined()
})

test('thousands of guessed sign-in links and session secrets open nothing', async () => {
  const web = await aWeb()
  const { editors, signIn } = web.context.services
  await signIn.createLink(
    (
      await editors.add(
        { email: 'nadia@rivage.example', role: 'admin', language: 'fr' },
        { kind: 'cli', role: 'admin' },
      )
    ).email,
  )
  const before = await everyRow(web)
  for (let batch = 0; batch < storedGuesses; batch += 50) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const guess = randomBytes(32).toString('base64url')
        return [await signIn.isLinkValid(guess), await signIn.findSession(guess)]
      }),
    )
    for (const answer of answers) expect(answer).toEqual([false, undefined])
  }
  expect(await everyRow(web)).toEqual(before)
})

test('hundreds of guesses at every page of a link are the page of a link that is not one, and change nothing', async () => {
  const web = await aWeb()
  const before = await everyRow(web)
  for (const [purpose, tokens] of Object.entries(sealed(keyring))) {
    const page = { activation: 'activate' }[purpose] ?? purpose
    for (let n = 0; n < 200; n += 20) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          web.fetch(`/${page}/${guessesFor(tokens[0] ?? '')}`, { method: at % 2 ? 'POST' : 'GET' }),
        ),
      )
      for (const answer of answers) {
        expect(answer.status, page).toBe(404)
        await answer.body?.cancel()
      }
    }
  }
  expect(await everyRow(web)).toEqual(before)
})
