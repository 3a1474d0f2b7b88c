import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { notFound } from '../errors.ts'

/**
 * What a token opens. Purposes never mix: each is part of what is signed, so a token on another's page is as good
 * as a random one.
 */
export type TokenPurpose =
  | 'activation'
  | 'unsubscribe'
  | 'preferences'
  | 'preferences-fresh'
  | 'address-change'
  | 'page'
  | 'browser'
  | 'bounce'
  | 'address'
  | 'address-limit'
  | 'message-id'
  | 'cursor'
  | 'csrf'
  | 'invitation'
  | 'response'

export type Keyring = ReturnType<typeof createKeyring>

const macBytes = 16

/** What a page says to a token that none of our keys sealed for it. */
export const noLink = () =>
  notFound('no_link', 'This link is not one of ours, or it is not complete. Copy all of it.')

/** @param secrets the first signs, all verify: a key is rotated by putting a new one in front */
export function createKeyring(secrets: readonly string[]) {
  const keys = new Map(secrets.map((secret) => [keyIdOf(secret), secret]))
  const [currentKeyId] = keys.keys()
  if (currentKeyId === undefined) throw new Error('a keyring needs a key')

  const mac = (purpose: TokenPurpose, data: string, keyId = currentKeyId) => {
    const secret = keys.get(keyId)
    if (secret === undefined) throw new Error('that key is no longer in the keyring')
    return createHmac('sha256', secret).update(`${purpose}\0${data}`).digest()
  }
  return {
    /** Names the first key, which signs. Ids may be stored beside what they signed; they reveal nothing of the key. */
    currentKeyId,
    keyIds: [...keys.keys()],
    /** HMAC-SHA-256 over purpose and data, under the named key (default: the current one). 32 bytes. */
    mac,
    /** `data` followed by `.{key id}.{128-bit mac}`; usable in a URL where `data` is. */
    seal: (purpose: TokenPurpose, data: string): string =>
      `${data}.${currentKeyId}.${mac(purpose, data).subarray(0, macBytes).toString('base64url')}`,
    /** The data of a token that any of the keys sealed for this purpose; undefined for everything else. */
    open(purpose: TokenPurpose, token: string): string | undefined {
      const [, data, keyId, given] = /^(.*)\.([0-9a-f]{8})\.([\w-]{22})$/s.exec(token) ?? []
      if (data === undefined || keyId === undefined || given === undefined || !keys.has(keyId))
        return undefined
      const expected = mac(purpose, data, keyId).subarray(0, macBytes)
      // Comparing bytes, not text: base64url has several spellings of the same last byte.
      const bytes = Buffer.from(given, 'base64url')
      const isCanonical = bytes.toString('base64url') === given
      return isCanonical && timingSafeEqual(bytes, expected) ? data : undefined
    },
  }
}

const keyIdOf = (secret: string): string => hash('sha256', `key id\0${secret}`).slice(0, 8)
