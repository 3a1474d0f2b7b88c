import type { Resolver } from 'node:dns/promises'
import type { DMARCResult } from 'mailauth'
import { envelopeOf, isWithin, type Checked, type DnsRecord, type MailIdentity } from './dns-identity.ts'
import { look, no, ok, type Finding } from './finding.ts'
import { orNothing } from '../mail/mail-host.ts'
import { domainOf } from '../domain/subscribers/address.ts'

/** RFC 9989: a sound policy for the sender's domain, and what it is aligned with. */
export async function checkDmarc(identity: MailIdentity, dns: Resolver): Promise<Checked> {
  const { dkim } = identity
  const domain = domainOf(identity.from)
  // Loaded late: it takes a quarter of a second, and most commands never need it.
  const { dmarc } = await import('mailauth/lib/dmarc/index.js')
  const found = await dmarc({
    headerFrom: identity.from,
    spfDomains: [envelopeOf(identity)],
    dkimDomains: dkim ? [{ domain: dkim.domain }] : [],
    resolver: (name, type) => dns.resolve(name, type) as Promise<string[]>,
    strict: true,
  })
  if (found === false || found.status.result === 'temperror') {
    throw new Error((found && found.error) || 'no answer')
  }
  const published = found.status.result === 'none' ? undefined : found
  const { finding, record } = published
    ? judgePolicy(published)
    : { finding: await explainNone(domain, dns), record: undefined }
  const findings = [finding, ...judgeAlignment(identity, published)]
  return record ? { findings, record } : { findings }
}

function judgePolicy({ policyDomain = '', rr = '' }: DMARCResult): { finding: Finding; record?: DnsRecord } {
  const name = `_dmarc.${policyDomain}`
  return /;\s*p\s*=\s*(none|quarantine|reject)\s*(;|$)/i.test(rr)
    ? { finding: ok('DMARC', `${name} ${rr}`), record: { type: 'TXT', name, value: rr } }
    : { finding: no('DMARC', `${name} names no policy; add p=none, p=quarantine or p=reject: ${rr}`) }
}

async function explainNone(domain: string, dns: Resolver): Promise<Finding> {
  const name = `_dmarc.${domain}`
  const texts = (await orNothing(dns.resolveTxt(name))).map((chunks) => chunks.join(''))
  const records = texts.filter((text) => /^v\s*=\s*DMARC1/i.test(text))
  const why =
    records.length === 0
      ? 'is not published; add it'
      : records.length > 1
        ? 'is published more than once, so that none counts; keep one'
        : `cannot be read; it must begin with v=DMARC1; p=none (or quarantine, or reject) and have each tag once: ${records.join()}`
  return no('DMARC', `${name} ${why}`)
}

/** Without a policy, names that hold one another are taken to be one organisation's. */
function judgeAlignment(identity: MailIdentity, policy: DMARCResult | undefined): Finding[] {
  const { dkim } = identity
  const domain = domainOf(identity.from)
  const envelope = envelopeOf(identity)
  const isKin = (other: string) => isWithin(domain, other) || isWithin(other, domain)
  const isSigned = dkim && (policy ? policy.alignment.dkim.result !== undefined : isKin(dkim.domain))
  const isReturned = policy ? policy.alignment.spf.result !== undefined : isKin(envelope)
  return [
    dkim === undefined
      ? no('alignment', 'mail is not signed; set DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY')
      : isSigned
        ? ok('alignment', `${domain} is signed by ${dkim.domain}`)
        : no(
            'alignment',
            `the sender's ${domain} is not aligned with DKIM_DOMAIN ${dkim.domain}${strictly(policy?.alignment.dkim)}; set MAIL_FROM or DKIM_DOMAIN`,
          ),
    isReturned
      ? ok('alignment', `${domain} is the domain of return paths too, or one organisation with ${envelope}`)
      : look(
          'alignment',
          `return paths at ${envelope} are not aligned with ${domain}${strictly(policy?.alignment.spf)}, so that the signature alone carries DMARC; set BOUNCE_DOMAIN below the sender's domain`,
        ),
  ]
}

const strictly = (alignment?: { strict: boolean }): string =>
  alignment?.strict ? ' (the policy asks for the very same name)' : ''
