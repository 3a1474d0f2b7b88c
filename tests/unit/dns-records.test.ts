import { expect, test } from 'vitest'
import { checkRecords, listRecords, type DnsLookups, type MailIdentity } from '../../src/mail/dns-records.ts'
import { dkimKeys } from '../support/mail.ts'

const identity: MailIdentity = {
  from: 'lettres@news.example.org',
  bounceDomain: 'bounces.news.example.org',
  dkim: { ...dkimKeys(), domain: 'example.org' },
  smtpHost: 'relay.example.org',
  publicHost: 'news.example.org',
}

/** A name system that publishes exactly these records. */
const publishing = (texts: Record<string, string[]>, others: Partial<DnsLookups> = {}): DnsLookups => ({
  resolveTxt: (name) => Promise.resolve((texts[name] ?? []).map((text) => text.match(/.{1,255}/g) ?? [])),
  resolveMx: () => Promise.resolve([{ exchange: 'mx.example.org' }]),
  resolve4: () => Promise.resolve(['192.0.2.1']),
  reverse: () => Promise.resolve(['relay.example.org']),
  ...others,
})

const published = () =>
  Object.fromEntries(
    listRecords(identity)
      .filter(({ type }) => type === 'TXT')
      .map(({ name, value }) => [name, [value]]),
  )

test('what is printed to publish is what is found good', async () => {
  const findings = await checkRecords(identity, publishing(published()))
  expect(findings.map(({ name, isGood }) => [name, isGood])).toEqual([
    ['SPF', true],
    ['DKIM', true],
    ['DKIM', true],
    ['alignment', true],
    ['DMARC', true],
    ['MX', true],
    ['PTR', true],
  ])
})

test('each fault is named', async () => {
  const texts = published()
  const keyName = 'r1._domainkey.example.org'
  const cases: [string, DnsLookups, MailIdentity?][] = [
    ['SPF', publishing({ ...texts, 'bounces.news.example.org': [] })],
    ['SPF', publishing({ ...texts, 'bounces.news.example.org': ['v=spf1 mx -all', 'v=spf1 a -all'] })],
    ['SPF', publishing({ ...texts, 'bounces.news.example.org': ['v=spf1 mx +all'] })],
    ['DKIM', publishing({ ...texts, [keyName]: ['v=DKIM1; k=rsa; p=AAAA'] })],
    ['DMARC', publishing({ ...texts, '_dmarc.news.example.org': [] })],
    ['MX', publishing(texts, { resolveMx: () => Promise.reject(new Error('none')) })],
    ['PTR', publishing(texts, { reverse: () => Promise.resolve([]) })],
    ['alignment', publishing(texts), { ...identity, from: 'lettres@elsewhere.example' }],
    ['alignment', publishing(texts), { ...identity, dkim: undefined }],
  ]
  for (const [name, dns, about = identity] of cases) {
    const bad = (await checkRecords(about, dns))
      .filter((finding) => !finding.isGood)
      .map((finding) => finding.name)
    expect(bad).toContain(name)
  }
})

test('a subdomain is under the policy of its parent', async () => {
  const texts = {
    ...published(),
    '_dmarc.news.example.org': [],
    '_dmarc.example.org': ['v=DMARC1; p=reject'],
  }
  const findings = await checkRecords(identity, publishing(texts))
  expect(findings.find(({ name }) => name === 'DMARC')).toMatchObject({ isGood: true })
})
