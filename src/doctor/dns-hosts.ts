import type { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { isLoopback } from '../domain/loopback.ts'
import { isWithin, type Checked, type MailIdentity } from './dns-identity.ts'
import { look, no, ok } from './finding.ts'
import { orNothing } from '../mail/mail-host.ts'
import { domainOf } from '../domain/subscribers/address.ts'

/** Where mail leaves from, as far as it can be known from here. */
export interface Relay {
  host: string
  /** Those that can be seen from outside. */
  addresses: string[]
  /** False for a provider: it sends on from addresses of its own that nothing here tells. */
  isOurs: boolean
}

const hidden = new Set(['private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat', 'unspecified'])

const isPublic = (address: string): boolean => !hidden.has(ipaddr.process(address).range())

/** Whether mail from here leaves by IPv4 through an address translation, from an address that nothing here tells. */
export function isTranslated({ smtpHost, ownAddresses }: MailIdentity): boolean {
  if (smtpHost === undefined || !isLoopback(smtpHost)) return false
  const outgoing = ownAddresses.filter((address) => isIP(address) === 4 && !isLoopback(address))
  return outgoing.length > 0 && !outgoing.some(isPublic)
}

export const addressesOf = async (host: string, dns: Resolver): Promise<string[]> =>
  isIP(host)
    ? [host]
    : (await Promise.all([orNothing(dns.resolve4(host)), orNothing(dns.resolve6(host))])).flat()

/** @returns undefined where no relay is configured */
export async function findRelay(identity: MailIdentity, dns: Resolver): Promise<Relay | undefined> {
  const { smtpHost: host, ownAddresses, from, dkim } = identity
  if (host === undefined) return undefined
  const found = isLoopback(host) ? ownAddresses : await addressesOf(host, dns)
  const addresses = found.filter(isPublic)
  const isOurs =
    isLoopback(host) ||
    found.some((address) => ownAddresses.includes(address) || !isPublic(address)) ||
    [domainOf(from), ...(dkim ? [dkim.domain] : [])].some((domain) => isWithin(host, domain))
  return { host, addresses, isOurs }
}

/**
 * What SPF should say of the relay. Where its address cannot be seen from outside, behind an address translation or on
 * a network of its own, the public name leads to the one that can.
 * @param relay as it was found; undefined where it was not looked for
 */
export function relayTerms(identity: MailIdentity, relay?: Relay): string[] {
  const { smtpHost, ownAddresses, publicHost } = identity
  const outside = `a:${publicHost}`
  if (smtpHost === undefined) return [outside]
  if (!isLoopback(smtpHost) && !isIP(smtpHost)) {
    const isSeen = smtpHost.includes('.') && relay?.addresses.length !== 0
    return [isSeen ? `a:${smtpHost}` : outside]
  }
  const addresses = (isLoopback(smtpHost) ? ownAddresses : [smtpHost]).filter(isPublic)
  const terms = addresses.map((address) => `ip${isIP(address) === 6 ? 6 : 4}:${address}`)
  return terms.length === 0 || isTranslated(identity) ? [...terms, outside] : terms
}

/** Where bounces come back to. */
export async function checkMx(identity: MailIdentity, dns: Resolver): Promise<Checked> {
  const { bounceDomain: name, publicHost, ownAddresses } = identity
  if (name === undefined) return { findings: [] }
  const exchanges = (await orNothing(dns.resolveMx(name))).map(({ exchange }) => exchange)
  const said = (finding: ReturnType<typeof ok>): Checked => ({ findings: [finding] })
  if (exchanges.length === 0) return said(no('MX', `${name} has no MX, so bounces cannot come back; add it`))
  if (exchanges.every((exchange) => exchange === '')) {
    return said(no('MX', `${name} says that it takes no mail (a null MX); publish the record below instead`))
  }
  const hosts = exchanges.join(', ')
  const addresses = (await Promise.all(exchanges.map((exchange) => addressesOf(exchange, dns)))).flat()
  if (addresses.length === 0) {
    return said(no('MX', `${name} is received by ${hosts}, which has no address; give it one`))
  }
  const here = new Set([...ownAddresses, ...(await addressesOf(publicHost, dns))])
  return said(
    addresses.some((address) => here.has(address))
      ? ok('MX', `${name} is received here, by ${hosts}`)
      : look('MX', `${name} is received by ${hosts}, not here; see that it hands mail on to INBOUND_PORT`),
  )
}

/**
 * Providers refuse hosts whose address has no name that points back to it. Of a machine's own addresses mail may never
 * leave from some, such as a temporary one.
 */
export async function checkReverse(finding: Promise<Relay | undefined>, dns: Resolver): Promise<Checked> {
  const relay = await finding
  if (!relay) return { findings: [] }
  const { host, addresses, isOurs } = relay
  if (addresses.length === 0) {
    return {
      findings: [
        isOurs
          ? look(
              'PTR',
              `mail leaves from an address that cannot be seen from here; see that its PTR leads back`,
            )
          : no('PTR', `${host} has no address; check the host in SMTP_URL`),
      ],
    }
  }
  const names = await Promise.all(addresses.map((address) => findName(address, dns)))
  const isSpare = isLoopback(host) && names.some((name) => name !== undefined)
  return {
    findings: addresses.map((address, n) => {
      if (names[n] !== undefined) return ok('PTR', `${address} is ${names[n]} and back`)
      const sentence = `${address} has no name that points back to it`
      if (!isOurs) return look('PTR', `${sentence}; ask the provider where it sends from`)
      return isSpare
        ? look('PTR', `${sentence}; set its PTR if mail leaves from there`)
        : no('PTR', `${sentence}; set its PTR`)
    }),
  }
}

/** @returns the name of an address that leads back to it */
async function findName(address: string, dns: Resolver): Promise<string | undefined> {
  for (const name of await orNothing(dns.reverse(address))) {
    if ((await addressesOf(name, dns)).some((back) => isSame(back, address))) return name
  }
  return undefined
}

const isSame = (one: string, other: string): boolean =>
  ipaddr.process(one).toNormalizedString() === ipaddr.process(other).toNormalizedString()
