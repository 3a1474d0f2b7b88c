import { Resolver } from 'node:dns/promises'
import { checkKey } from './dns-dkim.ts'
import { checkDmarc } from './dns-dmarc.ts'
import { checkMx, checkReverse, findRelay, relayTerms, type Relay } from './dns-hosts.ts'
import { envelopeOf, isWithin, type Checked, type DnsRecord, type MailIdentity } from './dns-identity.ts'
import { checkSpf } from './dns-spf.ts'
import { no, type Finding } from './finding.ts'
import { domainOf } from '../domain/subscribers/address.ts'
import { publicKeyOf, type DkimKeys } from '../mail/message/sign.ts'

/** What to publish where nothing is yet. */
export function listRecords(identity: MailIdentity, relay?: Relay): DnsRecord[] {
  const { from, bounceDomain, dkim, publicHost } = identity
  const domain = domainOf(from)
  // What is below the name with the policy is one organisation (RFC 9989, 4.10.2), and so it has to hold what signs.
  const policyDomain = dkim !== undefined && isWithin(domain, dkim.domain) ? dkim.domain : domain
  return [
    {
      type: 'TXT',
      name: envelopeOf(identity),
      value: `v=spf1 ${relayTerms(identity, relay).join(' ')} -all`,
    },
    ...listKeys(dkim),
    {
      type: 'TXT',
      name: `_dmarc.${policyDomain}`,
      value: `v=DMARC1; p=none; rua=mailto:postmaster@${domain}`,
    },
    ...(bounceDomain === undefined
      ? []
      : [{ type: 'MX' as const, name: bounceDomain, value: `10 ${publicHost}.` }]),
  ]
}

function listKeys(dkim: DkimKeys | undefined): DnsRecord[] {
  if (!dkim) return []
  const record = (selector: string, kind: string, pem: string): DnsRecord => ({
    type: 'TXT',
    name: `${selector}._domainkey.${dkim.domain}`,
    value: `v=DKIM1; k=${kind}; p=${publicKeyOf(pem)}`,
  })
  return [
    record(dkim.selector, 'rsa', dkim.privateKey),
    ...(dkim.ed25519 ? [record(dkim.ed25519.selector, 'ed25519', dkim.ed25519.privateKey)] : []),
  ]
}

const systemDns = (): Resolver => new Resolver({ timeout: 3_000, tries: 2 })

/**
 * Looks at what is published; a name system that does not answer is told from one that knows of nothing.
 * @returns the records to publish, too: those found, mended where they need it, and those that are missing
 */
export async function checkRecords(
  identity: MailIdentity,
  dns: Resolver,
): Promise<{ findings: Finding[]; records: DnsRecord[] }> {
  const relay = findRelay(identity, dns)
  const checked = await Promise.all([
    orUnanswered('SPF', checkSpf(identity, relay, dns)),
    ...listKeys(identity.dkim).map((key) => orUnanswered('DKIM', checkKey(key, dns))),
    orUnanswered('DMARC', checkDmarc(identity, dns)),
    orUnanswered('MX', checkMx(identity, dns)),
    orUnanswered('PTR', checkReverse(relay, dns)),
  ])
  const mended = checked.flatMap(({ record }) => record ?? [])
  const withheld = checked.flatMap((each) => each.withheld ?? [])
  const missing = listRecords(identity, await relay.catch(() => undefined)).filter(
    (record) => !withheld.some((other) => isSamePlace(other, record)),
  )
  return {
    findings: checked.flatMap(({ findings }) => findings),
    records: missing.map((record) => mended.find((other) => isSamePlace(other, record)) ?? record),
  }
}

/** The same for every domain that mail is sent from; each finding and each record once. */
export async function checkSenders(
  identity: MailIdentity,
  others: string[],
  dns: Resolver = systemDns(),
): Promise<{ findings: Finding[]; records: DnsRecord[] }> {
  const senders = uniqueBy([identity.from, ...others], domainOf)
  const checked = await Promise.all(senders.map((from) => checkRecords({ ...identity, from }, dns)))
  return {
    findings: uniqueBy(
      checked.flatMap(({ findings }) => findings),
      ({ name, sentence }) => `${name} ${sentence}`,
    ),
    records: uniqueBy(
      checked.flatMap(({ records }) => records),
      ({ type, name }) => `${type} ${name}`,
    ),
  }
}

/** The first of each. */
function uniqueBy<T>(list: T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>()
  return list.filter((item) => seen.size < seen.add(keyOf(item)).size)
}

type Place = Pick<DnsRecord, 'type' | 'name'>

/** DMARC's may be published by a parent. */
const isSamePlace = (one: Place, other: Place): boolean =>
  one.type === other.type &&
  (one.name === other.name || [one, other].every(({ name }) => name.startsWith('_dmarc.')))

const orUnanswered = (name: string, checked: Promise<Checked>): Promise<Checked> =>
  checked.catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException
    return {
      findings: [
        no(
          name,
          `could not be looked up (${code ?? message}); check that this machine reaches its DNS server`,
        ),
      ],
    }
  })
