import { expect, test } from 'vitest'
import type { MailIdentity } from '../../src/doctor/dns-identity.ts'
import { checkRecords, checkSenders, listRecords } from '../../src/doctor/dns-records.ts'
import { check, dmarcName, identity, key, keyName, published, spfName } from '../support/dns-records.ts'
import { aNameServer, type Zone } from '../support/dns-server.ts'

test('what is printed to publish is what is found good, and printed again', async () => {
  const { resolver } = await aNameServer(published())
  const { findings, records } = await checkRecords(identity, resolver)
  expect(findings.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['SPF', 'ok'],
    ['DKIM', 'ok'],
    ['DKIM', 'ok'],
    ['DMARC', 'ok'],
    ['alignment', 'ok'],
    ['alignment', 'ok'],
    ['MX', 'ok'],
    ['PTR', 'ok'],
    ['PTR', 'ok'],
  ])
  expect(records).toEqual(listRecords(identity))
})

test.each<[string, Zone, Partial<MailIdentity>, RegExp]>([
  ['a key that is missing', { [keyName]: [] }, {}, /^no DKIM: r1\S+ is not published; add it/],
  [
    'another key',
    { [keyName]: 'v=DKIM1; k=rsa; p=AAAA' },
    {},
    /^no DKIM: .* another key than DKIM_PRIVATE_KEY/,
  ],
  [
    'another Ed25519 key',
    { 'e1._domainkey.example.org TXT': 'v=DKIM1; k=ed25519; p=AAAA' },
    {},
    /than DKIM_ED25519_PRIVATE_KEY/,
  ],
  [
    'our key under another kind',
    { [keyName]: key.replace('rsa', 'ed25519') },
    {},
    /^no DKIM: .* another key/,
  ],
  ['a revoked key', { [keyName]: 'v=DKIM1; p=' }, {}, /^no DKIM: .* is revoked/],
  ['two keys', { [keyName]: [key, 'v=DKIM1; p=AAAA'] }, {}, /^no DKIM: .* more than once/],
  ['a key on trial', { [keyName]: `${key}; t=s:y` }, {}, /^look DKIM: .*t=y/],
  ['a key for SHA-1 alone', { [keyName]: `${key}; h=sha1` }, {}, /^no DKIM: .* SHA-256/],
  [
    'our key, spaced and without k=',
    { [keyName]: key.replace('k=rsa; p=', 'p = ') },
    {},
    /^ok DKIM: r1\S+ holds our key/,
  ],
  ['no policy', { [dmarcName]: [] }, {}, /^no DMARC: _dmarc\.news\.example\.org is not published; add it/],
  [
    'two policies',
    { [dmarcName]: [], '_dmarc.news.example.org TXT': ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] },
    {},
    /^no DMARC: .* more than once/,
  ],
  [
    'a policy with a tag twice',
    { [dmarcName]: [], '_dmarc.news.example.org TXT': 'v=DMARC1; p=none; p=reject' },
    {},
    /^no DMARC: .* cannot be read/,
  ],
  [
    'a policy without p=',
    { [dmarcName]: 'v=DMARC1; rua=mailto:postmaster@example.org' },
    {},
    /^no DMARC: .* names no policy/,
  ],
  [
    'a policy of its own',
    { '_dmarc.news.example.org TXT': 'v=DMARC1; p=reject' },
    {},
    /^ok DMARC: _dmarc\.news\.example\.org v=DMARC1; p=reject/,
  ],
  [
    'a strict policy',
    { [dmarcName]: 'v=DMARC1; p=none; adkim=s' },
    {},
    /^no alignment: .* DKIM_DOMAIN example\.org \(the policy asks for the very same name\)/,
  ],
  [
    'a policy strict about return paths',
    { [dmarcName]: 'v=DMARC1; p=none; aspf=s' },
    {},
    /^look alignment: return paths at bounces/,
  ],
  [
    'another organisation’s return paths',
    {},
    { bounceDomain: 'bounces.else.net' },
    /^look alignment: .* bounces\.else\.net/,
  ],
  [
    'a sender elsewhere',
    { '_dmarc.else.net TXT': 'v=DMARC1; p=none' },
    { from: 'lettres@else.net' },
    /^no alignment: the sender's else\.net/,
  ],
  ['no signature', {}, { dkim: undefined }, /^no alignment: mail is not signed; set DKIM_DOMAIN/],
  ['no MX', { 'bounces.news.example.org MX': [] }, {}, /^no MX: .* has no MX.*; add it/],
  ['a null MX', { 'bounces.news.example.org MX': '.' }, {}, /^no MX: .* takes no mail/],
  [
    'an MX without an address',
    { 'bounces.news.example.org MX': 'mx.gone.org' },
    {},
    /^no MX: .* mx\.gone\.org, which has no address/,
  ],
  [
    'an MX elsewhere',
    { 'bounces.news.example.org MX': 'mx.else.net', 'mx.else.net A': '203.0.113.9' },
    {},
    /^look MX: .* mx\.else\.net, not here; see that it hands mail on/,
  ],
  [
    'no name',
    { '1.2.0.192.in-addr.arpa PTR': [] },
    {},
    /^no PTR: 192\.0\.2\.1 has no name that points back.*set its PTR/,
  ],
  [
    'a name that leads elsewhere',
    { '1.2.0.192.in-addr.arpa PTR': 'news.example.org' },
    {},
    /^no PTR: 192\.0\.2\.1/,
  ],
  [
    'an address of this machine without a name, beside one that has it',
    {},
    { smtpHost: 'localhost', ownAddresses: ['127.0.0.1', '192.0.2.1', '2001:db8::9'] },
    /^look PTR: 2001:db8::9 has no name that points back to it; set its PTR if mail leaves from there/,
  ],
  [
    'no address of this machine with a name',
    { '1.2.0.192.in-addr.arpa PTR': [] },
    { smtpHost: 'localhost', ownAddresses: ['127.0.0.1', '192.0.2.1', '2001:db8::9'] },
    /^no PTR: 2001:db8::9 has no name that points back to it; set its PTR$/,
  ],
  [
    'a provider without names',
    { 'smtp.provider.net A': '203.0.113.4' },
    { smtpHost: 'smtp.provider.net' },
    /^look PTR: 203\.0\.113\.4 .* ask the provider/,
  ],
  [
    'a provider that does not exist',
    {},
    { smtpHost: 'smtp.provider.net' },
    /^no PTR: smtp\.provider\.net has no address; check the host in SMTP_URL/,
  ],
  [
    'a relay here, behind an address translation',
    {},
    { smtpHost: '127.0.0.1' },
    /^look PTR: mail leaves from an address that cannot be seen/,
  ],
])('%s', async (_, zone, about, expected) => {
  const { findings } = await check({ ...published(), ...zone }, about)
  expect(findings).toContainEqual(expect.stringMatching(expected))
})

test('a record that is there is printed mended, never in the place of what others need', async () => {
  const policy = 'v=DMARC1; p=quarantine'
  const mend = async (spf: string, about: Partial<MailIdentity> = {}) => {
    const others = { 'spf.office.net TXT': 'v=spf1 ip4:198.51.100.0/24 -all', [dmarcName]: policy }
    const { records } = await check({ ...published(), ...others, [spfName]: spf }, about)
    expect(records.filter(({ name }) => name.startsWith('_dmarc'))).toMatchObject([{ value: policy }])
    return records.find(({ type, name }) => `${name} ${type}` === spfName)?.value
  }
  expect(await mend('v=spf1 include:spf.office.net ~all')).toBe(
    'v=spf1 a:relay.example.org include:spf.office.net ~all',
  )
  expect(await mend('v=spf1 a:relay.example.org +all')).toBe('v=spf1 a:relay.example.org -all')
  expect(await mend('v=spf1 include:spf.office.net -all', { smtpHost: 'smtp.provider.net' })).toBe(
    'v=spf1 include:spf.office.net -all',
  )
  expect(await mend('v=spf1 redirect=spf.office.net')).toBe(
    'v=spf1 a:relay.example.org redirect=spf.office.net',
  )
})

test('the senders of newsletters are asked about too, each domain and each finding once', async () => {
  const { resolver } = await aNameServer(published())
  const others = ['soir@news.example.org', 'sport@sport.example.org', 'lettre@else.net']
  const alone = await checkSenders(identity, [], resolver)
  const { findings, records } = await checkSenders(identity, others, resolver)
  const more = findings.filter((each) => !alone.findings.some(({ sentence }) => sentence === each.sentence))
  expect(more.map(({ name, verdict, sentence }) => `${verdict} ${name}: ${sentence}`)).toEqual([
    expect.stringMatching(/^ok alignment: sport\.example\.org is signed by example\.org$/),
    expect.stringMatching(/^ok alignment: sport\.example\.org .* bounces/),
    expect.stringMatching(/^no DMARC: _dmarc\.else\.net is not published; add it$/),
    expect.stringMatching(/^no alignment: the sender's else\.net/),
    expect.stringMatching(/^look alignment: return paths at bounces/),
  ])
  expect(records.map(({ name }) => name)).toEqual([
    ...alone.records.map(({ name }) => name),
    '_dmarc.else.net',
  ])
})

test('a name system that does not answer is not one that knows of nothing', async () => {
  const { resolver } = await aNameServer({}, [
    ...['bounces.news.example.org', 'relay.example.org', '_dmarc.news.example.org', '_dmarc.example.org'],
    ...['r1._domainkey.example.org', 'e1._domainkey.example.org'],
  ])
  const { findings, records } = await checkRecords(identity, resolver)
  expect(findings.map(({ name, verdict }) => `${verdict} ${name}`)).toEqual(
    ['SPF', 'DKIM', 'DKIM', 'DMARC', 'MX', 'PTR'].map((name) => `no ${name}`),
  )
  for (const { sentence } of findings) expect(sentence).toMatch(/could not be looked up .*DNS server/)
  expect(records).toEqual(listRecords(identity))
})
