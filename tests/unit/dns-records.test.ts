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

test('a name system that does not answer is not one that knows of nothing', async () => {
  const refused = () => Promise.reject(Object.assign(new Error('refused'), { code: 'EREFUSED' }))
  const unknown = () => Promise.reject(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }))
  const say = async (answer: () => Promise<never>) => {
    const dns = { resolveTxt: answer, resolveMx: answer, resolve4: answer, reverse: answer }
    return (await checkRecords(identity, dns)).map(({ name, sentence }) => `${name}: ${sentence}`).join('\n')
  }
  expect((await say(refused)).match(/could not be looked up \(EREFUSED\)/g)).toHaveLength(6)
  expect(await say(unknown)).toMatch(/SPF: .* is not published[^]*MX: .* has no MX[^]*PTR: .* has no address/)
})

test('a wrong key is named by its variable', async () => {
  const texts = published()
  for (const name of Object.keys(texts).filter((key) => key.includes('_domainkey')))
    texts[name] = ['v=DKIM1; p=AAAA']
  const said = (await checkRecords(identity, publishing(texts))).map(({ sentence }) => sentence).join('\n')
  expect(said).toContain('another key than DKIM_PRIVATE_KEY')
  expect(said).toContain('another key than DKIM_ED25519_PRIVATE_KEY')
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
