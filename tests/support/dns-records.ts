import type { MailIdentity } from '../../src/doctor/dns-identity.ts'
import { checkRecords, listRecords } from '../../src/doctor/dns-records.ts'
import { aNameServer, type Zone } from './dns-server.ts'
import { dkimKeys } from './mail.ts'

export const identity: MailIdentity = {
  from: 'lettres@news.example.org',
  bounceDomain: 'bounces.news.example.org',
  dkim: { ...dkimKeys(), domain: 'example.org' },
  smtpHost: 'relay.example.org',
  publicHost: 'news.example.org',
  ownAddresses: ['127.0.0.1', '10.0.0.5'],
}
export const spfName = 'bounces.news.example.org TXT'
export const keyName = 'r1._domainkey.example.org TXT'
export const dmarcName = '_dmarc.example.org TXT'
export const key = listRecords(identity).find(({ value }) => value.includes('k=rsa'))?.value ?? ''

/** The machines, and what is printed to publish for them. */
export const published = (about = identity): Zone => ({
  'relay.example.org A': '192.0.2.1',
  'relay.example.org AAAA': '2001:db8::1',
  '1.2.0.192.in-addr.arpa PTR': 'relay.example.org',
  [`1${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.ip6.arpa PTR`]: 'relay.example.org',
  'news.example.org A': '192.0.2.7',
  ...Object.fromEntries(
    listRecords(about).map(({ type, name, value }) => [`${name} ${type}`, value.replace(/^10 /, '')]),
  ),
})

export async function check(zone: Zone, about: Partial<MailIdentity> = {}) {
  const { resolver } = await aNameServer(zone)
  const { findings, records } = await checkRecords({ ...identity, ...about }, resolver)
  return {
    findings: findings.map(({ name, verdict, sentence }) => `${verdict} ${name}: ${sentence}`),
    records,
  }
}
