import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createMailHostLookup } from '../../src/mail/mail-host.ts'
import { aNameServer } from '../support/dns-server.ts'

const zone = {
  'journal.fr MX': 'mx.journal.fr',
  'maison.fr A': '192.0.2.1',
  'muet.fr MX': '.',
  'parking.fr TXT': 'nothing to do with mail',
}

test.each([
  ['journal.fr', 'found', 'it names a host'],
  ['maison.fr', 'found', 'it is one itself (RFC 5321)'],
  ['muet.fr', 'none', 'it says that it takes none (RFC 7505)'],
  ['parking.fr', 'none', 'it has no address either'],
  ['jornal.fr', 'none', 'it does not exist'],
  ['panne.fr', 'unknown', 'its name server fails'],
])('the mail host of %s: %s, for %s', async (domain, host) => {
  const { resolver } = await aNameServer(zone, ['panne.fr'])
  expect(await createMailHostLookup(resolver)(domain)).toBe(host)
})

test('a domain is asked about once; one that is reserved for examples, never', async () => {
  const { resolver, questions } = await aNameServer(zone)
  const find = createMailHostLookup(resolver)
  expect([await find('journal.fr'), await find('journal.fr')]).toEqual(['found', 'found'])
  expect([await find('reader.example'), await find('example.org')]).toEqual(['unknown', 'unknown'])
  expect(questions).toEqual(['journal.fr MX'])
})

test('a name server that never answers keeps nobody waiting', async () => {
  const silent = createSocket('udp4')
  onTestFinished(() => void silent.close())
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve))
  // Left to itself, it would ask for longer than this test may take.
  const resolver = new Resolver({ timeout: 60_000, tries: 10 })
  resolver.setServers([`127.0.0.1:${silent.address().port}`])
  onTestFinished(() => {
    resolver.cancel()
  })
  expect(await createMailHostLookup(resolver)('journal.fr')).toBe('unknown')
})
