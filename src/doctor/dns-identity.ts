import type { Finding } from './finding.ts'
import { domainOf } from '../domain/subscribers/address.ts'
import type { DkimKeys } from '../mail/message/sign.ts'

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
  /** The addresses of this machine's interfaces. */
  ownAddresses: string[]
}

/** What was found of one record. */
export interface Checked {
  findings: Finding[]
  /** What should be published in the place of what is. */
  record?: DnsRecord
  /** Nothing that could be printed for this name would be right. */
  withheld?: Pick<DnsRecord, 'type' | 'name'>
}

/** The domain that SPF is asked about: that of the return path. */
export const envelopeOf = ({ from, bounceDomain }: MailIdentity): string =>
  (bounceDomain ?? domainOf(from)).toLowerCase()

export const isWithin = (name: string, domain: string): boolean =>
  name === domain || name.endsWith(`.${domain}`)
