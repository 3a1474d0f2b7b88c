import { domainToASCII } from 'node:url'
import { atField, invalid } from '../../errors.ts'
import type { Keyring } from '../keyring.ts'
import { organisationOf } from './organisation.ts'

/** An address as we deliver to it: the local part as typed (NFC), the domain in lower case ASCII. */
export interface Address {
  text: string
  local: string
  domain: string
}

/** RFC 5321 4.5.3.1, in octets. */
const limits = { local: 64, domain: 253, whole: 254 }

/** Mail to these reaches a machine or a postmaster, never a reader. */
const refusedLocalParts = new Set(['abuse', 'postmaster', 'mailer-daemon', 'noreply', 'no-reply'])

/** RFC 5322 atext, and what RFC 6531 adds to it: letters, marks, digits and symbols beyond ASCII. */
const atom = /^[\w!#$%&'*+/=?^`{|}~\-\p{L}\p{M}\p{N}\p{So}]+$/u
/** Compatibility forms (fullwidth, ligatures), dotless i and the like pass for another address than they are. */
const lookalike = /[ıſ]/u
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
/** What needs neither quotes nor a comment. */
const plainLocalPart = /^[^\s<>(),:;@[\]\\"\p{C}\p{Z}]+$/u
const topLevel = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/

/**
 * One mailbox and nothing else: no display name, list, comment, quoted local part, literal, control or format
 * character. What is refused depends on the text alone, never on who is known.
 * @throws DomainError `invalid_address`
 */
export function parseAddress(input: string): Address {
  const address = findAddress(input)
  if (!address) {
    const message = 'must be one e-mail address, such as name@example.org'
    throw invalid('invalid_address', `The address ${message}.`, atField('email', message))
  }
  return address
}

export function findAddress(input: string): Address | undefined {
  // Before anything walks it: a hostile body may be long.
  if (input.length > 1_000) return undefined
  const text = input.replace(/^ +|(?<! ) +$/g, '').normalize('NFC')
  const at = text.lastIndexOf('@')
  if (at < 1) return undefined
  const local = text.slice(0, at)
  const domain = toDomain(text.slice(at + 1))
  if (domain === undefined || !isLocalPart(local)) return undefined
  const whole = `${local}@${domain}`
  return octets(whole) <= limits.whole ? { text: whole, local, domain } : undefined
}

/** One mailbox of a person or a machine, and nothing else: all that may become a sender, or reach RCPT. */
export function isMailbox(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at < 1 || octets(text) > limits.whole || text.includes('..')) return false
  return (
    plainLocalPart.test(text.slice(0, at)) &&
    domainOf(text)
      .split('.')
      .every((part) => label.test(part))
  )
}

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase()

function isLocalPart(local: string): boolean {
  if (octets(local) > limits.local || refusedLocalParts.has(local.toLowerCase())) return false
  if (local.normalize('NFKC') !== local || lookalike.test(local)) return false
  return local.split('.').every((part) => atom.test(part))
}

function toDomain(text: string): string | undefined {
  // domainToASCII maps fullwidth forms, drops invisible characters and decodes percent signs: it must find none.
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(text) || text.normalize('NFKC') !== text || lookalike.test(text))
    return undefined
  const domain = domainToASCII(text).toLowerCase()
  const labels = domain.split('.')
  if (labels.length < 2 || octets(domain) > limits.domain) return undefined
  return labels.every((part) => label.test(part)) && topLevel.test(labels.at(-1) ?? '') ? domain : undefined
}

const octets = (text: string): number => Buffer.byteLength(text)

/**
 * Character by character, as PostgreSQL's lower() does it: JavaScript alone turns a Σ at the end of a word into another
 * letter than elsewhere, and İ into two.
 */
export const toLowerAddress = (text: string): string =>
  /^[ -~]*$/.test(text)
    ? text.toLowerCase()
    : Array.from(text, (character) => (character === 'İ' ? 'i' : character.toLowerCase())).join('')

const gmailDomains = new Set(['gmail.com', 'googlemail.com'])
/** Theirs alone have no hyphen but before the word of a disposable address. */
const yahooDomain = /^(?:yahoo\.[a-z.]+|ymail\.com|rocketmail\.com)$/

/** Addresses that reach one person look the same. For limits only; mail goes to what was typed. */
export function normaliseForLimits(address: Address): string {
  const mark = yahooDomain.test(address.domain) ? '-' : '+'
  const base = toLowerAddress(address.local).split(mark)[0] ?? ''
  // Whoever has a domain has all that can be written before it.
  if (!gmailDomains.has(address.domain)) return `${base}@${organisationOf(address.domain)}`
  return `${base.replaceAll('.', '')}@gmail.com`
}

/** What is kept of an address once the address itself is gone: one HMAC per key, the signing key's first. */
export const hashAddress = (keyring: Keyring, address: Pick<Address, 'text'>): AddressHashes =>
  hashUnder(keyring, 'address', toLowerAddress(address.text))

/** The same for limits, under a purpose of its own; then as 0.1.0 wrote it, whose refusals hold for 90 days. */
export function hashForLimits(keyring: Keyring, address: Address): AddressHashes {
  const before = `${toLowerAddress(address.local).split('+')[0]}@${address.domain}`
  const texts = gmailDomains.has(address.domain) ? [] : [before]
  return [...new Set([normaliseForLimits(address), ...texts])].flatMap((text) =>
    hashUnder(keyring, 'address-limit', text),
  ) as AddressHashes
}

export interface AddressHash {
  keyId: string
  hmac: Buffer
}

/** A keyring has a key at least. */
type AddressHashes = [current: AddressHash, ...others: AddressHash[]]

export const hmacsOf = (hashes: AddressHash[]): Buffer[] => hashes.map(({ hmac }) => hmac)

const hashUnder = (keyring: Keyring, purpose: 'address' | 'address-limit', text: string): AddressHashes =>
  keyring.keyIds.map((keyId) => ({ keyId, hmac: keyring.mac(purpose, text, keyId) })) as AddressHashes

/** For pages that a forwarded mail opens: `a•••@example.org`. */
export function maskAddress(text: string): string {
  const at = text.lastIndexOf('@')
  return `${String.fromCodePoint(text.codePointAt(0) ?? 0x2022)}•••${text.slice(at)}`
}
