import { timingSafeEqual } from 'node:crypto'
import type { Keyring } from '../keyring.ts'

/** Which mail to whom: all that a bounce, a complaint or a reply by machine needs to say. */
export type MailReference =
  { kind: 'digest'; digestId: number; subscriberId: number } | { kind: 'outbox'; outboxId: number }

/** Separate seals, so that what is good for one purpose proves nothing for another. */
export type ReferencePurpose = 'bounce' | 'message-id' | 'unsubscribe'

/** What may be a seal of ours, and what for. */
export type Seal = [purpose: ReferencePurpose, sealed: string]

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const macBytes = 8

/** What a mail is called: the same for every attempt at it. */
export const messageIdAt = (domain: string, keyring: Keyring, reference: MailReference): string =>
  `<${sealReference(keyring, 'message-id', reference)}@${domain}>`

/** Where a mail comes back to. */
export const returnAddressAt = (domain: string, keyring: Keyring, reference: MailReference): string =>
  `b+${sealReference(keyring, 'bounce', reference)}@${domain}`

/** Where a mail program writes to for a person who leaves. */
export const unsubscribeAddressAt = (domain: string, keyring: Keyring, reference: MailReference): string =>
  `u+${sealReference(keyring, 'unsubscribe', reference)}@${domain}`

/** The seal of an address that a mail came to; an empty one, as of a bounce, where it is none of these. */
export function sealOfAddress(address: string): Seal {
  const [, box = 'b', sealed = ''] = /^([bu])\+([a-z2-7.]{1,64})@/i.exec(address) ?? []
  return [box.toLowerCase() === 'u' ? 'unsubscribe' : 'bounce', sealed]
}

const forms: Record<ReferencePurpose, RegExp> = {
  bounce: /\bb\+([a-z2-7]{1,50}\.[a-z2-7]{13})@/gi,
  'message-id': /^message-id:\s{0,9}<?([a-z2-7]{1,50}\.[a-z2-7]{13})@/gim,
  unsubscribe: /\bu\+([a-z2-7]{1,50}\.[a-z2-7]{13})@/gi,
}
const mostSeals = 20

/** What may be seals of ours in a mail that somebody returns: twenty at most. */
export const sealsIn = (text: string, purpose: ReferencePurpose): Seal[] =>
  Array.from(text.matchAll(forms[purpose]).take(mostSeals), ([, sealed = '']): Seal => [purpose, sealed])

/**
 * A reference under a seal, such as `aeaqgbi.mfrggzdfmztwq`: at most 44 characters of an alphabet that survives
 * servers that change case. It holds no address, and nobody without our key can make one.
 */
export function sealReference(keyring: Keyring, purpose: ReferencePurpose, reference: MailReference): string {
  const id = encodeBase32(toBytes(reference))
  return `${id}.${seal(keyring, purpose, id, keyring.currentKeyId)}`
}

/** The reference of a sealed text in any case; undefined unless one of our keys sealed it for this purpose. */
export function openReference(
  keyring: Keyring,
  purpose: ReferencePurpose,
  sealed: string,
): MailReference | undefined {
  const [id, given, ...rest] = sealed.toLowerCase().split('.')
  if (id === undefined || given === undefined || rest.length > 0 || given.length !== 13) return undefined
  const isOurs = keyring.keyIds.some((keyId) =>
    timingSafeEqual(Buffer.from(seal(keyring, purpose, id, keyId)), Buffer.from(given, 'latin1')),
  )
  return isOurs ? fromBytes(decodeBase32(id)) : undefined
}

const seal = (keyring: Keyring, purpose: ReferencePurpose, id: string, keyId: string): string =>
  encodeBase32(keyring.mac(purpose, `reference\0${id}`, keyId).subarray(0, macBytes))

function toBytes(reference: MailReference): Buffer {
  const numbers =
    reference.kind === 'digest' ? [1, reference.digestId, reference.subscriberId] : [2, reference.outboxId]
  return Buffer.from(numbers.flatMap(toVarint))
}

function fromBytes(bytes: Buffer): MailReference | undefined {
  const [kind, first, second] = readVarints(bytes)
  if (kind === 1 && first !== undefined && second !== undefined) {
    return { kind: 'digest', digestId: first, subscriberId: second }
  }
  return kind === 2 && first !== undefined ? { kind: 'outbox', outboxId: first } : undefined
}

function toVarint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}

function readVarints(bytes: Buffer): number[] {
  const numbers: number[] = []
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte % 128) * scale
    scale *= 128
    if (byte < 128) {
      numbers.push(value)
      value = 0
      scale = 1
    }
  }
  return numbers
}

function encodeBase32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(held >> bits) & 31] ?? ''
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + (alphabet[(held << (5 - bits)) & 31] ?? '') : text
}

function decodeBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const character of text) {
    held = (held << 5) | Math.max(0, alphabet.indexOf(character))
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((held >> bits) & 255)
    }
    held &= (1 << bits) - 1
  }
  return Buffer.from(bytes)
}
