import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { authenticate } from 'mailauth'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { listRecords } from '../../src/doctor/dns-records.ts'
import { createLogger } from '../../src/log.ts'
import { createSigner } from '../../src/mail/message/sign.ts'
import { awkwardBodies, verifyWithOpendkim, verifyWithPython } from '../support/dkim.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aMail, aRecipient, dkimKeys } from '../support/mail.ts'
import { aWeb } from '../support/web.ts'
import { startWorking } from '../../workers/working.ts'

const keys = dkimKeys()
async function sign(message: Buffer[]): Promise<Buffer> {
  return Buffer.concat(await createSigner(keys).sign(message))
}

async function aDigest(language: 'fr' | 'ar' | 'en'): Promise<Buffer[]> {
  const mail = aMail()
  const parts = await mail.composeDigest(aFrozenDigest({ language }))
  return mail.personalise(mail.assembleVariant(parts), aRecipient())
}

test.each(['fr', 'ar', 'en'] as const)(
  'DKIM-1 both signatures of a digest in %s verify in two verifiers',
  async (language) => {
    const message = await sign(await aDigest(language))
    expect(verifyWithPython(message, keys)).toEqual([true, true])
    expect(verifyWithOpendkim(message, keys)).toEqual(['pass', 'pass'])
    expect(message.toString('latin1')).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256;/)
  },
)

test('HDR-10 each identifying header is signed once more than it occurs', async () => {
  const message = (await sign(await aDigest('fr'))).toString('latin1')
  const [, names = ''] = /h=([^;]+);/.exec(message.replace(/\r\n[ \t]+/g, '')) ?? []
  const signed = names.toLowerCase().replace(/\s/g, '').split(':')
  const header = message.slice(0, message.indexOf('\r\n\r\n'))
  for (const name of [
    ...['From', 'To', 'Cc', 'Subject', 'Date', 'Reply-To', 'Sender', 'Message-ID', 'MIME-Version'],
    ...['Content-Type', 'Content-Transfer-Encoding', 'List-Id', 'List-Unsubscribe', 'List-Unsubscribe-Post'],
    ...['List-Help', 'List-Archive', 'List-Post', 'Auto-Submitted'],
  ]) {
    const occurs = header.split('\r\n').filter((line) => line.startsWith(`${name}:`)).length
    expect(
      signed.filter((each) => each === name.toLowerCase()),
      name,
    ).toHaveLength(occurs + 1)
  }
  expect(signed).toContain('feedback-id')
})

test('DKIM-1 a signature covers the whole body, says when it was made, and holds for fourteen days', async () => {
  const at = new Date('2026-11-23T06:00:00Z')
  const signer = createSigner(keys, () => at)
  const message = Buffer.concat(await signer.sign(await aDigest('en'))).toString('latin1')
  const headers = message.slice(0, message.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/)
  const signatures = headers.filter((header) => header.startsWith('DKIM-Signature:'))
  const tags = signatures.map((header) =>
    Object.fromEntries(
      header
        .slice('DKIM-Signature:'.length)
        .replace(/\s+/g, '')
        .split(';')
        .map((tag) => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]),
    ),
  )
  const t = at.getTime() / 1000
  const common = { v: '1', c: 'relaxed/relaxed', d: keys.domain, t: `${t}`, x: `${t + 14 * 24 * 3600}` }
  expect(tags).toMatchObject([
    { ...common, a: 'rsa-sha256', s: 'r1' },
    { ...common, a: 'ed25519-sha256', s: 'e1' },
  ])
  for (const each of tags) expect(Object.keys(each)).not.toContain('l')
  for (const line of signatures.join('\r\n').split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
})

test('DKIM-5 a receiver that looks up the records we print finds SPF and DMARC aligned, strictly', async () => {
  const records = listRecords({
    from: 'lettres@news.example.org',
    bounceDomain: undefined,
    dkim: keys,
    smtpHost: '192.0.2.1',
    publicHost: 'news.example.org',
    ownAddresses: [],
  })
  const strict = (value: string) => value.replace('p=none', 'p=reject; adkim=s; aspf=s')
  const resolver = (name: string, type: string) => {
    if (type === 'MX') return Promise.resolve([{ exchange: 'mx.news.example.org', priority: 10 }] as never)
    if (type === 'A') return Promise.resolve(['192.0.2.1'])
    const texts = records.filter((record) => record.name === name && record.type === type)
    if (texts.length > 0) return Promise.resolve(texts.map(({ value }) => [strict(value)]))
    return Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
  }
  const sender = 'lettres@news.example.org'
  const envelope = { ip: '192.0.2.1', helo: 'mx.news.example.org', sender, resolver }
  const message = await sign(await aDigest('fr'))
  const { dkim, spf, dmarc } = await authenticate(message, envelope)
  expect(dkim.results.map(({ status }) => status.result)).toEqual(['pass', 'pass'])
  expect(spf && spf.status.result).toBe('pass')
  expect(dmarc).toMatchObject({ policy: 'reject', status: { result: 'pass' } })
  // Forwarded: another machine, and the signature alone must do.
  const forwarded = await authenticate(message, { ...envelope, ip: '198.51.100.7' })
  expect(forwarded.dmarc).toMatchObject({ status: { result: 'pass' } })
  const forged = Buffer.from(message.toString('latin1').replace('tramway', 'bateaux'), 'latin1')
  const refused = await authenticate(forged, { ...envelope, ip: '198.51.100.7' })
  expect(refused.dmarc).toMatchObject({ status: { result: 'fail' } })
})

test.each([
  'From: evil@evil.example',
  'Subject: another',
  'To: other@reader.example',
  'List-Unsubscribe: <https://evil.example/>',
  'Cc: other@reader.example',
  'Sender: evil@evil.example',
])('DKIM-2 a prepended "%s" breaks both', async (header) => {
  const message = await sign(await aDigest('fr'))
  const tampered = Buffer.concat([Buffer.from(`${header}\r\n`), message])
  expect(verifyWithPython(tampered, keys)).toEqual([false, false])
  expect(verifyWithOpendkim(tampered, keys)).not.toContain('pass')
})

test('a changed body breaks both', async () => {
  const message = await sign(await aDigest('fr'))
  const tampered = Buffer.from(message.toString('latin1').replace('tramway', 'bateaux'), 'latin1')
  expect(verifyWithPython(tampered, keys)).toEqual([false, false])
})

test.each<[string, Record<string, string | undefined>]>([
  ['no key', { DKIM_PRIVATE_KEY: undefined }],
  ['no selector', { DKIM_SELECTOR: undefined }],
  ['no domain', { DKIM_DOMAIN: undefined }],
  ['garbage for a key', { DKIM_PRIVATE_KEY: 'not a key' }],
  [
    'a public key',
    { DKIM_PRIVATE_KEY: createPublicKey(keys.privateKey).export({ type: 'spki', format: 'pem' }).toString() },
  ],
  [
    'another kind of key',
    {
      DKIM_PRIVATE_KEY: generateKeyPairSync('ec', { namedCurve: 'P-256' })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
    },
  ],
  ['a key of 1024 bits', { DKIM_PRIVATE_KEY: dkimKeys(1024).privateKey }],
  ['Ed25519 in the place of RSA', { DKIM_PRIVATE_KEY: keys.ed25519?.privateKey }],
  ['RSA in the place of Ed25519', { DKIM_ED25519_SELECTOR: 'e1', DKIM_ED25519_PRIVATE_KEY: keys.privateKey }],
  ['Ed25519 without its selector', { DKIM_ED25519_PRIVATE_KEY: keys.ed25519?.privateKey }],
])('DKIM-3 a configuration with %s is refused, naming the variable', (_, fault) => {
  const signing = {
    // Names are compared with it, and the name system knows no capitals.
    DKIM_DOMAIN: keys.domain.toUpperCase(),
    DKIM_SELECTOR: keys.selector,
    DKIM_PRIVATE_KEY: keys.privateKey,
  }
  expect(readConfig(signing).dkim).toMatchObject({ domain: keys.domain })
  expect(() => readConfig({ ...signing, ...fault })).toThrow(/DKIM_(ED25519_)?PRIVATE_KEY: /)
})

test('DKIM-3 a domain is signed for as the name system writes it, and refused where it is none', () => {
  const signing = { DKIM_SELECTOR: keys.selector, DKIM_PRIVATE_KEY: keys.privateKey }
  const domains = { DKIM_DOMAIN: 'Bücher.example', BOUNCE_DOMAIN: 'retours.الساحل.example' }
  expect(readConfig({ ...signing, ...domains })).toMatchObject({
    dkim: { domain: 'xn--bcher-kva.example' },
    bounceDomain: 'retours.xn--mgbasw8fd.example',
  })
  for (const DKIM_DOMAIN of ['news example', '@news.example', 'news.example; t=y', 'https://news.example'])
    expect(() => readConfig({ ...signing, DKIM_DOMAIN })).toThrow(/DKIM_DOMAIN: must be a domain/)
})

test('DKIM-3 what cannot be signed is not sent', async () => {
  await expect(createSigner(keys).sign([Buffer.from('From: a@news.example.org\r\n')])).rejects.toThrow(
    'cannot be signed',
  )
})

const header = Buffer.from(
  'From: a@news.example.org\r\nTo: b@reader.example\r\nSubject:  folded\r\n\tand   spaced \r\n\r\n',
)

test.each(awkwardBodies)('DKIM-4 a body with %s', async (_, body) => {
  const message = await sign([header, ...body.map((text) => Buffer.from(text))])
  expect(verifyWithPython(message, keys)).toEqual([true, true])
  expect(verifyWithOpendkim(message, keys)).toEqual(['pass', 'pass'])
})

test('signing twice gives the kept segments their own hash each time', async () => {
  const first = await aDigest('fr')
  const second = first.map((segment) =>
    segment.includes('reader@') ? Buffer.from('other@reader.example') : segment,
  )
  const signer = createSigner(keys)
  for (const message of [first, second, first]) {
    expect(verifyWithPython(Buffer.concat(await signer.sign(message)), keys)).toEqual([true, true])
  }
})

test('a worker says at its start that mail is not signed, where no key is set', async () => {
  const toldBy = async (env: Record<string, string>) => {
    let told = ''
    const destination = {
      write: (line: string) => {
        told += line
      },
    }
    const web = await aWeb({ env, log: createLogger('warn', 'worker', { destination }) })
    await (await startWorking(web.context)).drain()
    return told
  }
  expect(await toldBy({})).toContain('mail is not signed: DKIM_DOMAIN')
  const { domain, selector, privateKey } = keys
  const signing = { DKIM_DOMAIN: domain, DKIM_SELECTOR: selector, DKIM_PRIVATE_KEY: privateKey }
  expect(await toldBy(signing)).not.toContain('not signed')
})
