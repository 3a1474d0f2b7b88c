import { expect, test } from 'vitest'
import type { MailIdentity } from '../../src/doctor/dns-identity.ts'
import { listRecords } from '../../src/doctor/dns-records.ts'
import { check, identity, published, spfName } from '../support/dns-records.ts'
import type { Zone } from '../support/dns-server.ts'

const manyLookups = Array.from({ length: 11 }, (_, n) => `a:h${n}.example.org`)
const manyHosts = Object.fromEntries(manyLookups.map((term) => [`${term.slice(2)} A`, '198.51.100.1']))

test.each<[string, Zone, Partial<MailIdentity>, RegExp]>([
  ['is missing', { [spfName]: [] }, {}, /^no SPF: bounces\S+ is not published; add it$/],
  [
    'is missing behind a provider',
    { [spfName]: [], 'smtp.provider.net A': '198.51.100.9' },
    { smtpHost: 'smtp.provider.net' },
    /^no SPF: .* add it with the include that smtp\.provider\.net asks for$/,
  ],
  ['stands twice', { [spfName]: ['v=spf1 mx -all', 'v=spf1 a -all'] }, {}, /^no SPF: .* more than once/],
  [
    'names three hosts that do not exist',
    { [spfName]: 'v=spf1 a:x.example.org a:y.example.org a:z.example.org -all' },
    {},
    /^no SPF: .* names more than two hosts that do not exist/,
  ],
  [
    'knows the IPv6 alone of a host behind a translation of IPv4',
    { [spfName]: 'v=spf1 ip6:2001:db8::5 -all' },
    { smtpHost: 'localhost', ownAddresses: ['127.0.0.1', '10.0.0.5', '2001:db8::5'] },
    /^look SPF: .* see that it names the address/,
  ],
  ['lets anyone send', { [spfName]: 'v=spf1 +all' }, {}, /^no SPF: .* lets anyone send.*-all/],
  [
    'lets half the world send',
    { [spfName]: 'v=spf1 ip4:0.0.0.0/0 -all' },
    {},
    /^no SPF: .* lets anyone send/,
  ],
  ['has no end', { [spfName]: 'v=spf1 a:relay.example.org' }, {}, /^no SPF: .* must end in -all or ~all/],
  [
    'is neutral',
    { [spfName]: 'v=spf1 a:relay.example.org ?all' },
    {},
    /^no SPF: .* must end in -all or ~all/,
  ],
  ['cannot be read', { [spfName]: 'v=spf1 ip4:192.0.2.300 -all' }, {}, /^no SPF: .* cannot be read \(.+\)/],
  [
    'takes eleven lookups',
    { ...manyHosts, [spfName]: `v=spf1 ${manyLookups.join(' ')} -all` },
    {},
    /^no SPF: .* more than ten lookups/,
  ],
  [
    'takes eleven lookups behind an include',
    {
      ...manyHosts,
      [spfName]: `v=spf1 include:s.org ${manyLookups.slice(2).join(' ')} -all`,
      's.org TXT': 'v=spf1 a:h1.example.org -all',
    },
    {},
    /^no SPF: .* more than ten lookups/,
  ],
  [
    'includes what is not there',
    { [spfName]: 'v=spf1 include:gone.example -all' },
    {},
    /^no SPF: .* cannot be read/,
  ],
  [
    'leaves our relay out',
    { [spfName]: 'v=spf1 ip4:198.51.100.0/24 -all' },
    {},
    /^no SPF: .* does not let 192\.0\.2\.1, 2001:db8::1 send; publish it as below/,
  ],
  [
    'leaves out the relay’s IPv6 alone',
    { [spfName]: 'v=spf1 ip4:192.0.2.0/24 -all' },
    {},
    /^no SPF: .* does not let 2001:db8::1 send/,
  ],
  [
    'lets it send by ip4 and ip6',
    { [spfName]: 'v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all' },
    {},
    /^ok SPF/,
  ],
  [
    'lets it send by mx',
    { [spfName]: 'v=spf1 mx -all', 'bounces.news.example.org MX': 'relay.example.org' },
    {},
    /^ok SPF/,
  ],
  [
    'lets it send by a redirect to an include',
    {
      [spfName]: 'v=spf1 redirect=_spf.example.org',
      '_spf.example.org TXT': 'v=spf1 include:_hosts.example.org -all',
      '_hosts.example.org TXT': 'v=spf1 a:relay.example.org ?all',
    },
    {},
    /^ok SPF/,
  ],
  [
    'is a provider’s to complete',
    {
      [spfName]: 'v=spf1 include:spf.provider.net -all',
      'spf.provider.net TXT': 'v=spf1 ip4:198.51.100.0/24 -all',
      'smtp.provider.net A': '203.0.113.4',
    },
    { smtpHost: 'smtp.provider.net' },
    /^look SPF: .* does not let smtp\.provider\.net send, but where that sends on from is its provider's to say/,
  ],
  [
    'is asked of the From domain without BOUNCE_DOMAIN',
    { 'news.example.org TXT': 'v=spf1 ip4:198.51.100.1 -all' },
    { bounceDomain: undefined },
    /^no SPF: news\.example\.org does not let/,
  ],
  [
    'is judged by this machine',
    { [spfName]: 'v=spf1 ip4:192.0.2.9 -all' },
    { smtpHost: 'localhost', ownAddresses: ['127.0.0.1', '192.0.2.9'] },
    /^ok SPF: .* lets 192\.0\.2\.9 send/,
  ],
  [
    'leaves out an address of this machine that mail may never leave from',
    { [spfName]: 'v=spf1 ip4:192.0.2.1 -all' },
    { smtpHost: 'localhost', ownAddresses: ['127.0.0.1', '192.0.2.1', '2001:db8::9'] },
    /^look SPF: .* lets 192\.0\.2\.1 send, not 2001:db8::9; publish it as below if mail leaves from there/,
  ],
  [
    'leaves out every address of this machine',
    { [spfName]: 'v=spf1 ip4:198.51.100.1 -all' },
    { smtpHost: 'localhost', ownAddresses: ['127.0.0.1', '192.0.2.1', '2001:db8::9'] },
    /^no SPF: .* does not let 192\.0\.2\.1, 2001:db8::9 send; publish it as below/,
  ],
  [
    'cannot be judged behind an address translation',
    {},
    { smtpHost: 'localhost' },
    /^look SPF: .* see that it names the address/,
  ],
])('SPF that %s', async (_, zone, about, expected) => {
  const { findings } = await check({ ...published(), ...zone }, about)
  expect(findings.filter((each) => each.includes(' SPF: '))).toEqual([expect.stringMatching(expected)])
})

test('a relay is named by what can be seen of it', () => {
  const spf = (about: Partial<MailIdentity>) => listRecords({ ...identity, ...about })[0]?.value
  expect(spf({ smtpHost: '192.0.2.1' })).toBe('v=spf1 ip4:192.0.2.1 -all')
  expect(spf({ smtpHost: '2001:db8::1' })).toBe('v=spf1 ip6:2001:db8::1 -all')
  expect(spf({ smtpHost: '10.0.0.9' })).toBe('v=spf1 a:news.example.org -all')
  expect(spf({ smtpHost: 'localhost', ownAddresses: ['::1', '192.0.2.9'] })).toBe('v=spf1 ip4:192.0.2.9 -all')
  expect(spf({ smtpHost: 'mail' })).toBe('v=spf1 a:news.example.org -all')
  expect(spf({ smtpHost: 'localhost', ownAddresses: ['10.0.0.5', '2001:db8::5'] })).toBe(
    'v=spf1 ip6:2001:db8::5 a:news.example.org -all',
  )
})

test('no SPF record is printed that would refuse our mail, or that of others', async () => {
  const printed = async (zone: Zone, smtpHost = 'relay.example.org') => {
    const { records } = await check({ ...published(), [spfName]: [], ...zone }, { smtpHost })
    return records.flatMap(({ value }) => (value.startsWith('v=spf1') ? value : []))
  }
  expect(await printed({})).toEqual(['v=spf1 a:relay.example.org -all'])
  expect(await printed({ 'relay.internal A': '10.0.0.9' }, 'relay.internal')).toEqual([
    'v=spf1 a:news.example.org -all',
  ])
  expect(await printed({ 'smtp.provider.net A': '198.51.100.9' }, 'smtp.provider.net')).toEqual([])
  expect(await printed({ [spfName]: ['v=spf1 mx -all', 'v=spf1 a -all'] })).toEqual([])
  expect(await printed({ [spfName]: 'v=spf1 ip4:192.0.2.300 -all' })).toEqual([])
})
