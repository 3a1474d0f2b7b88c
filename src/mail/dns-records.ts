import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { orNothing } from './mail-host.ts'
import { domainOf } from './senders.ts'
import { publicKeyOf, type DkimKeys } from './sign.ts'
import { isLoopback } from './smtp-url.ts'

/** One record that makes this installation's mail trusted. */
export interface DnsRecord {
  type: 'TXT' | 'MX'
  name: string
  value: string
}

export interface MailIdentity {
  /** The sender of digests. */
  from: string
  /** Domain of the return paths; undefined where the sender's own address is used. */
  bounceDomain: string | undefined
  dkim: DkimKeys | undefined
  /** The relay that mail leaves from. */
  smtpHost: string | undefined
  /** Where the MX of the bounce domain should point: the host of PUBLIC_URL. */
  publicHost: string
}

/** What to publish. Addresses of the relay are its own to know: `mx` or its include takes their place. */
export function listRecords(identity: MailIdentity): DnsRecord[] {
  const domain = domainOf(identity.from)
  const envelope = identity.bounceDomain ?? domain
  const relay = identity.smtpHost === undefined || isIP(identity.smtpHost) ? 'mx' : `a:${identity.smtpHost}`
  return [
    { type: 'TXT', name: envelope, value: `v=spf1 ${relay} -all` },
    ...listKeys(identity.dkim),
    { type: 'TXT', name: `_dmarc.${domain}`, value: `v=DMARC1; p=none; rua=mailto:postmaster@${domain}` },
    ...(identity.bounceDomain === undefined
      ? []
      : [{ type: 'MX' as const, name: identity.bounceDomain, value: `10 ${identity.publicHost}.` }]),
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

/** The two questions that are asked; tests answer them without a network. */
export interface DnsLookups {
  resolveTxt(name: string): Promise<string[][]>
  resolveMx(name: string): Promise<{ exchange: string }[]>
  resolve4(name: string): Promise<string[]>
  reverse(address: string): Promise<string[]>
}

export interface Finding {
  name: string
  isGood: boolean
  /** What was found, and what to do where it is not good. */
  sentence: string
}

export const systemDns = (): DnsLookups => new Resolver({ timeout: 3_000, tries: 2 })

/** Looks at what is published; a name system that does not answer is told from one that knows of nothing. */
export async function checkRecords(
  identity: MailIdentity,
  dns: DnsLookups = systemDns(),
): Promise<Finding[]> {
  const domain = domainOf(identity.from)
  const texts = async (name: string) =>
    (await orNothing(dns.resolveTxt(name))).map((chunks) => chunks.join(''))
  return Promise.all([
    orUnanswered('SPF', checkSpf(identity.bounceDomain ?? domain, texts)),
    ...listKeys(identity.dkim).map((record) => orUnanswered('DKIM', checkKey(record, texts))),
    checkAlignment(identity, domain),
    orUnanswered('DMARC', checkDmarc(domain, texts)),
    ...(identity.bounceDomain === undefined ? [] : [orUnanswered('MX', checkMx(identity.bounceDomain, dns))]),
    ...(identity.smtpHost === undefined ? [] : [orUnanswered('PTR', checkReverse(identity.smtpHost, dns))]),
  ])
}

const orUnanswered = (name: string, finding: Promise<Finding>): Promise<Finding> =>
  finding.catch((error: unknown) => {
    const { code = 'no answer' } = error as { code?: string }
    const sentence = `could not be looked up (${code}); check that this machine reaches its DNS server`
    return { name, isGood: false, sentence }
  })

type Texts = (name: string) => Promise<string[]>

async function checkSpf(name: string, texts: Texts): Promise<Finding> {
  const found = (await texts(name)).filter((text) => /^v=spf1(\s|$)/i.test(text))
  const [record = ''] = found
  const isGood = found.length === 1 && /[~-]all\b/.test(record)
  const why =
    found.length === 0
      ? 'is not published; add it'
      : found.length > 1
        ? 'is published more than once; keep one'
        : isGood
          ? record
          : 'must end in -all or ~all'
  return { name: 'SPF', isGood, sentence: `${name} ${why}` }
}

async function checkKey(record: DnsRecord, texts: Texts): Promise<Finding> {
  const wanted = keyIn(record.value)
  const found = (await texts(record.name)).map(keyIn)
  const isGood = found.includes(wanted)
  const variable = record.value.includes('k=rsa') ? 'DKIM_PRIVATE_KEY' : 'DKIM_ED25519_PRIVATE_KEY'
  const why = isGood
    ? 'holds our key'
    : found.length === 0
      ? 'is not published; add it'
      : `holds another key than ${variable}; publish ours`
  return { name: 'DKIM', isGood, sentence: `${record.name} ${why}` }
}

const keyIn = (text: string): string => /p=([^;]*)/.exec(text.replace(/\s+/g, ''))?.[1] ?? ''

function checkAlignment({ dkim }: MailIdentity, domain: string): Promise<Finding> {
  const isGood = dkim !== undefined && (domain === dkim.domain || domain.endsWith(`.${dkim.domain}`))
  const sentence =
    dkim === undefined
      ? 'mail is not signed; set DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY'
      : isGood
        ? `${domain} is signed by ${dkim.domain}`
        : `the sender's ${domain} is not below DKIM_DOMAIN ${dkim.domain}; set MAIL_FROM or DKIM_DOMAIN`
  return Promise.resolve({ name: 'alignment', isGood, sentence })
}

async function checkDmarc(domain: string, texts: Texts): Promise<Finding> {
  // A subdomain is under its parents' policy.
  const labels = domain.split('.')
  for (let skip = 0; skip < labels.length - 1; skip++) {
    const name = `_dmarc.${labels.slice(skip).join('.')}`
    const record = (await texts(name)).find((text) => /^v=DMARC1\b/i.test(text))
    if (record) {
      const isGood = /\bp=\w+/i.test(record)
      return { name: 'DMARC', isGood, sentence: `${name} ${isGood ? record : 'names no policy; add p=none'}` }
    }
  }
  return { name: 'DMARC', isGood: false, sentence: `_dmarc.${domain} is not published; add it` }
}

async function checkMx(name: string, dns: DnsLookups): Promise<Finding> {
  const [first] = await orNothing(dns.resolveMx(name))
  const sentence = first
    ? `${name} is received by ${first.exchange}`
    : `${name} has no MX, so bounces cannot come back; add it`
  return { name: 'MX', isGood: first !== undefined, sentence }
}

/** Providers refuse hosts whose address has no name that points back to it. */
async function checkReverse(host: string, dns: DnsLookups): Promise<Finding> {
  if (isLoopback(host)) {
    const sentence = 'the relay is on this machine; look after the PTR of the address it sends from'
    return { name: 'PTR', isGood: true, sentence }
  }
  const addresses = isIP(host) ? [host] : await orNothing(dns.resolve4(host))
  const [address] = addresses
  if (address === undefined)
    return { name: 'PTR', isGood: false, sentence: `${host} has no address; check the host in SMTP_URL` }
  const names = await orNothing(dns.reverse(address))
  for (const name of names) {
    const back = await orNothing(dns.resolve4(name))
    if (back.includes(address)) {
      return { name: 'PTR', isGood: true, sentence: `${address} is ${name} and back` }
    }
  }
  return {
    name: 'PTR',
    isGood: false,
    sentence: `${address} has no name that points back to it; set its PTR`,
  }
}
